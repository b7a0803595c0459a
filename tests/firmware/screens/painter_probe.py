"""Shows pages on MicroPython with all fonts loaded; prints what it drew and what it cost as one line of JSON.

micropython painter_probe.py FIRMWARE TESTS ASSETS touch|paper ROUNDS
"""

import gc
import json
import sys

sys.path[:0] = [sys.argv[1], sys.argv[2] + "/screens"]

import pieces  # noqa: E402
from screens.painter import Painter  # noqa: E402

ASSETS, MONO, ROUNDS = sys.argv[3], sys.argv[4] == "paper", int(sys.argv[5])


def held():
    gc.collect()
    return gc.mem_alloc()


def main():
    told = {}
    before = begun = held()
    kit = pieces.Kit(ASSETS, MONO)
    told["fonts"] = held() - before
    canvas = kit.canvas()
    wire = pieces.Wire(MONO)
    painter = Painter(wire, canvas)
    pieces.story(kit, painter)
    told["crc"], told["bytes"], told["bands"] = wire.crc, painter.bytes, painter.bands
    wire.deaf = True
    page = pieces.scale(kit)
    painter.show(page)
    told["held"] = held() - begun

    def redraw():
        painter.forget()
        painter.show(page)

    redraw()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    redraw()
    told["garbage"] = gc.mem_alloc() - before
    gc.enable()

    def rounds(count):
        for number in range(count):
            painter.show(
                pieces.scale(kit, "light", number % 5, number % 20) if number % 2 else pieces.numbers(kit)
            )

    rounds(100)
    before = held()
    rounds(ROUNDS)
    told["growth"] = held() - before
    print(json.dumps(told))


main()
