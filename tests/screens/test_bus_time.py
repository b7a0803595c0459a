"""What a page and a touch cost on the display's wires, through the display's driver, for every ready screen.

A touch is to be answered within 100 ms; hardware/touch/README.md has the arithmetic that these bytes go into.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from drivers.st7796 import St7796
from screens.canvas import BAND_LINES, Canvas
from screens.painter import Painter
from screens.raster import RGB565

from fleet_server.screens import drawing
from tests.screens.scenes import Screen, screens

LIMIT_MS = 100
WIRE_MS = 20  # of them; the rest is for noticing the finger, drawing and the interpreter
LCD_HZ = 40_000_000  # firmware/boards/touch_s3.py
RATED_HZ = 15_150_000  # ST7796S data sheet: a write cycle takes 66 ns at least


class Wire:
    """An SPI bus that counts."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, data: bytes) -> None:
        self.bytes += len(data)

    def milliseconds(self, hertz: int) -> float:
        return self.bytes * 8000 / hertz


def pin(level: int) -> None:
    """Levels are test_st7796's."""


@pytest.fixture(scope="module")
def kiosk() -> tuple[Wire, Painter]:
    wire = Wire()
    display = St7796(wire, pin, pin, pin, None, lambda milliseconds: None)
    return wire, Painter(display, Canvas(display.width, BAND_LINES, RGB565))


def presses(painter: Painter, page: Any) -> Iterator[Any]:
    for widget in page.widgets:
        if widget.action is not None:
            yield widget
            painter.press(None)


@pytest.mark.slow
@pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)
def test_a_touch_is_answered_in_time_even_at_the_clock_that_the_data_sheet_promises(
    screen: Screen, kiosk: tuple[Wire, Painter]
) -> None:
    wire, painter = kiosk
    page = drawing.page(screen.scene, screen.view or {})
    painter.forget()
    wire.bytes = 0
    painter.show(page)
    assert wire.milliseconds(LCD_HZ) < LIMIT_MS
    for widget in presses(painter, page):
        wire.bytes = 0
        painter.press(widget)
        assert 0 < wire.milliseconds(RATED_HZ) < WIRE_MS, widget.action
