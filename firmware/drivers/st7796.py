"""The ST7796S display controller over SPI, landscape 480 x 320. Knows no board, no page and no touch panel.

Invariant: pixels go out as they come (RGB565, high byte first), into the rectangle that was named and no other;
what the frame memory held when power came on is never lit.
Command numbers and times: Sitronix ST7796S data sheet V1.0 (2014/11), chapter 9; serial writing 8.4.2.3.
"""

from kiosk.compat import const

_SLEEP_IN = const(0x10)
_SLEEP_OUT = const(0x11)
_NORMAL_ON = const(0x13)
_DISPLAY_OFF = const(0x28)
_DISPLAY_ON = const(0x29)
_COLUMNS = const(0x2A)
_ROWS = const(0x2B)
_WRITE = const(0x2C)
_ACCESS = const(0x36)
_PIXELS = const(0x3A)

# MADCTL: rows and columns exchanged, blue first in the glass; the other one is the same turned by half a turn.
_LANDSCAPE = b"\x28"
_LANDSCAPE_TURNED = b"\xe8"
_RGB565 = b"\x55"

# The reset pulse takes 10 us, waking 120 ms before the next sleep command, sleeping 5 ms before the next command.
_PULSE_MS = const(1)
_WAKE_MS = const(120)
_SLEEP_MS = const(5)
_FULL_DUTY = const(65535)
_BLANK_LINES = const(8)

# Voltages, frame rate and gamma for the glass of the LCDWIKI module MSP4031, (command, arguments), between the keys
# that open and close command table 2. What its maker's list sends without arguments or data sheet is left at reset.
MSP4031 = (
    (0xF0, b"\xc3"),
    (0xF0, b"\x96"),
    (0xB1, b"\x80\x10"),
    (0xB4, b"\x00"),
    (0xB5, b"\x02\x03\x00\x04"),
    (0xB6, b"\x00\x02"),
    (0xB7, b"\xc6"),
    (0xC5, b"\x1c"),
    (0xE8, b"\x40\x8a\x00\x00\x29\x19\xa5\x33"),
    (0xE0, b"\xf0\x09\x13\x12\x12\x2b\x3c\x44\x4b\x1b\x18\x17\x1d\x21"),
    (0xE1, b"\xf0\x09\x13\x0c\x0d\x27\x3b\x44\x4d\x0b\x17\x17\x1d\x21"),
    (0xF0, b"\x3c"),
    (0xF0, b"\x69"),
)


class St7796:
    """One display.

    spi: with `write`; cs, dc, reset: output pins, called with a level; light: a PWM with `duty_u16`, or None;
    sleep_ms: function; panel: settings such as MSP4031; turned: the case holds the glass upside down.
    """

    width = 480
    height = 320
    format = "rgb565"

    def __init__(self, spi, cs, dc, reset, light, sleep_ms, panel=MSP4031, turned=False):
        self._spi = spi
        self._cs = cs
        self._dc = dc
        self._light = light
        self._sleep_ms = sleep_ms
        self._one = bytearray(1)
        self._span = bytearray(4)
        self.light(0)
        cs(1)
        reset(0)
        sleep_ms(_PULSE_MS)
        reset(1)
        sleep_ms(_WAKE_MS)
        for command, arguments in panel:
            self._command(command, arguments)
        self._command(_ACCESS, _LANDSCAPE_TURNED if turned else _LANDSCAPE)
        self._command(_PIXELS, _RGB565)
        self._command(_NORMAL_ON)
        self._command(_SLEEP_OUT)
        sleep_ms(_WAKE_MS)
        self._blank()
        self._command(_DISPLAY_ON)
        self.light(100)

    def write(self, x, y, w, h, pixels):
        """Put w * h pixels of two bytes, row by row, at (x, y); what the buffer holds beyond them is not sent.

        Raises ValueError when the rectangle leaves the screen or the buffer is too short.
        """
        size = 2 * w * h
        if x < 0 or y < 0 or w < 1 or h < 1 or x + w > self.width or y + h > self.height:
            raise ValueError("display: no rectangle %d, %d, %d x %d on it" % (x, y, w, h))
        if len(pixels) < size:
            raise ValueError("display: %d bytes given for %d x %d pixels" % (len(pixels), w, h))
        self._window(x, y, w, h)
        self._cs(0)
        self._spi.write(pixels if len(pixels) == size else memoryview(pixels)[:size])
        self._cs(1)

    def light(self, percent):
        """0 is dark, 100 as bright as it goes."""
        if self._light is not None:
            self._light.duty_u16(_FULL_DUTY * percent // 100)

    def sleep(self):
        """Dark and at rest; the frame memory keeps its picture."""
        self.light(0)
        self._command(_DISPLAY_OFF)
        self._command(_SLEEP_IN)
        self._sleep_ms(_SLEEP_MS)

    def wake(self):
        """Show again what was shown before `sleep`."""
        self._command(_SLEEP_OUT)
        self._sleep_ms(_WAKE_MS)
        self._command(_DISPLAY_ON)
        self.light(100)

    def _blank(self):
        """Black everywhere: memory starts with noise."""
        black = bytes(2 * self.width * _BLANK_LINES)
        for y in range(0, self.height, _BLANK_LINES):
            self.write(0, y, self.width, _BLANK_LINES, black)

    def _window(self, x, y, w, h):
        span = self._span
        for command, first, size in ((_COLUMNS, x, w), (_ROWS, y, h)):
            last = first + size - 1
            span[0] = first >> 8
            span[1] = first & 0xFF
            span[2] = last >> 8
            span[3] = last & 0xFF
            self._command(command, span)
        self._command(_WRITE)
        self._dc(1)

    def _command(self, command, arguments=None):
        self._one[0] = command
        self._dc(0)
        self._cs(0)
        self._spi.write(self._one)
        if arguments:
            self._dc(1)
            self._spi.write(arguments)
        self._cs(1)
