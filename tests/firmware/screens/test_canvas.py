"""What the canvas draws is the same however the screen is cut into bands, smooth, and where it was asked for."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screens import raster
from screens.canvas import Canvas, grey_disc, insets

from tests.firmware.screens import pieces

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
KITS = {mono: pieces.Kit(ASSETS, mono) for mono in (False, True)}


def drawn(
    page: Any, kit: pieces.Kit, rectangles: list[tuple[int, int, int, int]], lines: int = 320
) -> bytearray:
    """The page, drawn rectangle by rectangle."""
    screen, canvas = kit.screen(), kit.canvas(lines)
    for x, y, width, height in rectangles:
        band = canvas.begin(x, y, width, height)
        canvas.fill(page.theme.paper)
        for widget in page.widgets:
            widget.draw(canvas, page.theme)
        screen.write(x, y, width, height, band)
    return screen.pixels


@pytest.mark.parametrize("mono", [False, True], ids=["touch", "paper"])
@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, 299), max_size=9), side=st.integers(1, 49), choice=st.integers(0, 3))
def test_a_page_is_the_same_in_one_piece_and_in_bands(
    mono: bool, cuts: set[int], side: int, choice: int
) -> None:
    kit = KITS[mono]
    page = [
        pieces.scale(kit),
        pieces.scale(kit, "dark", 2),
        pieces.numbers(kit),
        pieces.numbers(kit, "dark", 3),
    ][choice]
    screen = kit.screen()
    width, height = screen.width, screen.height
    edges = [0, *sorted(cuts), height]
    rectangles = []
    for top, bottom in zip(edges, edges[1:], strict=False):
        rectangles.append((0, top, 8 * side, bottom - top))
        rectangles.append((8 * side, top, width - 8 * side, bottom - top))
    assert drawn(page, kit, rectangles) == drawn(page, kit, [(0, 0, width, height)])


@pytest.mark.parametrize("radius", [2, 4, 6, 8, 10, 16, 30])
def test_a_corner_is_smooth_round_and_the_same_on_all_sides(radius: int) -> None:
    disc = grey_disc(radius)
    size = 2 * radius
    frame = raster.FrameBuffer(disc, size, size, raster.GS4_HMSB)
    rows = [[frame.pixel(x, y) for x in range(size)] for y in range(size)]
    assert rows == rows[::-1] == [row[::-1] for row in rows]
    for row, column in zip(rows, zip(*rows, strict=True), strict=True):
        assert all(abs(one - other) <= 1 for one, other in zip(row, column, strict=True))
    # Sixteen greys of the pixels add up to the disc's area.
    assert abs(sum(map(sum, rows)) / 15 - 3.14159265 * radius**2) < 0.02 * radius**2 + 1
    for row in rows[:radius]:
        assert row[:radius] == sorted(row[:radius])
    assert all(0 <= inset < radius for inset in insets(radius))
    assert list(insets(radius)) == sorted(insets(radius), reverse=True)


def test_a_rounded_plate_leaves_the_ground_at_its_corners_and_fills_the_rest() -> None:
    ground, color = 0xFFFF, 0x1234
    canvas = Canvas(64, 64, raster.RGB565)
    band = canvas.begin(100, 50, 64, 64)
    canvas.fill(ground)
    canvas.round(110, 60, 40, 30, 10, color, ground)
    frame = raster.FrameBuffer(bytearray(band), 64, 64, raster.RGB565)
    assert frame.pixel(10, 10) == ground
    assert frame.pixel(49, 39) == ground
    assert {frame.pixel(x, 25) for x in range(10, 50)} == {color}
    assert {frame.pixel(30, y) for y in range(10, 40)} == {color}
    assert frame.pixel(9, 25) == frame.pixel(50, 25) == frame.pixel(30, 9) == frame.pixel(30, 40) == ground


def test_a_qr_code_has_its_cells_where_the_matrix_has_them() -> None:
    rows, cell = pieces.QR_ROWS, 3
    canvas = Canvas(64, 64, raster.RGB565)
    band = canvas.begin(0, 0, 64, 64)
    canvas.fill(0xFFFF)
    canvas.qr(5, 4, cell, rows, 0)
    frame = raster.FrameBuffer(bytearray(band), 64, 64, raster.RGB565)
    size = len(rows)
    for row in range(size):
        for column in range(size):
            dark = rows[row] >> (size - 1 - column) & 1
            for x, y in ((0, 0), (cell - 1, cell - 1)):
                assert frame.pixel(5 + column * cell + x, 4 + row * cell + y) == (0 if dark else 0xFFFF)


def test_the_pen_ends_where_the_font_says_whether_the_line_is_in_the_band_or_not() -> None:
    kit = KITS[False]
    canvas = kit.canvas()
    canvas.begin(0, 0, 480, 40)
    for y in (0, 39, 40, 300):
        assert canvas.text(7, y, "Hyvää päivää", kit.middle, 0, 0xFFFF) == 7 + kit.middle.width(
            "Hyvää päivää"
        )


def test_the_table_of_letters_has_a_limit() -> None:
    kit = KITS[False]
    canvas = kit.canvas()
    canvas.begin(0, 0, 480, 40)
    for font in (kit.small, kit.middle, kit.large):
        for letter in font.letters():
            canvas.text(0, 0, letter, font, 0, 0xFFFF)
            assert sum(len(kept) for kept in canvas._glyphs.values()) <= 128
