"""A page of a kiosk's screen as a picture, drawn band by band by the firmware's own painter. Knows no question."""

from typing import Any

from screens import raster
from screens.canvas import Canvas
from screens.painter import Painter

from provisioning.png import png

_BAND_LINES = 40


class Frame:
    """A display that keeps what is written to it. `mono`: one bit a pixel, 1 is white; else RGB565, high byte first."""

    def __init__(self, width: int, height: int, mono: bool) -> None:
        self.width = width
        self.height = height
        self.format = "mono" if mono else "rgb565"
        self._bits = 1 if mono else 16
        self._row_bytes = (width * self._bits + 7) // 8
        self.pixels = bytearray(self._row_bytes * height)

    def write(self, x: int, y: int, width: int, height: int, band: memoryview) -> None:
        """A rectangle of the screen; one-bit screens take whole bytes."""
        left, row_bytes = x * self._bits // 8, (width * self._bits + 7) // 8
        for row in range(height):
            start = (y + row) * self._row_bytes + left
            self.pixels[start : start + row_bytes] = band[row * row_bytes : (row + 1) * row_bytes]

    def png(self) -> bytes:
        """What is seen."""
        return png(self.pixels, self.width, self.height)


def frame(page: Any, width: int, height: int, mono: bool) -> Frame:
    """`page` (screens.page.Page), drawn."""
    drawn = Frame(width, height, mono)
    Painter(drawn, canvas(width, mono)).show(page)
    return drawn


def canvas(width: int, mono: bool) -> Any:
    """One band of a screen of this width, as the kiosk has it."""
    return Canvas(width, _BAND_LINES, raster.MONO_HLSB if mono else raster.RGB565)
