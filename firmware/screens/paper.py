"""Puts a page of a button kiosk onto its e-paper: letters from their files one by one, band by band. Knows no chip and
no question set.

Invariant: between two bands others run; files are closed and the display sleeps when it is over, however it ends.
"""

import asyncio

from kiosk.compat import const

from screens.canvas import Canvas
from screens.fonts import load, pictures
from screens.page_paper import build
from screens.raster import MONO_HLSB

_FONTS = ("p20", "p30", "p44")
_BAND_LINES = const(
    20
)  # 1 000 bytes; a band of text is read from the files and drawn before anybody else runs


async def draw(display, assets, scene, view, language, full):
    """Show the page that page_paper builds; full: with the long waveform that leaves no shadow of the page before.

    Raises OSError or ValueError when a file of `assets` is not there or no font.
    """
    opened = {}
    try:
        for name in _FONTS:
            opened.update(load(assets, (name,), False))
            await asyncio.sleep(0)
        opened.update(pictures(assets, "paper", False))
        page = build(scene, view, language, (), opened, opened)
        await asyncio.sleep(0)
        canvas = Canvas(display.width, _BAND_LINES, MONO_HLSB)
        for top in range(0, display.height, _BAND_LINES):
            lines = min(_BAND_LINES, display.height - top)
            band = canvas.begin(0, top, display.width, lines)
            canvas.fill(page.theme.paper)
            for piece in page.widgets:
                _, y, _, height = piece.rect
                if y < top + lines and top < y + height:
                    piece.draw(canvas, page.theme)
            display.write(0, top, display.width, lines, band)
            await asyncio.sleep(0)
        display.refresh(full)
        await display.ready()
    finally:
        for file in opened.values():
            file.close()
        display.sleep()
