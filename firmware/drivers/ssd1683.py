"""The SSD1683 controller of 400 x 300 e-paper such as GDEY042T81, waveforms from its OTP. Knows no page and no board.

`refresh` begins an update and returns: it takes seconds. `await ready()` waits for its end, and tells what went wrong;
who writes sooner waits with the processor. Invariant: a part of the glass is refreshed by difference only when the
controller is known to hold what the glass shows; otherwise all of it is. A controller that does not answer is counted
and named, and costs the page only.
Commands and flows: Solomon Systech SSD1683 Rev 1.0 (January 2021), chapters 7 and 9; times of the pulses 9.1 and 9.2.
"""

from kiosk.compat import const, ticks_diff

_GATES = const(0x01)
_DEEP_SLEEP = const(0x10)
_DATA_ENTRY = const(0x11)
_SOFT_RESET = const(0x12)
_SENSOR = const(0x18)
_ACTIVATE = const(0x20)
_UPDATE_1 = const(0x21)
_UPDATE_2 = const(0x22)
_NEW = const(0x24)  # RAM of the picture to come
_OLD = const(0x26)  # RAM that a partial update compares it with (the red plane of three-colour glass)
_BORDER = const(0x3C)
_X_RANGE = const(0x44)
_Y_RANGE = const(0x45)
_X = const(0x4E)
_Y = const(0x4F)

# 0x22 as the data sheet lists it, each with clock, analogue, temperature and waveform first and all off at the end:
# its bits have no description, so that no other value is made up. F7: whole waveform (mode 1), FF: short one (mode 2).
_WHOLE = b"\xf7"
_PART = b"\xff"
_OLD_AS_ZERO = b"\x40\x00"
_OLD_AS_IT_IS = b"\x00\x00"
_BORDER_WHITE = b"\x01"
_BORDER_HELD = b"\x80"
_BUILT_IN_SENSOR = b"\x80"
_X_AND_Y_UP = b"\x03"
_KEEP_RAM = b"\x01"

_RESET_MS = const(10)
# Waking takes a few ms, a whole update of this glass about 4 s at room temperature and longer in the cold.
_WAKE_LIMIT_MS = const(200)
_UPDATE_LIMIT_MS = const(15000)
# It is busy at once when it has heard that it is to begin; one that is not there never is.
_BEGIN_MS = const(10)
_POLL_MS = const(20)
# Each update by difference leaves a little of what was there before; the makers ask for a whole one after some.
_PARTS = const(5)


class Ssd1683:
    """One panel.

    spi: with `write`, at most 20 MHz; cs, dc, reset: output pins, called with a level; busy: input pin, called, 1 is
    busy; sleep_ms, ticks_ms: functions; pause(seconds): coroutine; shadow: a bytearray of SHADOW_BYTES, without which
    every update is a whole one.
    errors: how often it did not answer; fault: what is wrong, as a sentence, or None. A page that met a fault is to be
    written again, all of it: without a shadow what was written is lost.
    """

    width = 400
    height = 300
    format = "mono"
    SHADOW_BYTES = 15000

    def __init__(self, spi, cs, dc, reset, busy, sleep_ms, ticks_ms, pause, shadow=None):
        self._spi = spi
        self._cs = cs
        self._dc = dc
        self._reset = reset
        self._busy = busy
        self._sleep_ms = sleep_ms
        self._ticks_ms = ticks_ms
        self._pause = pause
        self._shadow = shadow
        self._number = bytearray(1)
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._four = bytearray(4)
        self._awake = False
        self._since_ms = None  # an update is under way since then
        self._parts_left = 0
        self._lost = False  # it has forgotten what was written
        self._given_up = False  # until the next page: a dead one is asked once a page, not once a band
        self.errors = 0
        self.fault = None
        cs(1)

    def write(self, x, y, w, h, pixels):
        """Rows of whole bytes, 1 = white, leftmost pixel in the high bit; shown by the next `refresh`.

        Raises ValueError when the rectangle leaves the screen, is not cut at bytes, or the buffer is too short.
        """
        if x < 0 or y < 0 or w < 1 or h < 1 or x + w > self.width or y + h > self.height:
            raise ValueError("display: no rectangle %d, %d, %d x %d on it" % (x, y, w, h))
        if (x | w) & 7:
            raise ValueError("display: takes whole bytes, not x %d, w %d" % (x, w))
        size = (w >> 3) * h
        if len(pixels) < size:
            raise ValueError("display: %d bytes given for %d x %d pixels" % (len(pixels), w, h))
        pixels = memoryview(pixels)[:size]
        there = self._begin()  # first: an update that ends here copies the shadow as it was
        if self._shadow is not None:
            self._remember(x >> 3, y, w >> 3, h, pixels)
        if there:
            self._put(_NEW, x, y, w, h, pixels)

    def refresh(self, full):
        """Begin to show what was written; a partial update becomes a whole one whenever it has to."""
        if not self._begin():
            self._given_up = False
            return
        if self._parts_left == 0:
            full = True
        self._command(_BORDER, _BORDER_WHITE if full else _BORDER_HELD)
        self._command(_UPDATE_1, _OLD_AS_ZERO if full else _OLD_AS_IT_IS)
        self._command(_UPDATE_2, _WHOLE if full else _PART)
        self._command(_ACTIVATE)
        self._sleep_ms(_BEGIN_MS)
        if not self._busy():
            self._no_answer("not busy after an update was begun")
            return
        if full:
            self._parts_left = _PARTS if self._shadow is not None else 0
        else:
            self._parts_left -= 1
        self._since_ms = self._ticks_ms()

    async def ready(self):
        """Returns when the update is over; OSError when the page is not on the glass."""
        while self._updating():
            await self._pause(_POLL_MS / 1000)
        if self.fault is not None:
            raise OSError(self.fault)

    def sleep(self):
        """Deep sleep that keeps the RAM; the glass keeps its picture anyway. The next `write` or `refresh` wakes it.

        While an update is under way it stays awake: nobody who is stopped in the middle of one waits for it.
        """
        if not self._updating() and self._awake:
            self._command(_DEEP_SLEEP, _KEEP_RAM)
            self._awake = False

    def _begin(self):
        """Whether the controller is there, awake and idle."""
        while self._updating():
            self._sleep_ms(_POLL_MS)
        if not self._awake and not self._given_up:
            self._given_up = not self._wake()
        return self._awake

    def _updating(self):
        """Whether an update is under way still; what its end brings with it is done here."""
        if self._since_ms is None:
            return False
        if self._busy():
            if ticks_diff(self._ticks_ms(), self._since_ms) < _UPDATE_LIMIT_MS:
                return True
            self._no_answer("busy for %d ms in an update" % _UPDATE_LIMIT_MS)
        elif self._shadow is not None:
            self._put(_OLD, 0, 0, self.width, self.height, self._shadow)
        self._since_ms = None
        return False

    def _wake(self):
        """Only the reset pin ends deep sleep."""
        self._reset(0)
        self._sleep_ms(_RESET_MS)
        self._reset(1)
        self._sleep_ms(_RESET_MS)
        if not self._idle():
            return False
        self._command(_SOFT_RESET)
        self._sleep_ms(_RESET_MS)
        if not self._idle():
            return False
        self._command(_GATES, bytes(((self.height - 1) & 0xFF, (self.height - 1) >> 8, 0)))
        self._command(_SENSOR, _BUILT_IN_SENSOR)
        self._command(_DATA_ENTRY, _X_AND_Y_UP)
        self._awake = True
        self.fault = None
        if self._lost and self._shadow is not None:
            self._put(_NEW, 0, 0, self.width, self.height, self._shadow)
        self._lost = False
        return True

    def _idle(self):
        waited_ms = 0
        while self._busy():
            if waited_ms >= _WAKE_LIMIT_MS:
                self._no_answer("busy for %d ms after a reset" % _WAKE_LIMIT_MS)
                return False
            self._sleep_ms(_POLL_MS)
            waited_ms += _POLL_MS
        return True

    def _no_answer(self, what):
        """It may have lost its power, and with it the RAM: nothing that it holds is known any more."""
        self.errors += 1
        self.fault = "display: " + what
        self._awake = False
        self._parts_left = 0
        self._lost = True

    def _remember(self, column, y, bytes_a_row, h, pixels):
        stride = self.width >> 3
        for row in range(h):
            at = (y + row) * stride + column
            self._shadow[at : at + bytes_a_row] = pixels[row * bytes_a_row : (row + 1) * bytes_a_row]

    def _put(self, ram, x, y, w, h, pixels):
        one, two, four = self._one, self._two, self._four
        two[0], two[1] = x >> 3, (x + w - 1) >> 3
        self._command(_X_RANGE, two)
        last = y + h - 1
        four[0], four[1], four[2], four[3] = y & 0xFF, y >> 8, last & 0xFF, last >> 8
        self._command(_Y_RANGE, four)
        one[0] = x >> 3
        self._command(_X, one)
        two[0], two[1] = y & 0xFF, y >> 8
        self._command(_Y, two)
        self._command(ram, pixels)

    def _command(self, command, arguments=None):
        self._number[0] = command
        self._dc(0)
        self._cs(0)
        self._spi.write(self._number)
        if arguments:
            self._dc(1)
            self._spi.write(arguments)
        self._cs(1)
