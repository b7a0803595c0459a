"""One answer from press to receipt, with a fault of the program at each of its steps; runs on CPython and MicroPython.

As a program on MicroPython (`micropython -X heapsize=512K each_fault.py FIRMWARE TESTS ROOT STRIDE`) it raises at each
call to what surrounds the kiosk, and lets memory run out at each point. Prints a line of JSON.
"""

import asyncio
import json
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]

import virtual_time
from ballast import Ballast
from each_step import emptied
from stage import RESTARTED, Stage

KINDS = (OSError, MemoryError, RuntimeError)
CYCLE_S = 4  # from the press to the receipt, with the idle work that follows
RECOVERS_S = 200
LEAST_BYTES, MOST_BYTES = 0, 12_288  # of free heap when the press comes
FED_MS = 3_000


class Injection:
    """Raises `kind` at call number `at` to what surrounds the kiosk, while armed; counts them."""

    def __init__(self, at, kind):
        self.at = at
        self.kind = kind
        self.count = 0
        self.name = None  # of the call at which it was raised

    def __call__(self, name):
        self.count += 1
        if self.count == self.at:
            self.name = name
            raise self.kind(5, "made to fail")


async def cycle(stage, arm, disarm, warm):
    """A visitor answers while the fault is armed; another one comes when it is over.

    `warm`: not the first answer of its run. The second visitor must be thanked, and everything booked."""
    await stage.online()
    if warm:
        assert await stage.press(4) is not None
        await stage.drained()
    await asyncio.sleep(1)
    try:
        arm()
        stage.board.touch(1, True)
        await asyncio.sleep(0.1)
        stage.board.touch(1, False)
        await asyncio.sleep(CYCLE_S)
    finally:
        disarm()
    await recovered(stage)
    return True


async def recovered(stage):
    """The kiosk is as good as ever."""
    before = stage.thanks
    for _ in range(RECOVERS_S):
        if stage.thanks > before:
            break
        stage.board.touch(2, True)
        await asyncio.sleep(0.1)
        stage.board.touch(2, False)
        await asyncio.sleep(0.9)
    assert stage.thanks > before, f"nobody is thanked any more: {stage.board.lines}"
    await stage.online(RECOVERS_S)
    await stage.drained(RECOVERS_S)
    await asyncio.sleep(5)
    assert virtual_time.ms() - stage.board.dog.fed_ms <= FED_MS, "the watchdog is not fed"
    return True


def survive(root, arm, disarm, warm, stage=None):
    """One such answer; AssertionError when a promise was broken. Returns (stage, "restarted" or a crash or None)."""
    stage = stage or Stage(emptied(root), sectors=4)
    lives = stage.lives
    outcome = stage.live(lambda stage: cycle(stage, lambda: arm(stage), lambda: disarm(stage), warm))
    crashed = [line for line in stage.board.lines if "crashed" in line]
    if outcome == RESTARTED:
        disarm(stage)
        outcome = stage.live(recovered)
    assert outcome is True, "the kiosk restarts again and again"
    if stage.lives == lives + 1 and crashed:
        assert stage.server.logs, f"the crash was not reported: {crashed}"
        assert stage.server.logs[-1]["trace"]
    assert not stage.app.session._sync._questions
    stage.balance()
    return stage, RESTARTED if stage.lives > lives + 1 else crashed[0] if crashed else None


def at_each_call(root, stride=1, first=1):
    """Raise at each call to a collaborator, in each kind. Returns what was done."""
    done = {"calls": 0, "crashes": 0, "restarts": 0, "names": set()}
    for warm in (False, True):
        for kind in KINDS:
            at = first
            while True:
                injection = Injection(at, kind)
                virtual_time.start()
                try:
                    _, outcome = survive(
                        root,
                        lambda stage, injection=injection: setattr(stage, "calls", injection),
                        lambda stage: setattr(stage, "calls", None),
                        warm,
                    )
                except AssertionError as error:
                    raise AssertionError(
                        f"{kind.__name__} at call {at} ({injection.name}), warm {warm}: {error}"
                    ) from None
                if injection.name is None:
                    break
                done["names"].add(injection.name)
                done["calls"] += 1
                done["restarts"] += outcome == RESTARTED
                done["crashes"] += outcome not in (RESTARTED, None)
                at += stride
    done["names"] = sorted(done["names"])
    return done


class Passing(Ballast):
    """Two seconds later, before a third crash, it gives it back."""

    def take(self, stage):
        asyncio.create_task(self._drop_later())
        self.fill()

    async def _drop_later(self):
        await asyncio.sleep(2)
        self.drop()


def out_of_memory(root, stride=64, first=0):
    """Let memory run out at each point of an answer. Returns what was done."""
    done = {"memory": 0, "memory_crashes": 0, "memory_restarts": 0, "memory_quiet": 0}
    for spare in range(LEAST_BYTES + first, MOST_BYTES, stride):
        ballast = Passing(spare)
        virtual_time.start()
        try:
            _, outcome = survive(
                root, ballast.take, lambda stage, ballast=ballast: ballast.drop(), spare & 64 == 0
            )
        except AssertionError as error:
            raise AssertionError(f"with {spare} bytes of heap: {error}") from None
        done["memory"] += 1
        done["memory_restarts"] += outcome == RESTARTED
        done["memory_crashes"] += outcome not in (RESTARTED, None)
        done["memory_quiet"] += outcome is None
    return done


def main(root, stride):
    done = at_each_call(root, 1)
    done.update(out_of_memory(root, stride))
    print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[3], int(sys.argv[4]))
