"""The kiosk's connection broken at each step of its protocol, in each way; and receipts as they must not be.

Runs on CPython and, as a program, on MicroPython:

    micropython -X heapsize=512K each_step.py FIRMWARE TESTS ROOT EVERY FIRST

EVERY: 0 tries the beginning, middle and end of each packet, n each nth byte from FIRST on. Prints a line of JSON.
"""

import asyncio
import json
import os
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]

import virtual_time
from nor import Rng
from stage import Fault, Stage

HOWS = ("freeze", "stall", "reset", "close", "garbage")
RECOVERS_MS = 120_000  # from the fault on: everything booked, the kiosk online
PROMPT_MS = 50  # from the touch to the thank-you
STEPS = {
    "CONNECT", "CONNACK", "SUBSCRIBE", "SUBACK", "report", "answers", "receipt", "state", "desired", "set",
    "PINGREQ", "PINGRESP", "log",
}  # fmt: skip


def emptied(root):
    """The folder, with nothing in it."""
    for entry in os.listdir(root):
        path = root + "/" + entry
        if os.stat(path)[0] & 0x4000:
            emptied(path)
            os.rmdir(path)
        else:
            os.remove(path)
    return root


async def visit(stage):
    """From power on to a kiosk that was asked, has answered, told of a crash and pinged; presses all the while."""
    slowest = 0
    await stage.until(lambda: stage.board.shown == "ready", 200, "ready")
    # Fifty seconds: longer than a dead link goes unnoticed.
    for second in range(50):
        if second == 3:
            stage.app.session.log({"task": "test", "trace": "made up"})
        if second < 6 or second in (25, 45):
            waited = await stage.press(second % 5)
            assert waited is not None, f"not thanked; {stage.board.lines}"
            slowest = max(slowest, waited)
        await asyncio.sleep(1)
    await stage.online()
    await stage.drained()
    assert slowest <= PROMPT_MS, f"thanked after {slowest} ms"
    return slowest


def packets(root):
    """[(name, direction, first byte, end)] of all packets of a visit without a fault."""
    virtual_time.start()
    stage = Stage(emptied(root))
    stage.steps = []
    stage.live(visit)
    begins = {"in": 0, "out": 0}
    found = []
    for name, direction, end in stage.steps:
        found.append((name, direction, begins[direction], end))
        begins[direction] = end
    assert {step[0] for step in found} >= STEPS, STEPS - {step[0] for step in found}
    return found


def cases(found, every, first):
    """[(direction, byte)] at which to strike: at each packet's ends and middle, or at each nth byte."""
    places = set()
    for _, direction, begin, end in found:
        if every:
            places |= {(direction, at) for at in range(begin, end) if at % every == first % every}
        else:
            places |= {(direction, at) for at in (begin, begin + 1, (begin + end) // 2, end - 1)}
    return [("dial", 1)] + sorted(places)


def broken(root, direction, at, how):
    """One visit with this fault. Returns (ms until all was well again, ms of the slowest thank-you)."""
    virtual_time.start()
    stage = Stage(emptied(root))
    stage.fault = Fault(direction, at, how, Rng(at))
    came_back = []

    async def watched(stage):
        task = asyncio.create_task(visit(stage))
        await stage.until(lambda: stage.fault.struck_ms is not None, 400, "the fault")
        await asyncio.sleep(0.5)
        await stage.online()
        came_back.append(virtual_time.ms() - stage.fault.struck_ms)
        return await task

    try:
        slowest = stage.live(watched)
        assert isinstance(slowest, int), "the kiosk restarted"
        assert stage.thanks == 8
        assert not [line for line in stage.board.lines if "crashed" in line]
        stage.balance()
        assert came_back[0] <= RECOVERS_MS, f"well again after {came_back[0]} ms"
    except AssertionError as error:
        raise AssertionError(f"{how} at {direction} byte {at}: {error}") from None
    return came_back[0], slowest


def sweep(root, every=0, first=0):
    """Break at each step in each way; what was seen, as a dict."""
    found = packets(root)
    places = cases(found, every, first)
    longest = slowest = 0
    for direction, at in places:
        for how in HOWS:
            recovered, waited = broken(root, direction, at, how)
            longest, slowest = max(longest, recovered), max(slowest, waited)
    return {
        "cases": len(places) * len(HOWS),
        "packets": len(found),
        "longest_ms": longest,
        "slowest_ms": slowest,
    }


def _other(receipt, **changes):
    return dict(receipt, **changes)


def _shuffled(stage):
    held = []

    def receipts(receipt):
        held.append(receipt)
        return [(0, held.pop(stage.rng.below(len(held))))] if len(held) > 2 else []

    return receipts


def _earlier(stage):
    """Always the one before: its nonce is not in flight any more."""
    held = [None]

    def receipts(receipt):
        held.append(receipt)
        before = held.pop(0)
        return [(0, before)] if before else []

    return receipts


def _generations(stage):
    def receipts(receipt):
        return [(300, _other(receipt, server=stage.rng.below(1000)))]

    return receipts


RECEIPTS = {  # name: function(stage) -> what becomes of receipts while the fault lasts
    "missing": lambda stage: lambda receipt: [],
    "doubled": lambda stage: lambda receipt: [(0, receipt), (0, receipt), (700, receipt)],
    "out of order": _shuffled,
    "slower than the time-out": lambda stage: lambda receipt: [(12_000, receipt)],
    "far slower": lambda stage: lambda receipt: [(45_000, receipt)],
    "of an earlier nonce": _earlier,
    "of another nonce": lambda stage: lambda receipt: [(0, _other(receipt, nonce=receipt["nonce"] ^ 1))],
    "of another epoch": lambda stage: lambda receipt: [(0, _other(receipt, epoch=receipt["epoch"] ^ 1))],
    "of a new generation": _generations,
    "through beyond next": lambda stage: (
        lambda receipt: [(300, _other(receipt, through=receipt["seen"] + 9))]
    ),
    "seen beyond next": lambda stage: lambda receipt: [(300, _other(receipt, seen=receipt["seen"] + 9))],
    "of a server that forgot": lambda stage: (
        lambda receipt: [(500, _other(receipt, through=receipt["through"] // 2))]
    ),
    "a fork": lambda stage: lambda receipt: [(300, _other(receipt, fork=True))],
    "of the year 2500": lambda stage: lambda receipt: [(0, _other(receipt, time=16_725_225_600_000))],
    "of 1970": lambda stage: lambda receipt: [(0, _other(receipt, time=0))],
    "garbage": lambda stage: lambda receipt: [(0, stage.rng.bytes(90)), (0, b""), (0, b"[]"), (0, b"{}")],
}


def wrong_receipts(root, name):
    """Ten presses while receipts are like that, ten thereafter: all booked once."""
    virtual_time.start()
    stage = Stage(emptied(root), sectors=24)

    async def story(stage):
        await stage.online()
        stage.receipts = RECEIPTS[name](stage)
        for i in range(20):
            if i == 10:
                stage.receipts = None
            waited = await stage.press(i % 5)
            assert waited in range(PROMPT_MS + 1), waited
            await asyncio.sleep(9)
        await stage.drained(400)
        return True

    assert stage.live(story) is True, "the kiosk restarted"
    assert stage.thanks == 20
    assert not [line for line in stage.board.lines if "crashed" in line], stage.board.lines
    stage.balance()


def main(root, every, first):
    seen = sweep(root, every, first)
    for name in RECEIPTS:
        wrong_receipts(root, name)
    seen["receipts"] = len(RECEIPTS)
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
