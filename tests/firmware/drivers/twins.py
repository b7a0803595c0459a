"""Twins of display chips: they take what a driver sends and hold the picture that a visitor would see.

They know the commands in use, from the data sheets, and refuse what a real chip would not take.
"""

from wires import Line, Spi

WHOLE_MS = 4000
PART_MS = 400
RESET_MS = 3


class Controller(Spi):
    """What the data sheet says that the commands in use do: RAMs with a window, deep sleep, updates, a busy line.

    Time passes only in `sleep_ms` and `pause`. dead: its busy line is high for ever.
    """

    def __init__(self):
        super().__init__()
        self.now_ms = 0
        self.busy_until = 0
        self.dead = False
        self.asleep = False
        self.new = bytearray(b"\x5a" * 15000)  # noise of power-on
        self.old = bytearray(b"\xc3" * 15000)
        self.glass = bytearray(b"\x99" * 15000)
        self.updates = []
        self.registers = {}
        self.reset = Line(self.log, "reset")

    def sleep_ms(self, ms):
        super().sleep_ms(ms)
        self.now_ms += ms

    async def pause(self, seconds):
        self.log.append(("pause", seconds))
        self.now_ms += int(seconds * 1000)

    def busy(self):
        return 1 if self.dead or self.now_ms < self.busy_until else 0

    def write(self, data):
        self._see_reset()
        super().write(data)
        if self.now_ms < self.busy_until:
            raise RuntimeError(f"a byte for a busy controller: {self.sent[-1]!r}")
        if self.asleep:
            raise RuntimeError("a byte for a controller in deep sleep")
        command, arguments = self.sent[-1]
        if arguments:
            self._take(command, arguments)
        elif command == 0x20:
            self._update()
        elif command == 0x12:
            self.registers.clear()
            self.busy_until = self.now_ms + RESET_MS

    def _see_reset(self):
        if ("reset", 0) in self.log[-4:]:
            self.asleep = False

    def _take(self, command, arguments):
        if command == 0x10:
            self.asleep = True
        elif command in (0x24, 0x26):
            self._store(self.new if command == 0x24 else self.old, arguments)
        else:
            self.registers[command] = arguments

    def _store(self, ram, data):
        first, last = self.registers[0x44]
        top = self.registers[0x45]
        top, bottom = top[0] | top[1] << 8, top[2] | top[3] << 8
        assert self.registers[0x11] == b"\x03"
        assert self.registers[0x4E][0] == first
        assert self.registers[0x4F] == bytes((top & 0xFF, top >> 8))
        row = last - first + 1
        assert len(data) == row * (bottom - top + 1)
        for line in range(bottom - top + 1):
            at = (top + line) * 50 + first
            ram[at : at + row] = data[line * row : (line + 1) * row]

    def _update(self):
        whole = self.registers[0x22] == b"\xf7"
        assert whole or self.registers[0x22] == b"\xff"
        assert self.registers[0x21] == (b"\x40\x00" if whole else b"\x00\x00")
        self.updates.append("whole" if whole else "part")
        self.busy_until = self.now_ms + (WHOLE_MS if whole else PART_MS)
        for at in range(15000):
            # Where the two RAMs agree the glass is left as it is, right or wrong.
            differs = 0xFF if whole else self.old[at] ^ self.new[at]
            self.glass[at] = self.new[at] & differs | self.glass[at] & ~differs


class Panel(Spi):
    """An ST7796S: `memory` is the picture, two bytes a pixel, 480 x 320; `lit` whether it is shown."""

    def __init__(self):
        super().__init__()
        self.memory = bytearray(b"\xa5" * (480 * 320 * 2))
        self.lit = False
        self._window = {}

    def write(self, data):
        super().write(data)
        command, arguments = self.sent[-1]
        self.sent.clear()
        self.sent.append([command, b""])
        if not arguments:
            self.lit = command == 0x29 or self.lit and command != 0x28
        elif command in (0x2A, 0x2B):
            first, last = arguments[0] << 8 | arguments[1], arguments[2] << 8 | arguments[3]
            assert 0 <= first <= last < (480 if command == 0x2A else 320)
            self._window[command] = (first, last)
        elif command == 0x2C:
            self._store(arguments)

    def _store(self, data):
        left, right = self._window[0x2A]
        top, bottom = self._window[0x2B]
        row = 2 * (right - left + 1)
        assert len(data) == row * (bottom - top + 1)
        for line in range(bottom - top + 1):
            at = 2 * ((top + line) * 480 + left)
            self.memory[at : at + row] = data[line * row : (line + 1) * row]
