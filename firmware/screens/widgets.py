"""What a page is made of: labels, buttons, faces and the rest. Each knows how it looks, none what it does.

Invariant: a widget draws within its rectangle, and what it draws follows from its class, rectangle, mark and theme
alone: the painter leaves out what is the same as before.
"""

from kiosk.compat import const

from screens.fit import best
from screens.theme import MOODS

_RADIUS = const(10)
_PADDING = const(6)
_GAP = const(6)  # between an icon and its text
_EDGE = const(2)
_CHOSEN_EDGE = const(4)
_QUIET_CELLS = const(8)  # around a QR code: four on each side
_LEAST_CELL = const(3)  # pixels: 0.5 mm, what a phone reads from an arm's length


class Widget:
    """`rect`: (x, y, width, height) that it draws. `area`: what takes a touch, `rect` unless it is more.

    `action`: what a touch means, None for nothing. `role`: its name in a report of what did not fit.
    `mark`: a tuple of all that it shows.
    """

    # A keyboard is forty widgets: what most have stands here once, and not in each.
    action = None
    role = ""
    text = ""
    font = None
    lines = ()
    icon = None
    fits = True

    def __init__(self, rect, action=None, role="", area=None, mark=None):
        self.rect = rect
        self.area = area or rect
        self.mark = mark
        if action is not None:
            self.action = action
        if role:
            self.role = role

    def same(self, other):
        """Looks the same as `other`."""
        return self.rect == other.rect and self.mark == other.mark and type(self) is type(other)

    def draw(self, canvas, theme):
        """Nothing to see: a place to touch."""


class Panel(Widget):
    """A rounded plate; `edge` names the colour of its border."""

    def __init__(self, rect, color="panel", on="paper", edge=None, radius=_RADIUS):
        super().__init__(rect)
        self.mark = (color, on, edge, radius)

    def draw(self, canvas, theme):
        color, on, edge, radius = self.mark
        _plate(canvas, theme, self.rect, color, on, edge, _EDGE, radius)


class Label(Widget):
    """A text in the largest of `fonts` that fits. `align`, `rise`: -1 left or top, 0 middle, 1 right or bottom."""

    def __init__(self, rect, text, fonts, ink="ink", on="paper", align=0, rise=0, role=""):
        super().__init__(rect, None, role)
        self.text = text
        font, self.lines, self.fits = best(text, fonts, rect[2], rect[3])
        self.font = font
        self.mark = (text, ink, on, align, rise, font.height)

    def draw(self, canvas, theme):
        _, ink, on, align, rise, _ = self.mark
        _write(canvas, theme, self.rect, self.font, self.lines, ink, on, align, rise)


class Button(Widget):
    """A plate with a text, an icon, or the icon before the text. `chosen`: this one was taken.

    `icon`: (picture, index). `color` and `ink` name its colours, `edge` that of its border or None.
    """

    def __init__(
        self, rect, text, fonts, action=None, color="panel", ink="ink", edge="line", icon=None, chosen=False,
        radius=_RADIUS, on="paper", role="", area=None,
    ):  # fmt: skip
        super().__init__(rect, action, role, area)
        if chosen:
            color, ink, edge = "accent", "accent_ink", "accent"
        _, _, width, height = _inside(rect)
        if icon and not _room(icon[0], width, height):
            self.fits = False
            icon = None
        if icon:
            self.icon = icon
            width -= icon[0].w + _GAP
        if text:
            self.text = text
            self.font, self.lines, fits = best(text, fonts, width, height)
            if not fits:
                self.fits = False
        self.mark = (
            text, self.font and self.font.height, color, ink, edge, icon and icon[1], icon and icon[0].w, radius, on,
        )  # fmt: skip

    def draw(self, canvas, theme):
        _, _, color, ink, edge, _, _, radius, on = self.mark
        _plate(canvas, theme, self.rect, color, on, edge, _EDGE, radius)
        x, y, width, height = _inside(self.rect)
        if self.icon:
            picture, index = self.icon
            left = x
            if self.lines:
                words = max([self.font.width(line) for line in self.lines])
                left += (width - picture.w - _GAP - words) // 2
                width = words
                x = left + picture.w + _GAP
            else:
                left += (width - picture.w) // 2
            top = y + (height - picture.h) // 2
            canvas.picture(left, top, picture, index, getattr(theme, ink), getattr(theme, color))
        if self.lines:
            _write(canvas, theme, (x, y, width, height), self.font, self.lines, ink, color, 0, 0)


class Icon(Button):
    """A picture to touch, upon the page itself unless it is chosen or pressed."""

    def __init__(
        self, rect, icon, action=None, color="paper", ink="ink", edge=None, chosen=False, role="", area=None
    ):
        super().__init__(rect, "", None, action, color, ink, edge, icon, chosen, role=role, area=area)


class Cell(Button):
    """A number of the 0-10 scale."""


class Key(Button):
    """A key of the keyboard."""

    def __init__(
        self, rect, text, fonts, action, color="panel", ink="ink", icon=None, chosen=False, area=None
    ):
        super().__init__(
            rect, text, fonts, action, color, ink, "line", icon, chosen, 6, role="key", area=area
        )


class Face(Widget):
    """A face of `picture` with its words below, or alone in the middle of its plate.

    `mood`: 0 the happiest to 4, the picture's frame and its colour.
    """

    def __init__(self, rect, picture, mood, text, fonts, action=None, chosen=False, role="", area=None):
        super().__init__(rect, action, role, area)
        _, _, width, height = rect
        self._picture = picture
        self._top = (height - picture.h) // 2
        if text:
            self.text = text
            self._top = _PADDING
            room = height - picture.h - 2 * _PADDING
            self.font, self.lines, self.fits = best(text, fonts, width - 2 * _CHOSEN_EDGE, room)
        if self._top < 0 or not _room(picture, width, height - self._top):
            self._picture = None
            self.fits = False
        self.mark = (mood, picture.w, text, self.font and self.font.height, chosen)

    def draw(self, canvas, theme):
        mood, _, _, _, chosen = self.mark
        x, y, width, height = self.rect
        color, edge = ("panel", "accent") if chosen else ("paper", None)
        if chosen or theme is not theme.base:
            _plate(canvas, theme, self.rect, color, "paper", edge, _CHOSEN_EDGE, _RADIUS)
        picture, below = self._picture, _PADDING
        if picture:
            ink, ground = getattr(theme, MOODS[mood]), getattr(theme, color)
            canvas.picture(x + (width - picture.w) // 2, y + self._top, picture, mood, ink, ground)
            below += picture.h
        if self.lines:
            words = (x + _CHOSEN_EDGE, y + below, width - 2 * _CHOSEN_EDGE, height - below - _PADDING)
            _write(canvas, theme, words, self.font, self.lines, "ink", color, 0, -1)


class Dots(Widget):
    """How far one has come: `step` of `steps`, from 1. The present one is longer, so that it is told without colour."""

    def __init__(self, rect, step, steps):
        super().__init__(rect)
        self.mark = (step, steps)

    def draw(self, canvas, theme):
        step, steps = self.mark
        x, y, width, height = self.rect
        size = min(height, width // (2 * steps + 1)) & ~1
        x += (width - size * 2 * steps) // 2
        y += (height - size) // 2
        for number in range(1, steps + 1):
            wide = 2 * size if number == step else size
            color = theme.accent if number <= step else theme.line
            canvas.round(x, y, wide, size, size // 2, color, theme.base.paper)
            x += wide + size


class Qr(Widget):
    """A QR code, dark upon light in every theme: phones want it so. `rows` as Canvas.qr takes them."""

    def __init__(self, rect, rows):
        super().__init__(rect, None, "qr")
        self.text = "%d cells" % len(rows)
        self._cell = min(rect[2], rect[3]) // (len(rows) + _QUIET_CELLS)
        self.fits = self._cell >= _LEAST_CELL
        self.mark = tuple(rows)

    def draw(self, canvas, theme):
        x, y, width, height = self.rect
        light, dark = (1, 0) if canvas.mono else (0xFFFF, 0)
        size = self._cell * len(self.mark)
        canvas.rect(x, y, width, height, light)
        canvas.qr(x + (width - size) // 2, y + (height - size) // 2, self._cell, self.mark, dark)


class Countdown(Widget):
    """Seconds until the visit ends: `text` above a bar that shrinks, `left` of `whole`."""

    def __init__(self, rect, text, fonts, left, whole, role="countdown"):
        super().__init__(rect, None, role)
        self.text = text
        x, y, width, height = rect
        self._words = (x, y, width, height - 8)
        font, self.lines, self.fits = best(text, fonts, width, height - 8)
        self.font = font
        self.mark = (text, font.height, left, whole)

    def draw(self, canvas, theme):
        _, _, left, whole = self.mark
        x, y, width, height = self.rect
        _write(canvas, theme, self._words, self.font, self.lines, "ink", "paper", 0, 0)
        canvas.round(x, y + height - 6, width, 6, 2, theme.line, theme.base.paper)
        canvas.round(x, y + height - 6, max(4, width * left // whole), 6, 2, theme.accent, theme.line)


def _inside(rect):
    """What a plate has for a text or an icon."""
    x, y, width, height = rect
    return x + _PADDING, y + _EDGE, width - 2 * _PADDING, height - 2 * _EDGE


def _room(picture, width, height):
    return picture.w <= width and picture.h <= height


def _plate(canvas, theme, rect, color, on, edge, thick, radius):
    """A rounded plate upon what is around the widget, which a finger upon the widget does not change."""
    x, y, width, height = rect
    ground = getattr(theme.base, on)
    color = getattr(theme, color)
    if edge is not None:
        edge = getattr(theme, edge)
        if edge != color:
            canvas.round(x, y, width, height, radius, edge, ground)
            x, y, width, height = x + thick, y + thick, width - 2 * thick, height - 2 * thick
            ground, radius = edge, radius - thick
    canvas.round(x, y, width, height, radius, color, ground)


def _write(canvas, theme, rect, font, lines, ink, on, align, rise):
    """Lines of text within a rectangle; what has no room, a line or the end of one, is left out."""
    x, y, width, height = rect
    ink, paper = getattr(theme, ink), getattr(theme, on)
    high = font.height
    count = min(len(lines), height // high)
    top = y + (height - count * high) * (rise + 1) // 2
    for index in range(count):
        if canvas.meets(top, high):
            line = lines[index]
            wide = font.width(line)
            while wide > width:
                line = line[:-1]
                wide = font.width(line)
            canvas.text(x + (width - wide) * (align + 1) // 2, top, line, font, ink, paper)
        top += high
