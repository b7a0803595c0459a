"""Draws onto one band of a screen: fills, rounded panels, text, pictures, QR. Knows no widget and no display.

Coordinates are always the screen's; what lies outside the band is left out. Colours are numbers of the canvas' format.
Invariant: what a call draws does not depend on how the screen is cut into bands.
"""

from kiosk.compat import const

from screens.raster import GS4_HMSB, MONO_HLSB, RGB565, FrameBuffer

BAND_LINES = const(20)  # of a touchscreen: 480 pixels take 19 KiB, and 4 ms to send at 40 MHz
_MOST_GLYPHS = const(128)  # kept of loaded fonts: a page's letters in three sizes; then the table begins anew


class Canvas:
    """`Canvas(width, band_lines, format)`: one buffer, for `band_lines` lines of the full width or more of less."""

    def __init__(self, width, band_lines, format):
        self.format = format
        self.mono = format == MONO_HLSB
        self.buffer = bytearray(self.row_bytes(width) * band_lines)
        self._view = memoryview(self.buffer)
        self._frame = None
        self._x = self._y = self._height = 0
        self._palettes = {}  # paper: {ink: palette}
        self._discs = {}  # radius: pixels
        self._glyphs = {}  # font: {letter: its blit and place}
        self._kept = 0

    def row_bytes(self, width):
        """Bytes of a row of `width` pixels."""
        return (width + 7) // 8 if self.mono else 2 * width

    def lines(self, width):
        """How many lines of `width` pixels a band can have."""
        return len(self.buffer) // self.row_bytes(width)

    def begin(self, x, y, width, height):
        """From now on the band is this rectangle of the screen; gives its bytes."""
        self._frame = FrameBuffer(self.buffer, width, height, self.format)
        self._x, self._y, self._height = x, y, height
        return self._view[: self.row_bytes(width) * height]

    def fill(self, color):
        """The whole band."""
        self._frame.fill(color)

    def rect(self, x, y, width, height, color):
        """A filled rectangle."""
        self._frame.fill_rect(x - self._x, y - self._y, width, height, color)

    def round(self, x, y, width, height, radius, color, ground):
        """A filled rectangle with round corners, smooth upon a ground of colour `ground`. The radius is made even."""
        radius = min(radius, width // 2, height // 2) & ~1
        if radius < 2:
            self.rect(x, y, width, height, color)
            return
        if not self.meets(y, height):
            return
        disc = self._disc(radius)
        self.rect(x, y + radius, width, height - 2 * radius, color)
        if self.mono:
            for row in range(radius):
                inset = disc[row]
                self.rect(x + inset, y + row, width - 2 * inset, 1, color)
                self.rect(x + inset, y + height - 1 - row, width - 2 * inset, 1, color)
            return
        bottom = y + height - radius
        if self.meets(y, radius):
            self._end(x, y, width, radius, color, ground, disc[0], disc[1])
        if self.meets(bottom, radius):
            self._end(x, bottom, width, radius, color, ground, disc[2], disc[3])

    def text(self, x, y, text, font, ink, paper):
        """One line with its top at `y`, upon a ground of colour `paper`; gives where the pen ends."""
        if not self.meets(y, font.height):
            return x + font.width(text)
        blit, palette = self._frame.blit, self._palette(ink, paper)
        kept = self._kept_of(font)
        pen, top = x - self._x, y - self._y
        for letter in text:
            glyph = kept.get(letter) if kept is not None else None
            if glyph is None:
                glyph = self._glyph(font, letter, kept)
            source, left, down, advance = glyph
            if source is not None:
                blit(source, pen + left, top + down, paper, palette)
            pen += advance
        return pen + self._x

    def picture(self, x, y, picture, index, ink, paper):
        """A frame of a picture in shades of `ink` upon a ground of colour `paper`."""
        if self.meets(y, picture.h):
            pixels, width, height, stride = picture.frame(index)
            source = (pixels, width, height, MONO_HLSB if self.mono else GS4_HMSB, stride)
            self._frame.blit(source, x - self._x, y - self._y, paper, self._palette(ink, paper))

    def qr(self, x, y, cell, rows, color):
        """The dark cells of a QR code: a whole number a row, its leftmost cell in bit len(rows) - 1."""
        size = len(rows)
        for row, bits in enumerate(rows):
            top = y + row * cell
            if not bits or not self.meets(top, cell):
                continue
            first = -1
            for column in range(size + 1):
                dark = column < size and bits >> (size - 1 - column) & 1
                if dark and first < 0:
                    first = column
                elif not dark and first >= 0:
                    self.rect(x + first * cell, top, (column - first) * cell, cell, color)
                    first = -1

    def meets(self, y, height):
        """Whether lines of the screen from `y` are in the band."""
        return y < self._y + self._height and self._y < y + height

    def _end(self, x, y, width, radius, color, ground, left, right):
        """The upper or lower end of a rounded rectangle: two corners with what is between them."""
        self.rect(x + radius, y, width - 2 * radius, radius, color)
        palette = self._palette(color, ground)
        x, y = x - self._x, y - self._y
        self._frame.blit(left, x, y, ground, palette)
        self._frame.blit(right, x + width - radius, y, ground, palette)

    def _kept_of(self, font):
        """The table of a font. None of one that is not loaded: it reads each glyph into one and the same place."""
        if self.mono or not font.loaded:
            return None
        if self._kept >= _MOST_GLYPHS:
            self._glyphs.clear()
            self._kept = 0
        kept = self._glyphs.get(font)
        if kept is None:
            kept = self._glyphs[font] = {}
        return kept

    def _glyph(self, font, letter, kept):
        pixels, width, height, stride, left, top, advance = font.glyph(letter)
        source = None
        if width and height:
            source = (pixels, width, height, MONO_HLSB if self.mono else GS4_HMSB, stride)
        glyph = (source, left, top, advance)
        if kept is not None:
            kept[letter] = glyph
            self._kept += 1
        return glyph

    def _palette(self, ink, paper):
        """A frame buffer one pixel high: what each grey, or each bit, becomes."""
        inks = self._palettes.get(paper)
        if inks is None:
            inks = self._palettes[paper] = {}
        palette = inks.get(ink)
        if palette is None:
            if self.mono:
                palette = FrameBuffer(bytearray(1), 2, 1, MONO_HLSB)
                palette.pixel(0, 0, paper)
                palette.pixel(1, 0, ink)
            else:
                from screens.theme import mixture  # here: e-paper has no colours to mix, and little room

                palette = FrameBuffer(bytearray(32), 16, 1, RGB565)
                for grey in range(16):
                    palette.pixel(grey, 0, mixture(paper, ink, grey, 15))
            inks[ink] = palette
        return palette

    def _disc(self, radius):
        """Made once for a radius. In colour: the quarters of a grey disc. With one bit: how far each row is set in."""
        disc = self._discs.get(radius)
        if disc is None:
            if self.mono:
                disc = insets(radius)
            else:
                pixels = memoryview(grey_disc(radius))
                half, below = radius // 2, radius * radius
                disc = [
                    (pixels[at:], radius, radius, GS4_HMSB, 2 * radius)
                    for at in (0, half, below, below + half)
                ]
            self._discs[radius] = disc
        return disc


def insets(radius):
    """Whole pixels that each row of a rounded corner is set in."""
    edges = _edges(radius)
    return bytes([(edges[8 * row + 3] + edges[8 * row + 4] + 64) // 128 for row in range(radius)])


def grey_disc(radius):
    """A disc as GS4 pixels, 2 x radius square; the grey says how much of a pixel it covers."""
    size = 2 * radius
    disc = bytearray(size * radius)
    frame = FrameBuffer(disc, size, size, GS4_HMSB)
    edges = _edges(radius)
    for row in range(radius):
        for column in range(radius):
            covered = 0
            for edge in edges[8 * row : 8 * row + 8]:
                covered += max(0, min(64, 64 * column + 64 - edge))
            grey = (covered * 15 + 256) // 512
            for x in (column, size - 1 - column):
                frame.pixel(x, row, grey)
                frame.pixel(x, size - 1 - row, grey)
    return disc


def _edges(radius):
    """For the upper left quarter of a disc, eight times a row: where it begins from the left, in 1/64 pixels."""
    whole = 64 * radius
    edges, reach = [], 0
    for row in range(8 * radius):
        up = whole - 8 * row - 4
        while up * up + (reach + 1) * (reach + 1) <= whole * whole:
            reach += 1
        edges.append(whole - reach)
    return edges
