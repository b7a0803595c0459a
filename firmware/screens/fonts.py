"""Reads the fonts and pictures of /assets, whole or piece by piece. Knows no screen and draws nothing.

Invariant: what is handed out is valid until the next piece is asked of the same font or picture; nothing is parsed
twice. tools/build_assets.py writes the files and has their layout.
"""

from kiosk.compat import const

_HEAD = const(14)
_ROW = const(10)  # bytes of a letter in the index
_FIRST = const(32)  # the index begins with all of ASCII, so that most letters are found by counting
_ASCII = const(95)
_BOX = const(0x25A1)  # stands for a letter that the font has not
_SOFT_HYPHEN = "\xad"

# Frames of the picture `icons`, and of the e-paper's `psigns`.
ICONS = {
    name: index
    for index, name in enumerate(
        (
            "globe", "contrast", "large", "low", "back", "skip", "next", "check", "phone", "pencil", "child", "people",
            "backspace", "shift", "close", "hand", "cloud", "brush",
        )
    )
}  # fmt: skip
CORNER = ("link", "server", "clock", "waiting", "update", "fault")  # frames of `corner`, `pcorner`
SIGNS = {"hand": 0, "cloud": 1, "brush": 2}
_PICTURES = {"touch": ("face84", "face60", "icons", "corner"), "paper": ("pface48", "psigns", "pcorner")}


class Font:
    """One size of the typeface. loaded: keep all pixels in memory; else `glyph` reads each from the file.

    `.height`: from line to line; `.ascent`: from a line's upper edge to the baseline; `.bits` a pixel: 4 is framebuf's
    GS4_HMSB, 1 its MONO_HLSB. Raises ValueError for a file that is no font.
    """

    def __init__(self, path, loaded):
        self.loaded = loaded
        file = open(path, "rb")
        head = file.read(_HEAD)
        if head[:4] != b"HyF1":
            file.close()
            raise ValueError("font %s: not written by tools/build_assets.py" % path)
        self.bits = head[4]
        self.height = head[5]
        self.ascent = head[6]
        self._count = head[8] | head[9] << 8
        self._index = bytearray(self._count * _ROW)
        file.readinto(self._index)
        at = 10 if loaded else 12  # all pixels, or those of the largest letter
        self._pixels = memoryview(bytearray(head[at] | head[at + 1] << 8))
        self._file = file
        self._glyph = [self._pixels, 0, 0, 0, 0, 0, 0]
        self._box = self._find(_BOX)
        if loaded:
            file.readinto(self._pixels)
            self.close()

    def close(self):
        """Let the file go."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def has(self, letter):
        return self._find(ord(letter)) >= 0

    def letters(self):
        """All letters, as one text."""
        index = self._index
        return "".join([chr(index[at] | index[at + 1] << 8) for at in range(0, len(index), _ROW)])

    def width(self, text):
        """How far the pen moves, in pixels."""
        index = self._index
        total = 0
        for letter in text:
            at = (ord(letter) - _FIRST) * _ROW
            if not 0 <= at < _ASCII * _ROW:
                at = self._find(ord(letter))
                if at < 0:
                    at = self._box
            total += index[at + 8]
        return total

    def glyph(self, letter):
        """`[pixels, width, height, stride, left, top, advance]`, all in pixels but the first: a memoryview of rows of
        `stride` pixels. left, top: from the pen and the line's upper edge to the box. The list is the font's own and is
        filled anew by the next call. A blank (width 0) has no pixels to draw."""
        index = self._index
        at = self._find(ord(letter))
        if at < 0:
            at = self._box
        width = index[at + 4]
        height = index[at + 5]
        per_byte = 8 // self.bits
        row = (width + per_byte - 1) // per_byte
        start = index[at + 2] | index[at + 3] << 8
        size = row * height
        if self._file is None:
            pixels = self._pixels[start : start + size]
        else:
            pixels = self._pixels[:size]
            self._file.seek(_HEAD + self._count * _ROW + start)
            self._file.readinto(pixels)
        left = index[at + 6]
        glyph = self._glyph
        glyph[0] = pixels
        glyph[1] = width
        glyph[2] = height
        glyph[3] = row * per_byte
        glyph[4] = left - 256 if left > 127 else left
        glyph[5] = index[at + 7]
        glyph[6] = index[at + 8]
        return glyph

    def _find(self, code):
        """Where the letter's row begins in the index, or -1."""
        low = code - _FIRST
        if 0 <= low < _ASCII:
            return low * _ROW
        index = self._index
        low = _ASCII
        high = self._count
        while low < high:
            middle = (low + high) >> 1
            at = middle * _ROW
            found = index[at] | index[at + 1] << 8
            if found == code:
                return at
            if found < code:
                low = middle + 1
            else:
                high = middle
        return -1


class Picture:
    """Frames of one size. `.w`, `.h` in pixels, `.count` frames, `.bits` a pixel as in Font."""

    def __init__(self, path, loaded):
        file = open(path, "rb")
        head = file.read(8)
        if head[:4] != b"HyP1":
            file.close()
            raise ValueError("picture %s: not written by tools/build_assets.py" % path)
        self.bits, self.w, self.h, self.count = head[4], head[5], head[6], head[7]
        per_byte = 8 // self.bits
        row = (self.w + per_byte - 1) // per_byte
        self._stride = row * per_byte
        self._size = row * self.h
        self._pixels = memoryview(bytearray(self._size * (self.count if loaded else 1)))
        self._file = file
        if loaded:
            file.readinto(self._pixels)
            self.close()

    def close(self):
        """Let the file go."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def frame(self, index):
        """`(pixels, width, height, stride)`; raises IndexError when there is no such frame."""
        if not 0 <= index < self.count:
            raise IndexError("picture: no frame %d, there are %d" % (index, self.count))
        start = index * self._size
        if self._file is None:
            pixels = self._pixels[start : start + self._size]
        else:
            pixels = self._pixels
            self._file.seek(8 + start)
            self._file.readinto(pixels)
        return pixels, self.w, self.h, self._stride


def load(folder, names, loaded=True):
    """`{name: Font}` of the files in `folder`."""
    return {name: Font("%s/%s.font.bin" % (folder, name), loaded) for name in names}


def pictures(folder, screen, loaded=True):
    """`{name: Picture}` of what a screen ("touch" or "paper") shows."""
    return {name: Picture("%s/%s.picture.bin" % (folder, name), loaded) for name in _PICTURES[screen]}


def missing(text, letters):
    """The first letter of `text` that is not in `letters` (a text or set), or None."""
    for letter in text:
        if letter not in letters:
            return letter
    return None
