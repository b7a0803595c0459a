"""Builds and draws screens on MicroPython; prints a checksum a page, and what it cost as one line of JSON.

micropython pages_probe.py FIRMWARE ASSETS JOB [crowded]

JOB is a file of JSON: {"views": […], "pages": [[index of its view or null, scene, language, modes], …], "rounds": n}.
crowded: no more than 64 KiB are free in one piece once the program is up.
"""

import gc
import json
import sys
from binascii import crc32

sys.path[:0] = [sys.argv[1]]

from screens import fonts as reader  # noqa: E402
from screens import pages, raster  # noqa: E402
from screens.canvas import Canvas  # noqa: E402
from screens.painter import Painter  # noqa: E402

ASSETS, JOB, CROWDED = sys.argv[2], sys.argv[3], "crowded" in sys.argv
WIDTH, HEIGHT, BAND_LINES = 480, 320, 40
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


def crowd():
    """Small blocks that cut what is free into pieces of less than LARGEST."""
    pieces, pins = [], []
    try:
        while True:
            pieces.append(bytearray(LARGEST - 256))
            pins.append(bytearray(16))
    except MemoryError:
        pass
    return pins


def held():
    gc.collect()
    return gc.mem_alloc()


def main():
    fonts = reader.load(ASSETS, ("s", "m", "l"))
    pictures = reader.pictures(ASSETS, "touch")
    canvas = Canvas(WIDTH, BAND_LINES, raster.RGB565)
    wire = Wire()
    painter = Painter(wire, canvas)
    with open(JOB) as file:
        job = json.load(file)
    views, todo = job["views"], job["pages"]
    ready = held()
    pins = crowd() if CROWDED else []
    told = {"ready": ready, "most": 0, "pages": len(todo), "pins": len(pins), "rounds": []}
    for number in range(job["rounds"]):
        for at, scene, language, mode in todo:
            if number == 0 and job.get("measure"):
                # What one page leaves as garbage until the next collection.
                gc.collect()
                gc.disable()
                before = gc.mem_alloc()
            page = pages.build(scene, None if at is None else views[at], language, mode, fonts, pictures)
            wire.crc = wire.next = 0
            painter.forget()
            painter.show(page)
            if number == 0:
                if job.get("measure"):
                    told["most"] = max(told["most"], gc.mem_alloc() - before)
                    gc.enable()
                print(wire.crc if wire.next == HEIGHT else "page not drawn whole")
        page = painter.page = None
        told["rounds"].append(held())
    print(json.dumps(told))


main()
