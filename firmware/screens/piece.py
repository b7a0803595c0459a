"""What a page on e-paper is made of. Knows no layout, so that the code of the layout can go before anything is drawn.

For Page, and for one drawing by Painter, each piece is a widget without an action.
"""


class PAPER:
    """The theme of one-bit paper: 1 is white."""

    paper = 1
    ink = 0


def fits(font, lines, width):
    return all(font.width(line) <= width for line in lines)


class _Piece:
    action = None
    role = text = ""
    fits = True

    def __init__(self, rect):
        self.rect = rect


class Rule(_Piece):
    def draw(self, canvas, theme):
        x, y, width, height = self.rect
        canvas.rect(x, y, width, height, theme.ink)


class Picture(_Piece):
    def __init__(self, x, y, picture, index):
        super().__init__((x, y, picture.w, picture.h))
        self._picture = picture
        self._index = index

    def draw(self, canvas, theme):
        x, y, _, _ = self.rect
        canvas.picture(x, y, self._picture, self._index, theme.ink, theme.paper)


class Text(_Piece):
    """Lines of one font; align: -1 left, 0 middle, 1 right."""

    def __init__(self, rect, role, text, font, lines, align):
        super().__init__(rect)
        self.role = role
        self.text = text
        self.fits = len(lines) * font.height <= rect[3] and fits(font, lines, rect[2])
        self._font = font
        self._lines = lines
        self._align = align

    def set_in(self):
        """(font, lines, align, rise) for screens/corner.py."""
        return self._font, self._lines, self._align, -1

    def draw(self, canvas, theme):
        x, y, width, height = self.rect
        font = self._font
        for line in self._lines[: height // font.height]:
            left = x + (width - font.width(line)) * (self._align + 1) // 2
            canvas.text(left, y, line, font, theme.ink, theme.paper)
            y += font.height
