"""Pages of every widget for the tests of the drawing core, on both interpreters."""

from kiosk.compat import crc32
from screens import fonts as reader
from screens import raster, theme
from screens.canvas import Canvas
from screens.page import Page
from screens.widgets import Button, Cell, Countdown, Dots, Face, Icon, Key, Label, Panel, Qr

WIDTH, HEIGHT, BAND_LINES = 480, 320, 40
QR_ROWS = [0x1FC7F ^ (row * 0x4A35) & 0x1FFFF for row in range(17)]


class Screen:
    """A display in memory; every write has to lie upon it."""

    def __init__(self, width=WIDTH, height=HEIGHT, mono=False):
        self.width, self.height = width, height
        self.format = "mono" if mono else "rgb565"
        self._bits = 1 if mono else 16
        self._row = width * self._bits // 8
        self.pixels = bytearray(self._row * height)

    def write(self, x, y, width, height, band):
        assert 0 <= x < x + width <= self.width, (x, width)
        assert 0 <= y < y + height <= self.height, (y, height)
        left, row = x * self._bits // 8, width * self._bits // 8
        assert left * 8 == x * self._bits, "whole bytes"
        assert row * 8 == width * self._bits, "whole bytes"
        assert len(band) == row * height
        for number in range(height):
            start = (y + number) * self._row + left
            self.pixels[start : start + row] = band[number * row : (number + 1) * row]


class Wire:
    """A display that keeps a sum of all that it was sent: a small heap has no room for the picture."""

    def __init__(self, mono):
        self.width, self.height = (400, 300) if mono else (WIDTH, HEIGHT)
        self.format = "mono" if mono else "rgb565"
        self.crc = 0
        self.deaf = False

    def write(self, x, y, width, height, band):
        if not self.deaf:
            self.crc = crc32(band, crc32(f"{x} {y} {width} {height}".encode(), self.crc))


class Kit:
    """Fonts and pictures of one kind of screen, loaded."""

    def __init__(self, assets, mono=False):
        names = ("p20", "p30", "p44") if mono else ("s", "m", "l")
        found = reader.load(assets, names)
        self.small, self.middle, self.large = [found[name] for name in names]
        pictures = reader.pictures(assets, "paper" if mono else "touch")
        self.face = pictures["pface48" if mono else "face60"]
        self.icons = pictures["pface48" if mono else "icons"]
        self.mono = mono

    def theme(self, name):
        return theme.PAPER if self.mono else theme.THEMES[name]

    def canvas(self, lines=BAND_LINES):
        return Canvas(400 if self.mono else WIDTH, lines, raster.MONO_HLSB if self.mono else raster.RGB565)

    def screen(self):
        return Screen(400, 300, True) if self.mono else Screen()


def scale(kit, name="light", chosen=None, left=20):
    """A question in five faces with all that is around it."""
    words = ("Erinomainen", "Hyvä", "Ei hyvä eikä huono", "Huono", "Surkea")
    width = 76
    widgets = [
        Label(
            (8, 48, 384, 70), "Kuinka tyytyväinen olit tänään saamaasi palveluun?", [kit.middle, kit.small]
        ),
        Dots((120, 8, 160, 20), 2, 4),
        Icon((4, 0, 62, 56), (kit.icons, 0), ("menu",)),
        Icon((330, 0, 62, 56), (kit.icons, 1), ("mode", "contrast")),
        Button(
            (300, 262, 96, 36), "Ohita", [kit.small], ("skip",), color="accent", ink="accent_ink", edge=None
        ),
        Countdown((8, 262, 160, 36), f"{left} s", [kit.small], left, 20),
    ]
    for index, text in enumerate(words):
        widgets.append(
            Face(
                (4 + index * 79, 124, width, 132),
                kit.face,
                index,
                text,
                [kit.small],
                ("answer", index),
                index == chosen,
            )
        )
    return Page(widgets, kit.theme(name))


def numbers(kit, name="light", chosen=None):
    """The 0-10 scale, keys, a notice and a QR code."""
    widgets = [Label((8, 4, 384, 50), "Suosittelisitko?", [kit.large, kit.middle])]
    for number in range(11):
        widgets.append(
            Cell((4 + number % 6 * 66, 58 + number // 6 * 54, 60, 48), str(number), [kit.middle],
                 ("answer", number), chosen=number == chosen)
        )  # fmt: skip
    for index, letter in enumerate("qwertåäöŋ"):
        widgets.append(Key((4 + index * 30, 166, 28, 40), letter, [kit.small], ("key", letter)))
    widgets.append(Panel((4, 214, 250, 84), edge="line"))
    widgets.append(Label((12, 218, 234, 76), "Älä kirjoita nimiä.", [kit.small], "quiet", "panel", -1, -1))
    widgets.append(Button((262, 214, 60, 84), "", None, ("back",), icon=(kit.icons, 1)))
    widgets.append(Qr((326, 214, 76, 84), QR_ROWS))
    return Page(widgets, kit.theme(name))


def pages(kit):
    """Different pages, to be shown in any order."""
    found = []
    for name in ("light", "dark"):
        found += [
            scale(kit, name),
            scale(kit, name, 1),
            scale(kit, name, 4, 7),
            numbers(kit, name),
            numbers(kit, name, 7),
        ]
        found.append(Page(numbers(kit, name).widgets[::-1], kit.theme(name)))
        found.append(Page([], kit.theme(name)))
    return found


def story(kit, painter):
    """Pages one after the other, with a finger on each widget that takes one."""
    for make, name, chosen in (
        (scale, "light", None), (scale, "light", 1), (numbers, "light", 7), (scale, "dark", 4), (numbers, "dark", None),
    ):  # fmt: skip
        page = make(kit, name, chosen)
        painter.show(page)
        for widget in page.widgets:
            if widget.action is not None:
                painter.press(widget)
        painter.press(None)
