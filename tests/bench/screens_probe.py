"""Draws real screens on MicroPython and prints what they cost as one line of JSON.

micropython screens_probe.py FIRMWARE ASSETS VIEW
"""

import gc
import json
import sys
from time import clock  # of the processor: others may be using it too

sys.path.insert(0, sys.argv[1])

from screens import fonts, pages, raster  # noqa: E402
from screens.canvas import BAND_LINES, Canvas  # noqa: E402
from screens.painter import Painter  # noqa: E402

WIDTH, HEIGHT = 480, 320
TIMES = 100


class Wire:
    """Takes what a display would be sent."""

    width, height, format = WIDTH, HEIGHT, "rgb565"

    def write(self, x, y, width, height, band):
        pass


def milliseconds(job):
    """On average, with what the collector takes."""
    job()
    gc.collect()
    began = clock()
    for _ in range(TIMES):
        job()
    return (clock() - began) * 1000 / TIMES


def scenes(view):
    """{name: (scene, what a finger is put on)}."""
    of = {question["type"]: index for index, question in enumerate(view["questions"])}
    step = {"step": 2, "steps": 4, "back": True, "leave": True}
    return (
        ("rest, NPS", {"page": "rest", "question": of["nps"]}, ("answer", 7)),
        ("agree5", dict(step, page="ask", question=of["agree5"]), ("answer", 1)),
        ("keyboard", dict(step, page="text", question=of["text"], text="Kiitos", layer=0), ("key", "e")),
        ("thanks", {"page": "thanks"}, ("leave",)),
    )


def main():
    with open(sys.argv[3]) as file:
        view = json.load(file)
    canvas = Canvas(WIDTH, BAND_LINES, raster.RGB565)
    kit = fonts.load(sys.argv[2], ("s", "m", "l")), fonts.pictures(sys.argv[2], "touch")
    frame = raster.FrameBuffer(canvas.buffer, WIDTH, BAND_LINES, raster.RGB565)
    painter = Painter(Wire(), canvas)
    told = {"screens": []}

    def bare():
        for _ in range(HEIGHT // BAND_LINES):
            frame.fill(0xFFFF)

    told["fill_ms"] = milliseconds(bare)
    for name, scene, action in scenes(view):
        page = pages.build(scene, view, 0, (), *kit)
        before = painter.bytes, painter.bands
        painter.show(page)
        one = {
            "name": name,
            "change_bytes": painter.bytes - before[0],
            "change_bands": painter.bands - before[1],
        }

        def redraw(page=page):
            painter.forget()
            painter.show(page)

        before = painter.bytes, painter.bands
        redraw()
        one["bytes"], one["bands"] = painter.bytes - before[0], painter.bands - before[1]
        one["draw_ms"] = milliseconds(redraw)
        one["layout_ms"] = milliseconds(lambda scene=scene: pages.build(scene, view, 0, (), *kit))
        widget = [widget for widget in page.widgets if widget.action == action][0]
        before = painter.bytes, painter.bands
        painter.press(widget)
        one["press_bytes"], one["press_bands"] = painter.bytes - before[0], painter.bands - before[1]
        painter.press(None)

        def press(widget=widget):
            painter.press(widget)
            painter.pressed = None

        one["press_ms"] = milliseconds(press)
        told["screens"].append(one)
    told["letter"] = letter(painter, view, kit)
    print(json.dumps(told))


def letter(painter, view, kit):
    """A letter typed: what is sent, and how long layout and drawing take."""
    _, scene, _ = scenes(view)[2]
    texts = ("Kiito", "Kiitos")
    painter.show(pages.build(dict(scene, text=texts[0]), view, 0, (), *kit))
    before = painter.bytes, painter.bands
    painter.show(pages.build(dict(scene, text=texts[1]), view, 0, (), *kit))
    sent, bands = painter.bytes - before[0], painter.bands - before[1]

    def both():
        for text in texts:
            painter.show(pages.build(dict(scene, text=text), view, 0, (), *kit))

    return {"bytes": sent, "bands": bands, "ms": milliseconds(both) / 2}


main()
