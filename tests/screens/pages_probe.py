"""Builds and draws screens on MicroPython; prints a checksum a page, and what it cost as one line of JSON.

micropython pages_probe.py FIRMWARE ASSETS JOB ROUNDS [crowded] [measured]

JOB: a file with a line of JSON for a view, for each page that follows one: [scene, language, modes], and so on.
crowded: no more than 64 KiB are free in one piece once the program is up. measured: the garbage of each page.
"""

import gc
import json
import sys
from binascii import crc32

sys.path[:0] = [sys.argv[1], __file__.rsplit("/", 1)[0] + "/../firmware"]

from ballast import crowd  # noqa: E402
from screens import fonts as reader  # noqa: E402
from screens import pages, raster  # noqa: E402
from screens.canvas import BAND_LINES, Canvas  # noqa: E402
from screens.painter import Painter  # noqa: E402

ASSETS, JOB, ROUNDS = sys.argv[2], sys.argv[3], int(sys.argv[4])
CROWDED, MEASURED = "crowded" in sys.argv, "measured" in sys.argv
WIDTH, HEIGHT = 480, 320
LARGEST = 64 * 1024


class Wire:
    """A display that keeps a checksum of what is written to it, whole lines from the top."""

    width, height, format = WIDTH, HEIGHT, "rgb565"

    def __init__(self):
        self.crc = 0
        self.next = 0

    def write(self, x, y, width, height, band):
        if x == 0 and width == WIDTH and y == self.next:
            self.crc = crc32(band, self.crc)
            self.next = y + height


def held():
    gc.collect()
    return gc.mem_alloc()


def main():
    # As on a kiosk: larger letters and faces are few on a page, and read from their files as they are drawn.
    fonts = reader.load(ASSETS, ("s",))
    fonts.update(reader.load(ASSETS, ("m", "l"), False))
    pictures = reader.pictures(ASSETS, "touch", False)
    canvas = Canvas(WIDTH, BAND_LINES, raster.RGB565)
    wire = Wire()
    painter = Painter(wire, canvas)
    told = {"ready": held(), "most": 0, "pages": 0, "rounds": []}
    pins = crowd(LARGEST) if CROWDED else []
    told["pins"] = len(pins)
    view = None
    with open(JOB) as file:
        start = 0
        for number in range(ROUNDS):
            file.seek(start)
            while True:
                line = file.readline()
                if not line:
                    break
                line = json.loads(line)
                if not isinstance(line, list):
                    view = line
                    start = file.tell()
                    continue
                scene, language, mode = line
                line = None
                if MEASURED:
                    gc.collect()
                    gc.disable()
                    before = gc.mem_alloc()
                page = pages.build(scene, view, language, mode, fonts, pictures, painter.page)
                wire.crc = wire.next = 0
                painter.forget()
                painter.show(page)
                if MEASURED:
                    told["most"] = max(told["most"], gc.mem_alloc() - before)
                    gc.enable()
                if number == 0:
                    told["pages"] += 1
                    print(wire.crc if wire.next == HEIGHT else "page not drawn whole")
            page = painter.page = scene = None
            told["rounds"].append(held())
    print(json.dumps(told))


main()
