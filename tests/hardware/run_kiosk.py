"""Runs the kiosk's whole program on a board file, with twins of its display, until a page is to be seen.

    micropython run_kiosk.py FIRMWARE TESTS BOARD IDENTITY FOLDER PAGE

FOLDER holds the kiosk's files; the picture is left there as `seen` when page PAGE is shown and nothing moves any more.
PAGE "rest" of a touch kiosk: then a finger on the first answer there, and on until nothing moves. Prints as JSON what
was logged and shown, the scene and how many records the journal has.
"""

import asyncio
import json
import sys
import time

FIRMWARE, TESTS, BOARD, IDENTITY, FOLDER, PAGE = sys.argv[1:]
sys.path[:0] = [FIRMWARE + "/boards", FIRMWARE, TESTS + "/firmware/drivers", TESTS + "/firmware"]

import chips  # noqa: E402
import twins  # noqa: E402
from stage_board import RamFlash  # noqa: E402

LIMIT_MS = 20000
EXPANDER = 0x20
CS, DC, RESET = 8, 9, 10
twins.WHOLE_MS = 80  # nobody waits four seconds here for what takes four seconds


class PinLevel:
    """A wire of a twin that the board drives by a pin."""

    def __init__(self, number):
        self._number = number

    @property
    def level(self):
        return chips.Pin.levels.get(self._number, 1)


class OutputLevel:
    """A wire of a twin that the board drives by the expander."""

    levels = 0xFFFF

    def __init__(self, bit):
        self._bit = bit

    @property
    def level(self):
        return OutputLevel.levels >> self._bit & 1


class Paper(twins.Controller):
    """The e-paper's twin, in this program's time."""

    @property
    def now_ms(self):
        return time.ticks_ms()

    @now_ms.setter
    def now_ms(self, value):
        pass


def twin():
    """The display of the board, plugged into the scripted chips; a function that gives what is seen on it."""
    if BOARD == "touch_s3":
        display = twins.Panel()
        display.cs, display.dc = PinLevel(41), PinLevel(47)
        chips.SPI.write = lambda bus, data: display.write(data)
        return lambda: display.memory
    display = Paper()
    display.cs, display.dc = OutputLevel(CS), OutputLevel(DC)

    def written(bus, address, data):
        now = data[0] | data[1] << 8
        if not now >> RESET & 1:
            display.log.append(("reset", 0))
        OutputLevel.levels = now

    chips.I2C.writeto = written
    chips.SPI.write = lambda bus, data: display.write(data)
    chips.Pin.busy = display.busy
    return lambda: display.glass


async def settled(seen, shown, page):
    """The picture when `page` was shown and nothing moves for half a second."""
    began = since = time.ticks_ms()
    last = before = bytes(seen())
    while time.ticks_diff(time.ticks_ms(), began) < LIMIT_MS:
        await asyncio.sleep_ms(100)
        now = bytes(seen())
        if now != last or not [
            what for what in shown if what.get("screen") == page or what.get("page") == page
        ]:
            last, since = now, time.ticks_ms()
        elif now != before and time.ticks_diff(time.ticks_ms(), since) > 500:
            return last
    raise OSError(f"no page {page} within {LIMIT_MS} ms: {shown!r}")


def finger(widget):
    """Lay a finger on a widget, by the touch panel's registers and its interrupt."""
    x, y, w, h = widget.rect
    across, down = 319 - (y + h // 2), x + w // 2
    chips.POINT[:] = bytes((1, 0x80 | across >> 8, across & 0xFF, down >> 8, down & 0xFF))
    chips.Pin.handlers[15](None)


async def life(seen):
    board = __import__(BOARD)
    board.root = FOLDER
    board.assets = FIRMWARE + "/assets"
    shown, logged = [], []
    board.show = shown.append
    board.log = logged.append
    from kiosk.app import App

    app = App(board)
    running = asyncio.create_task(app.main())
    picture = await settled(seen, shown, PAGE)
    scene = None
    if PAGE == "rest":
        widgets = app.front.screen._painter.page.widgets
        finger(
            [widget for widget in widgets if widget.action is not None and widget.action[0] == "answer"][0]
        )
        await asyncio.sleep_ms(150)
        chips.POINT[:] = bytes(5)
        picture = await settled(seen, shown, "ask")
        scene = app.front.screen.shown[0]
    running.cancel()
    with open(FOLDER + "/seen", "wb") as file:
        file.write(picture)
    pages = [what["page"] if "page" in what else what["screen"] for what in shown if "screen" in what]
    told = {"pages": pages, "logged": logged, "scene": scene, "pressed": app.journal.pressed}
    print(json.dumps(told))


chips.POINT[:] = bytes(5)
chips.SETTING["journal"] = RamFlash(16, lambda name: None)
chips.install(BOARD, IDENTITY)
asyncio.run(life(twin()))
