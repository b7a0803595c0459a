"""The FT6206/FT6236/FT6336U touch controllers over I2C. Knows where a finger is on the screen, not what is drawn there.

Invariant: a bus that fails is counted and never raises; a touch does not end, and so does not begin again, because of
a single failed reading. The chip may come late or lose its power: it is set up again when it answers.
Timing and bus: FocalTech FT6336U data sheet V1.0, 2.4.1, 3.5 and Table 3-5; registers: FT6x36 application note.
"""

from kiosk.compat import const

_ADDRESS = const(0x38)
_POINTS = const(0x02)  # count; then two points of six registers: x high, x low, y high, y low, weight, area
_MONITOR = const(0x86)
_CHIP = const(0xA3)
_INTERRUPTS = const(0xA4)
_MAKER = const(0xA8)
_FOCALTECH = const(0x11)
_CHIPS = (0x06, 0x36, 0x64)  # FT6206, FT6236 and FT6336G, FT6236U and FT6336U
# The interrupt line stays low for as long as the glass is touched; the other mode pulses 60 times a second.
_WHILE_TOUCHED = b"\x00"
# Otherwise it dozes when nobody touches, and does not answer then (data sheet, 2.3); the kiosk has mains power.
_ALWAYS_AWAKE = b"\x00"
_MOST_FINGERS = const(2)
_UP = const(1)
_NONE = const(3)
# At 25 ms between readings, 75 ms: shorter than anybody lifts a finger and puts it down again.
_PATIENCE = const(3)


class Ft6x36:
    """One touch panel behind a landscape screen of width x height.

    i2c: with `readfrom_mem_into` and `writeto_mem`, at most 400 kHz; turned: as the display's.
    fingers: how many the last reading saw (0-2); errors: readings that failed; fault: what is wrong with the chip, as a
    sentence, or None.
    """

    def __init__(self, i2c, width, height, turned=False):
        self._i2c = i2c
        self._width = width
        self._height = height
        self._turned = turned
        self._one = bytearray(1)
        self._buf = bytearray(5)
        self._ready = False
        self._failed = 0
        self._point = None
        self.fingers = 0
        self.errors = 0
        self.fault = None

    def read(self):
        """(x, y) of the first finger in screen coordinates, or None when the glass is not touched."""
        try:
            if not (self._ready or self._begin()):
                return None
            self._i2c.readfrom_mem_into(_ADDRESS, _POINTS, self._buf)
        except OSError as error:
            return self._bus_failed(error)
        self._failed = 0
        self._point = self._decode()
        return self._point

    def _decode(self):
        buf = self._buf
        count = buf[0] & 0x0F
        event = buf[1] >> 6
        # More than two is noise while the chip starts.
        if not 1 <= count <= _MOST_FINGERS or event in (_UP, _NONE):
            self.fingers = 0
            return None
        self.fingers = count
        across = (buf[1] & 0x0F) << 8 | buf[2]  # the chip counts from the corner of the upright glass
        down = (buf[3] & 0x0F) << 8 | buf[4]
        if self._turned:
            x, y = self._width - 1 - down, across
        else:
            x, y = down, self._height - 1 - across
        return min(max(x, 0), self._width - 1), min(max(y, 0), self._height - 1)

    def _begin(self):
        """Whether the chip is one that we know; it is told how to interrupt."""
        maker = self._register(_MAKER)
        chip = self._register(_CHIP)
        if maker != _FOCALTECH or chip not in _CHIPS:
            self.fault = "touch: maker 0x%02x, chip 0x%02x at 0x%02x is no FT6x36" % (maker, chip, _ADDRESS)
            return False
        self._i2c.writeto_mem(_ADDRESS, _INTERRUPTS, _WHILE_TOUCHED)
        self._i2c.writeto_mem(_ADDRESS, _MONITOR, _ALWAYS_AWAKE)
        self._ready = True
        self.fault = None
        return True

    def _register(self, number):
        self._i2c.readfrom_mem_into(_ADDRESS, number, self._one)
        return self._one[0]

    def _bus_failed(self, error):
        self.errors += 1
        self._failed += 1
        if self._failed >= _PATIENCE:
            self._failed = _PATIENCE
            self._ready = False
            self._point = None
            self.fingers = 0
            self.fault = "touch: no answer at 0x%02x (%s)" % (_ADDRESS, error)
        return self._point
