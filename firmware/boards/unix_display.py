"""The screen of a virtual kiosk: a file of raw pixels beside its flash image. It knows no drawing and no page.

Invariant: the file begins with what a person would see. A touchscreen shows what is written at once; e-paper
keeps it in the controller's memory (the file's second half) until `refresh`.
"""

from kiosk.compat import const, ticks_diff, ticks_ms

# An update is over when nothing was written for so long; one that never rests is told all the same.
_QUIET_MS = const(20)
_LONGEST_MS = const(250)
_COPY_BYTES = const(500)


def plug(board, file=None):
    """Give the board module of a virtual kiosk its screen, and its touch panel when it has no buttons."""
    board.assets = "/assets"
    board.display = Display(board, file, board.faces > 0)
    board.screen = "paper"
    if not board.faces:
        from unix_touch import Touch

        board.screen = "touch"
        board.touch = Touch(board)
        board.tells_targets = True  # simulated patients touch what is told to be there


class Display:
    """As the chip drivers: `width height format`, `write`; for e-paper `refresh`, `sleep` too.

    file: open for reading and writing, or None where nobody looks. paper: 400x300, one bit a pixel
    (MONO_HLSB, 1 = white); else 480x320 RGB565, high byte first.
    """

    def __init__(self, board, file, paper):
        self._board = board
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

    async def ready(self):
        """E-paper: a chip takes seconds for a refresh and is to be waited for; a file does not."""

    def sleep(self):
        """E-paper: the controller rests; the picture stays and the next write wakes it."""

    def tick(self):
        """Tell the host of each update that is over, once: it may look. The touch panel's time goes on, too."""
        if self._board.touch is not None:
            self._board.touch.tick()
        if self._first_ms is None:
            return
        now_ms = ticks_ms()
        if ticks_diff(now_ms, self._last_ms) < _QUIET_MS and ticks_diff(now_ms, self._first_ms) < _LONGEST_MS:
            return
        self._first_ms = None
        self.frames += 1
        self._board._emit({"frame": self.frames, "written": self.written, "refreshes": self.refreshes})

    def _changed(self):
        self._last_ms = ticks_ms()
        if self._first_ms is None:
            self._first_ms = self._last_ms
