"""Visits one after the other at a touch kiosk, on MicroPython: what stays in memory, and whether pieces of it suffice.

    micropython -X heapsize=1M many_visits.py FIRMWARE TESTS ASSETS VISITS

From power on no more than 64 KiB are free in one piece, so that a larger allocation fails. Prints one line of JSON.
"""

import gc
import json
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]

from ballast import crowd
from screens.painter import Painter
from touch_faults import VISITS, Faulty

LARGEST_BYTES = 64 * 1024
WARM = 48  # rounds until every sector of the flash was written and every statement had its turn
LOOKS = 10


def heap(stage):
    """Bytes in use, without what a cache with a limit of its own holds."""
    stage.canvas._glyphs.clear()
    stage.canvas._kept = 0
    gc.collect()
    return gc.mem_alloc()


def play(stage):
    """A round of visits, whose answers are then booked."""
    for visit in VISITS:
        for action in visit:
            assert stage.do(action), f"nothing means {action} on {stage.scene}"
            stage.seen()
    stage.wait(20_000)
    assert stage.scene["page"] == "rest", (stage.scene, stage.board.lines)
    stage.board.sounds.clear()
    stage.release()
    while stage.journal.tidy():
        pass


def main(assets, visits):
    stage = Faulty(assets, painter=Painter)
    pins = crowd(LARGEST_BYTES)
    for _ in range(WARM):
        play(stage)
    heaps = [0] * (LOOKS + 1)  # made once: it must not be what grows
    heaps[0] = heap(stage)
    rounds = (visits + len(VISITS) - 1) // len(VISITS)
    for number in range(1, rounds + 1):
        play(stage)
        look = number * LOOKS // rounds
        if not heaps[look]:
            heaps[look] = heap(stage)
    told = {
        "visits": rounds * len(VISITS),
        "answers": stage.answers,
        "heaps": heaps,
        "pins": len(pins),
        "lines": stage.board.lines,
        "crashes": stage.crashes,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[3], int(sys.argv[4]))
