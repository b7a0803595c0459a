"""Puts the page of a button kiosk onto its e-paper, with as little in memory at a time as will do. Knows no chip.

Code of the layout and texts of the set are let go before the code that draws is loaded; letters come from their files
one by one. Invariant: others run between two steps; files are closed and the display sleeps when it is over, however
it ends.
"""

import asyncio
import gc
import json
import sys

from kiosk.compat import const

from screens.fonts import load, pictures

_FONTS = ("p20", "p30", "p44")
_BAND_LINES = const(
    20
)  # 1 000 bytes; a band of text is read from the files and drawn before anybody else runs
_MONO = const(3)  # framebuf.MONO_HLSB


async def draw(display, assets, page, path, language, full, sign=None, facts=None):
    """Show a page: "out", "full", "wait", or the question of the set in the file `path` with that language first.

    sign: of the kiosk's state, position in fonts.CORNER. facts: what the page "service" says instead.
    full: with the long waveform that leaves no shadow of the page before. Raises OSError or ValueError when a file of
    `assets` or the set is not there or damaged.
    """
    opened = {}
    try:
        for name in _FONTS:
            opened.update(load(assets, (name,), False))
        opened.update(pictures(assets, "paper", False))
        await asyncio.sleep(0)
        if facts is None:
            page = await _page(page, path, language, opened)
        else:
            page = _service(facts, opened)
        await _forget("page_paper", "fit", "words", "paper_service", "service_words")
        if sign is not None:
            _add(page, sign, display, opened["pcorner"])
            await _forget("corner")
        await _bands(display, page)
        display.refresh(full)
        await display.ready()
    finally:
        for file in opened.values():
            file.close()
        display.sleep()


async def _page(page, path, language, opened):
    from screens.page_paper import build

    await asyncio.sleep(0)
    view = None
    if path is not None:
        with open(path) as file:
            view = json.load(file)
        await asyncio.sleep(0)
    return build({"page": page}, view, language, (), opened, opened)


def _service(facts, opened):
    from screens.paper_service import build

    return build(facts, opened, opened)


def _add(page, sign, display, signs):
    """The sign beside what is written; there is none where that leaves no room."""
    from screens.corner import spot, written
    from screens.piece import Picture, Text

    taken = []
    for piece in page.widgets:
        rect = piece.rect
        taken.append(written(rect, *piece.set_in()) if isinstance(piece, Text) else rect)
    found = spot(taken, display.width, display.height)
    if found is not None:
        page.widgets.append(Picture(found[0], found[1], signs, sign))


async def _forget(*names):
    for name in names:
        sys.modules.pop("screens." + name, None)
        package = sys.modules["screens"]
        if hasattr(package, name):
            delattr(package, name)
    gc.collect()
    await asyncio.sleep(0)


async def _bands(display, page):
    from screens.canvas import Canvas

    await asyncio.sleep(0)
    canvas = Canvas(display.width, _BAND_LINES, _MONO)
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
