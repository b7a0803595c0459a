"""What is drawn can be told from what it is drawn upon: EN 301 549 (WCAG 2.1) 1.4.3 and 1.4.11, measured on pixels."""

from pathlib import Path
from typing import Any

import pytest
from screens import raster, theme
from screens.canvas import Canvas

from fleet_server.screens import drawing
from provisioning.png import rgb
from tests.firmware.screens import pieces
from tests.screens.scenes import screens

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
TEXT, GRAPHICS = 4.5, 3.0


class Witness(Canvas):
    """A canvas that remembers which colours were put upon which, and by what."""

    def __init__(self) -> None:
        super().__init__(480, 320, raster.RGB565)
        self.pairs: set[tuple[str, str, int, int]] = set()

    def text(self, x: int, y: int, text: str, font: Any, ink: int, paper: int) -> Any:
        if self.meets(y, font.height):
            self.pairs.add(("text", "", ink, paper))
        return super().text(x, y, text, font, ink, paper)

    def picture(self, x: int, y: int, picture: Any, index: int, ink: int, paper: int) -> None:
        self.pairs.add(("picture", f"{picture.w}:{index}", ink, paper))
        super().picture(x, y, picture, index, ink, paper)

    def round(self, x: int, y: int, width: int, height: int, radius: int, color: int, ground: int) -> None:
        self.pairs.add(("plate", "", color, ground))
        super().round(x, y, width, height, radius, color, ground)


def drawn_pairs(name: str) -> set[tuple[str, str, int, int]]:
    """All pairs of a theme, of every screen of the ready sets, at rest, chosen and under a finger."""
    kit = pieces.Kit(ASSETS)
    witness = Witness()
    pages = [page for page in pieces.pages(kit) if page.theme is theme.THEMES[name]]
    mode = ("contrast",) if name == "dark" else ()
    pages += [drawing.page(screen.scene, screen.view, 0, mode) for screen in screens()]
    for page in pages:
        for widget in page.widgets:
            witness.begin(*widget.rect)
            widget.draw(witness, page.theme)
            if widget.action:
                widget.draw(witness, page.theme.pressed)
    return witness.pairs


def luminance(color: bytes) -> float:
    """Relative luminance of a pixel, as WCAG 2.1 defines it."""
    parts = [value / 255 for value in color]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(pixels: bytes) -> float:
    """Between the lightest and the darkest of RGB565 pixels."""
    colors = rgb(pixels)
    all_of_them = sorted({luminance(colors[at : at + 3]) for at in range(0, len(colors), 3)})
    return (all_of_them[-1] + 0.05) / (all_of_them[0] + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_and_graphics_stand_out_in_every_theme_at_rest_chosen_and_pressed(name: str) -> None:
    kit = pieces.Kit(ASSETS)
    pairs = drawn_pairs(name)
    assert {kind for kind, *_ in pairs} == {"text", "picture", "plate"}
    measured = 0
    for kind, what, ink, paper in pairs:
        canvas = Canvas(120, 90, raster.RGB565)
        band = canvas.begin(0, 0, 120, 90)
        canvas.fill(paper)
        if kind == "text":
            canvas.text(10, 10, "Hyvä", kit.small, ink, paper)
            assert contrast(bytes(band)) >= TEXT, (ink, paper)
        elif kind == "picture":
            size, index = what.split(":")
            picture = {picture.w: picture for picture in drawing.pictures("touch").values()}[int(size)]
            canvas.picture(10, 10, picture, int(index), ink, paper)
            assert contrast(bytes(band)) >= GRAPHICS, (what, ink, paper)
        measured += 1
    assert measured > 20


@pytest.mark.parametrize("name", ["light", "dark"])
def test_what_a_finger_does_is_seen(name: str) -> None:
    """A button, a face and a key each change by 3:1 over most of their plate."""
    kit = pieces.Kit(ASSETS)
    for page in (pieces.scale(kit, name), pieces.numbers(kit, name, 7)):
        for widget in page.widgets:
            if widget.action is None:
                continue
            x, y, width, height = widget.rect
            seen = []
            for one in (page.theme, page.theme.pressed):
                canvas = Canvas(width, height, raster.RGB565)
                band = canvas.begin(x, y, width, height)
                canvas.fill(page.theme.paper)
                widget.draw(canvas, one)
                colors = rgb(bytes(band))
                seen.append([luminance(colors[at : at + 3]) for at in range(0, len(colors), 3)])
            changed = [
                (max(pair) + 0.05) / (min(pair) + 0.05) >= GRAPHICS for pair in zip(*seen, strict=True)
            ]
            assert sum(changed) > len(changed) / 3, type(widget).__name__


def test_a_border_stands_out_from_the_page_and_from_the_plate_it_surrounds() -> None:
    for one in theme.THEMES.values():
        for edge in (one.line, one.accent):
            assert contrast(pair(edge, one.paper)) >= GRAPHICS
        assert contrast(pair(one.line, one.panel)) >= GRAPHICS
        assert (
            contrast(pair(one.accent, one.line)) > 1.5
        )  # the bar of the countdown: its length is told by the text too


def test_a_colour_has_the_panels_byte_order_and_white_is_white() -> None:
    assert theme.rgb(0xFF0000).to_bytes(2, "little") == b"\xf8\x00"
    assert rgb(theme.rgb(0xFFFFFF).to_bytes(2, "little")) == b"\xff\xff\xff"
    assert theme.mixture(theme.rgb(0), theme.rgb(0xFFFFFF), 15, 15) == theme.rgb(0xFFFFFF)
    assert theme.mixture(theme.rgb(0x123456), theme.rgb(0xFFFFFF), 0, 15) == theme.rgb(0x123456)


def test_on_paper_everything_is_black_or_white() -> None:
    for one in (theme.PAPER, theme.PAPER.pressed):
        assert {getattr(one, name) for name in theme.NAMES} == {0, 1}
        assert one.ink != one.paper
        assert one.accent != one.accent_ink
        assert one.line != one.panel


def pair(one: int, other: int) -> bytes:
    return one.to_bytes(2, "little") + other.to_bytes(2, "little")
