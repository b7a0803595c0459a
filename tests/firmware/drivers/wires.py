"""Buses and pins that write down what a driver does with them, for CPython and MicroPython alike."""


class Line:
    """An output pin; its changes go into the journal of all wires when it has a name."""

    def __init__(self, log=None, name=""):
        self.level = None
        self._log = log
        self._name = name

    def __call__(self, level):
        self.level = level
        if self._log is not None:
            self._log.append((self._name, level))


class Spi:
    """What is sent while cs is low: `sent` is a list of [command, arguments], and `log` has times and other pins.

    A byte that is sent with cs high reaches no chip, and a test should know.
    """

    def __init__(self):
        self.log = []
        self.sent = []
        self.cs = Line()
        self.dc = Line()

    def write(self, data):
        if self.cs.level != 0:
            raise RuntimeError(f"bytes without chip select: {bytes(data[:8])!r}")
        data = bytes(data)
        if self.dc.level == 0:
            for command in data:
                self.sent.append([command, b""])
                self.log.append(command)
        else:
            self.sent[-1][1] += data

    def sleep_ms(self, ms):
        self.log.append(("ms", ms))

    def commands(self):
        return [command for command, arguments in self.sent]

    def forget(self):
        self.sent.clear()
        self.log.clear()


class Pwm:
    """A dimmer: `duties` is what it was set to."""

    def __init__(self, log):
        self._log = log
        self.duty = None

    def duty_u16(self, duty):
        self.duty = duty
        self._log.append(("light", duty))


class I2c:
    """A bus with one chip of 256 registers; `log` has what was asked, `broken` makes the next accesses fail."""

    def __init__(self, address):
        self.address = address
        self.registers = bytearray(256)
        self.log = []
        self.broken = 0

    def readfrom_mem_into(self, address, register, buf):
        self._ask(address, ("read", register, len(buf)))
        buf[:] = self.registers[register : register + len(buf)]

    def writeto_mem(self, address, register, data):
        self._ask(address, ("write", register, bytes(data)))
        self.registers[register : register + len(data)] = data

    def writeto(self, address, data):
        self._ask(address, ("write", bytes(data)))

    def _ask(self, address, what):
        self.log.append(what)
        if self.broken:
            self.broken -= 1
            raise OSError(110)
        if address != self.address:
            raise OSError(19)
