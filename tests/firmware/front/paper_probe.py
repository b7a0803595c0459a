"""Draws e-paper pages on MicroPython; prints as one line of JSON what stays in the heap and what is on the glass.

micropython paper_probe.py FIRMWARE TESTS ASSETS ROOT DRAWINGS [watch]    ROOT has a set in state/sets
"""

import asyncio
import gc
import json
import sys

sys.path[:0] = sys.argv[1:3]

from kiosk.clock import Clock, Uptime  # noqa: E402
from kiosk.compat import crc32, ticks_ms  # noqa: E402
from kiosk.paper import Paper  # noqa: E402
from kiosk.sets import Sets  # noqa: E402
from kiosk.settings import Settings  # noqa: E402


class Display:
    width, height, format = 400, 300, "mono"

    def __init__(self):
        self.crc = 0
        self.shown = [[0, False], [0, False], [0, False], [0, False]]  # the last four: nothing grows here
        self.turn = 0

    def write(self, x, y, w, h, band):
        self.crc = crc32(band, self.crc)

    def refresh(self, full):
        self.shown[self.turn & 3][:] = self.crc, full
        self.turn += 1
        self.crc = 0

    async def ready(self):
        await asyncio.sleep(0)

    def sleep(self):
        pass


class Board:
    assets = sys.argv[3]
    display = Display()
    lines = []

    def show(self, what):
        pass

    def log(self, line):
        self.lines.append(line)


def held():
    gc.collect()
    return gc.mem_alloc()


async def main(drawings):
    board = Board()
    uptime = Uptime(ticks_ms)
    sets = Sets(sys.argv[4], Clock(uptime), 5)
    paper = Paper(board, sets, Settings(), uptime, lambda: True)
    sets.switch()
    sets.forget_texts()
    longest_us = 0

    async def look():
        """The longest time for which nobody else runs."""
        nonlocal longest_us
        import time

        while True:
            before = time.ticks_us()
            await asyncio.sleep(0)
            longest_us = max(longest_us, time.ticks_diff(time.ticks_us(), before))

    kept = [0] * (drawings + 1)
    kept[0] = held()
    watcher = asyncio.create_task(look()) if len(sys.argv) > 6 else None
    for number in range(drawings):
        paper.hear({"screen": ("ready", "wait", "full", "out")[number % 4]})
        assert await paper._look() == 1, board.lines
        kept[number + 1] = held()
    if watcher is not None:
        watcher.cancel()
    left = [name for name in sys.modules if name.startswith("screens")]
    return {"kept": kept, "shown": board.display.shown, "left": left, "longest_us": longest_us}


print(json.dumps(asyncio.run(main(int(sys.argv[5])))))
