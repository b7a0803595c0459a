"""Text stands out by 4.5:1, what is drawn by 3:1 (WCAG 2.1: 1.4.3, 1.4.11), measured on every screen's pixels."""

from collections import Counter
from typing import Any

import pytest
from screens import widgets

from fleet_server.screens import drawing
from tests.screens.pictures import Pixels, drawn
from tests.screens.scenes import Screen, screens

TEXT, GRAPHICS = 4.5, 3.0
_INSIDE = 6  # of a button: beyond its border and round corners


def luminance(color: bytes) -> float:
    """Relative luminance of WCAG 2.1."""
    parts = [channel / 255 for channel in color]
    red, green, blue = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: bytes, other: bytes) -> float:
    """1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colors(rows: Pixels, rect: tuple[int, ...]) -> Counter[bytes]:
    """How often each colour stands in a rectangle."""
    x, y, width, height = rect
    found: Counter[bytes] = Counter()
    for row in rows[y : y + height]:
        found.update(row[3 * at : 3 * at + 3] for at in range(x, x + width))
    return found


def strongest(rows: Pixels, rect: tuple[int, ...]) -> float:
    """The contrast of what is written in a rectangle with its ground: the most frequent colour."""
    found = colors(rows, rect)
    ground = found.most_common(1)[0][0]
    return max(contrast(ground, color) for color in found)


def measured(rows: Pixels, widget: Any) -> list[tuple[float, float]]:
    """(contrast, least) of each thing that a widget has to tell."""
    x, y, width, height = widget.rect
    inside = (x + _INSIDE, y + _INSIDE, width - 2 * _INSIDE, height - 2 * _INSIDE)
    found = []
    if isinstance(widget, widgets.Button):
        found.append((strongest(rows, inside), TEXT if widget.text else GRAPHICS))
        edge = widget.mark[4]
        if edge:
            middle = rows[y + height // 2]
            beside = 3 * (x - 1) if x else 3 * (x + width)
            found.append((contrast(middle[3 * x : 3 * x + 3], middle[beside : beside + 3]), GRAPHICS))
    elif isinstance(widget, widgets.Face):
        (one, _), (other, _) = colors(rows, inside).most_common(2)
        found.append((contrast(one, other), GRAPHICS))
    elif isinstance(widget, widgets.Countdown | widgets.Label) and widget.text:
        found.append((strongest(rows, widget.rect), TEXT))
    elif isinstance(widget, widgets.Dots | widgets.Qr):
        found.append((strongest(rows, widget.rect), GRAPHICS))
    return found


@pytest.mark.parametrize("modes", [(), ("contrast",)], ids=["light", "contrast"])
@pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)
def test_all_that_is_told_stands_out(screen: Screen, modes: tuple[str, ...]) -> None:
    page = drawing.page(screen.scene, screen.view, 0, modes)
    rows = drawn(page)
    for widget in page.widgets:
        for ratio, least in measured(rows, widget):
            assert ratio >= least, f"{type(widget).__name__} {widget.text!r} {widget.role}: {ratio:.2f}:1"


def test_the_measure_knows_the_extremes() -> None:
    assert contrast(b"\0\0\0", b"\xff\xff\xff") == pytest.approx(21)
    assert contrast(b"\x76\x76\x76", b"\xff\xff\xff") == pytest.approx(4.54, abs=0.01)
    assert contrast(b"\x80\x80\x80", b"\x80\x80\x80") == 1
