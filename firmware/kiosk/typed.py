"""What a visitor types: a text of at most 1 000 bytes, edited at its end, never cut within a letter.

Knows no page and no question. Invariant: the bytes held are valid UTF-8; `clear` leaves none of them in memory.
"""

from kiosk.compat import const
from kiosk.record import MAX_BODY_BYTES

_ENDS = b".!?"
LAYERS = const(3)  # letters, Sámi letters, digits and signs


class Typed:
    """`.used`: bytes written. `.caps`, `.layer`: which keys are shown; a sentence begins with a capital by itself."""

    def __init__(self):
        self._buf = bytearray(MAX_BODY_BYTES)
        self.used = 0
        self.clear()

    @property
    def text(self):
        return str(memoryview(self._buf)[: self.used], "utf-8")

    def body(self):
        """The text as a record carries it, without blanks around it: b"" when nothing was written."""
        return bytes(self._buf[: self.used]).strip()

    def clear(self):
        for i in range(self.used):
            self._buf[i] = 0
        self.used = 0
        self.layer = 0
        self.caps = True

    def add(self, letters):
        """Append what a key stands for; False, and nothing is changed, when there is no room for all of it."""
        data = letters.encode()
        end = self.used + len(data)
        if not data or end > MAX_BODY_BYTES:
            return False
        self._buf[self.used : end] = data
        self.used = end  # what takes memory comes before, so that want of it changes nothing
        self._shift()
        return True

    def rub(self):
        """Take the last letter away, if there is one."""
        at = self.used
        while at:
            at -= 1
            byte = self._buf[at]
            self._buf[at] = 0
            if byte & 0xC0 != 0x80:
                break
        self.used = at
        self._shift()

    def _shift(self):
        """Capitals at the beginning and after the end of a sentence."""
        used, buf = self.used, self._buf
        self.caps = used == 0 or (used > 1 and buf[used - 1] == 0x20 and buf[used - 2] in _ENDS)
