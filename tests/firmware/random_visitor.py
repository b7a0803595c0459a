"""A visitor who touches anything, anywhere, on the real pages of a touch kiosk, on MicroPython.

    micropython -X heapsize=2M random_visitor.py FIRMWARE TESTS ASSETS TOUCHES SEED

FIRMWARE and TESTS are folders for sys.path. `touch_stage.Stage` judges after each step. Prints one line of JSON.
"""

import gc
import json
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]

from nor import Rng
from touch_stage import SETTLED_MS, Stage

QR = {"text": "https://palaute.example.fi/p/7", "size": 25, "rows": [0x1555555] * 25}
WARM = 1_000  # touches until everything has happened once
LOOK = 500


def heap():
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


class Life:
    def __init__(self, assets, seed):
        self.stage = Stage(assets, seed=seed, sectors=3, qr=QR)
        self.rng = Rng(seed + 1)
        self.counts = {"idle": 0, "refused": 0, "pages": {}}
        self.heaps = []

    def touch(self):
        stage, rng = self.stage, self.rng
        widgets = stage.widgets()
        if widgets and rng.below(10) < 8:
            # Those that lead on or out are few beside the keys of a keyboard.
            ways = [widget for widget in widgets if widget.action[0] != "key"]
            widget = (widgets, ways or widgets)[rng.below(2)][rng.below(len(ways or widgets))]
            left, top, width, height = widget.area
            x, y = left + rng.below(width), top + rng.below(height)
        else:
            x, y = rng.below(480), rng.below(320)
        stage.touch(x, y, 20 + rng.below(200))
        page = stage.scene["page"]
        self.counts["pages"][page] = self.counts["pages"].get(page, 0) + 1

    def idle(self):
        stage, rng = self.stage, self.rng
        drawn = rng.below(64)
        stage.wait(50 + rng.below((1_500, 15_000, 30_000)[min(drawn >> 2, 2)] if drawn < 12 else 400))
        if drawn == 63:
            stage.wait(SETTLED_MS)
            assert stage.scene["page"] in ("rest", "full"), stage.scene
            self.counts["idle"] += 1
        if stage.scene["page"] == "full":
            self.counts["refused"] += 1
            stage.release()
            stage.wait(11_000)
            assert stage.scene["page"] == "rest", "room, and nobody is invited"

    def run(self, touches):
        stage = self.stage
        for number in range(touches):
            self.touch()
            self.idle()
            if number % LOOK == LOOK - 1:
                stage.wait(SETTLED_MS)
                if self.rng.below(4) == 0:
                    stage.release()
                stage.wait(1_000)
                while stage.journal.tidy():
                    pass
                assert not stage.board.touch.fault
                stage.board.sounds.clear()
                stage.canvas._glyphs.clear()  # a cache with a limit of its own
                stage.canvas._kept = 0
                if number > WARM:
                    self.heaps.append(heap())


def main(assets, touches, seed):
    life = Life(assets, seed)
    life.run(touches)
    stage = life.stage
    told = {
        "touches": touches,
        "answers": stage.answers,
        "heaps": [min(life.heaps), max(life.heaps)],
        "ignored": stage.front.ignored,
        "bands": stage.painter.bands,
        "lines": stage.board.lines[-3:],
    }
    told.update(life.counts)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
