"""The colours of the screens by name. Knows no widget.

Invariant: every pair that widgets put upon each other is told apart: text 4.5:1, graphics 3:1 (tests measure pixels).
A colour of the touch screen is RGB565 with its bytes swapped, because the panel wants the high byte first.
"""

NAMES = (
    "paper", "ink", "quiet", "accent", "accent_ink", "line", "panel", "warn",
    "happy", "glad", "even", "grave", "sad",
)  # fmt: skip
MOODS = NAMES[8:]  # the happiest first, as in the pictures of faces


def rgb(value):
    """0xRRGGBB as the panel's two bytes."""
    red, green, blue = value >> 16, value >> 8 & 255, value & 255
    color = red >> 3 << 11 | green >> 2 << 5 | blue >> 3
    return color >> 8 | (color & 255) << 8


def channels(color):
    """The 5, 6 and 5 bits of a swapped colour."""
    color = color >> 8 | (color & 255) << 8
    return color >> 11, color >> 5 & 63, color & 31


def mixture(paper, ink, part, whole):
    """The swapped colour that is `part` of `whole` ink on paper."""
    color = 0
    for below, above, bits in zip(channels(paper), channels(ink), (5, 6, 5)):
        color = color << bits | (below * (whole - part) + above * part + whole // 2) // whole
    return color >> 8 | (color & 255) << 8


class Theme:
    """Colours as attributes. `pressed` is the theme of a widget under a finger, `base` the one around it."""

    def __init__(self, colors, base=None):
        for name, color in zip(NAMES, colors):
            setattr(self, name, color)
        self.base = base or self
        self.pressed = None


def _pair(one, other):
    """Two themes; what is pressed in one has the colours of the other."""
    themes = Theme(one), Theme(other)
    themes[0].pressed = Theme(other, themes[0])
    themes[1].pressed = Theme(one, themes[1])
    return themes


_LIGHT, _DARK = _pair(
    [rgb(value) for value in (
        0xFFFFFF, 0x16202C, 0x515C68, 0x0B559F, 0xFFFFFF, 0x76828E, 0xEDF2F7, 0xB3261E,
        0x1A7F3C, 0x4F7F16, 0x8A6A00, 0xB85400, 0xB3261E,
    )],
    [rgb(value) for value in (
        0x000000, 0xFFFFFF, 0xD0D8E0, 0xFFD400, 0x000000, 0x93A1AE, 0x1B232B, 0xFF9A90,
        0x5CE08A, 0xB4E04A, 0xFFDC5A, 0xFFAB5A, 0xFF8A80,
    )],
)  # fmt: skip
THEMES = {"light": _LIGHT, "dark": _DARK}  # dark: high contrast
# One bit, 1 is white. All that stands out is black.
PAPER = Theme((1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))
PAPER.pressed = Theme((0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1), PAPER)
