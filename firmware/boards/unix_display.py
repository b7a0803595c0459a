"""The screen of a virtual kiosk: a file of raw pixels beside its flash image. It knows no drawing and no page.

Invariant: the file begins with what a person would see. A touchscreen shows what is written at once; e-paper
keeps it in the controller's memory (the file's second half) until `refresh`.
"""

from kiosk.compat import const, ticks_diff, ticks_ms

# An update is over when nothing was written for so long; one that never rests is told all the same.
_QUIET_MS = const(20)
_LONGEST_MS = const(250)
_COPY_BYTES = const(500)


class Display:
    """As the chip drivers: `width height format`, `write`; for e-paper `refresh`, `sleep` too.

    file: open for reading and writing, or None where nobody looks. paper: 400x300, one bit a pixel
    (MONO_HLSB, 1 = white); else 480x320 RGB565, high byte first.
    """

    def __init__(self, file, paper):
        self.width, self.height = (400, 300) if paper else (480, 320)
        self.format = "mono" if paper else "rgb565"
        self.refreshes = [0, 0]  # partial, full
        self.frames = 0  # updates that are over
        self.written = 0  # bytes, as they would go over the wire
        self._file = file
        self._bits = 1 if paper else 16
        self._size = self.width * self.height * self._bits // 8
        self._first_ms = None  # of the update that is not told yet
        self._last_ms = 0

    def write(self, x, y, w, h, buf):
        """Pixels of a rectangle, row by row without gaps. ValueError when it is not on the screen."""
        if not (0 <= x and 0 < w and x + w <= self.width and 0 <= y and 0 < h and y + h <= self.height):
            raise ValueError("rectangle %r is not on the screen" % ((x, y, w, h),))
        if self._bits == 1 and (x | w) & 7:
            raise ValueError("e-paper takes whole bytes: x %d, w %d" % (x, w))
        row = w * self._bits // 8
        buf = memoryview(buf)
        if len(buf) < row * h:
            raise ValueError("%d bytes for %d" % (len(buf), row * h))
        self.written += row * h
        stride = self.width * self._bits // 8
        at = y * stride + x * self._bits // 8
        if self._bits == 1:
            at += self._size
        else:
            self._changed()
        if self._file is None:
            return
        if row == stride:
            row, h = row * h, 1
        for line in range(h):
            self._file.seek(at + line * stride)
            self._file.write(buf[line * row : (line + 1) * row])

    def refresh(self, full):
        """E-paper: what was written becomes visible, and stays so without power."""
        self.refreshes[bool(full)] += 1
        if self._file is not None:
            part = bytearray(_COPY_BYTES)
            for at in range(0, self._size, _COPY_BYTES):
                self._file.seek(self._size + at)
                self._file.readinto(part)
                self._file.seek(at)
                self._file.write(part)
        self._changed()

    def sleep(self):
        """E-paper: the controller rests; the picture stays and the next write wakes it."""

    def told(self):
        """True once for each update that is over: the host may look."""
        if self._first_ms is None:
            return False
        now_ms = ticks_ms()
        if ticks_diff(now_ms, self._last_ms) < _QUIET_MS and ticks_diff(now_ms, self._first_ms) < _LONGEST_MS:
            return False
        self._first_ms = None
        self.frames += 1
        return True

    def _changed(self):
        self._last_ms = ticks_ms()
        if self._first_ms is None:
            self._first_ms = self._last_ms
