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
    """A dimmer or a tone: `duty` is what it was set to last."""

    def __init__(self, log):
        self._log = log
        self.duty = None

    def duty_u16(self, duty):
        self.duty = duty
        self._log.append(("duty", duty))

    def freq(self, hertz):
        self._log.append(("freq", hertz))


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


class Watch:
    """Time that passes only by `pause`, at which it can also stop: after so many pauses it raises Stopped."""

    class Stopped(Exception):
        pass

    def __init__(self):
        self.now_s = 0.0
        self.stop_after = None

    async def pause(self, seconds):
        self.now_s += seconds
        if self.stop_after is not None:
            self.stop_after -= 1
            if not self.stop_after:
                raise Watch.Stopped


class Flag:
    """As asyncio.ThreadSafeFlag; its wait is over at once while it is set, and raises Over when nobody will set it."""

    class Over(Exception):
        pass

    def __init__(self):
        self._is_set = False

    def set(self):
        self._is_set = True

    async def wait(self):
        if not self._is_set:
            raise Flag.Over
        self._is_set = False


class Nic:
    """A network interface that has an address after it was asked `after` times, or never."""

    def __init__(self, after):
        self._after = after
        self._active = False
        self.log = []

    def active(self, on=None):
        if on is None:
            return self._active
        self.log.append(("active", on))
        self._active = on
        return None

    def isconnected(self):
        if self._active and self._after is not None and self._after > 0:
            self._after -= 1
        return self._after == 0

    def ifconfig(self):
        server = "192.0.2.53" if self._after == 0 else "0.0.0.0"
        return ("192.0.2.7", "255.255.255.0", "192.0.2.1", server)

    def disconnect(self):
        self.log.append(("disconnect",))

    def connect(self, ssid, key):
        self.log.append(("connect", ssid, key))

    def status(self, what):
        assert what == "rssi"
        return -61
