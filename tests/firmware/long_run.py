"""Many days of a kiosk's life on virtual time, on MicroPython: what must not grow does not, timers survive the wrap.

    micropython -X heapsize=384K long_run.py FIRMWARE TESTS ROOT DAYS STEP_MS

FIRMWARE and TESTS are folders for sys.path, ROOT an empty one for the kiosk's files. STEP_MS: the least step of the
clock while nobody is near. Prints one line of JSON at the end.
"""

import asyncio
import json
import os
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]

import virtual_time
from stage import Stage, heap
from stage_server import SETTINGS
from virtual_time import PERIOD, clock

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
PRESSES = 330  # a day; with reports and states more than 500 publishes
OPENS_MS, CLOSES_MS = 8 * HOUR_MS, 18 * HOUR_MS
WARM_DAYS = 2  # until everything has happened once
FIRST_WRAP_MS = 9 * HOUR_MS
EVERYDAY = {"lockout_ms": 2000, "repeat_ms": 500, "thanks_ms": 600, "stuck_s": 30}


def fds():
    return len(os.listdir("/proc/self/fd"))


def files(folder):
    """Paths below a folder."""
    found = []
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        found += files(path) if entry[1] == 0x4000 else [path]
    return sorted(found)


class Life:
    def __init__(self, root, days, step_ms):
        self.root = root
        self.days = days
        self.step_ms = step_ms
        self.heaps = [0] * days
        self.wrap = FIRST_WRAP_MS
        self.wraps = 0
        self.crashes = 0
        self.resets = 0
        self.most_files = []
        self.slowest_ms = 0

    async def story(self, stage):
        await stage.online()
        for day in range(self.days):
            begins = day * DAY_MS
            for i in range(PRESSES):
                at = begins + OPENS_MS + (CLOSES_MS - OPENS_MS) * i // PRESSES
                await self.pass_time(stage, at)
                if virtual_time.ms() - at < 60_000:  # else the wrap was more interesting
                    await self.press(stage, i % 5)
                self.disturb(stage, day, i)
            await self.pass_time(stage, begins + DAY_MS - HOUR_MS)
            await stage.drained(1000)
            await self.pass_time(stage, begins + DAY_MS)
            self.look(stage, day)
        return True

    async def pass_time(self, stage, at_ms):
        """Until then, or longer when the counter wraps on the way."""
        if self.wrap - 120_000 < at_ms:
            await self.around_the_wrap(stage, self.wrap)
            self.wrap += PERIOD
        await self.until(at_ms)

    async def until(self, at_ms):
        """Nobody is near until then."""
        clock.step_ms = self.step_ms
        left = at_ms - virtual_time.ms() - 2 * self.step_ms
        if left > 0:
            await asyncio.sleep(left / 1000)
        clock.step_ms = 0
        left = at_ms - virtual_time.ms()
        if left > 0:
            await asyncio.sleep(left / 1000)

    async def press(self, stage, face):
        waited = await stage.press(face)
        assert waited is not None, f"day {virtual_time.ms() / DAY_MS}: not thanked; {stage.board.lines}"
        self.slowest_ms = max(self.slowest_ms, waited)

    def disturb(self, stage, day, i):
        """Each day the same mishaps, so that each day's heap can be compared with the next one's."""
        if i == 40:
            stage.connection.end("reset", stage.rng)
        elif i == 80:
            stage.connection.end("freeze", stage.rng)
        elif i == 120:
            stage.connection.end("garbage", stage.rng)
        elif i == 140:
            stage.board.link.plugged = False
        elif i == 160:
            stage.board.link.plugged = True
        elif i == 180:
            stage.receipts = lambda reply: []  # the collector is away
        elif i == 200:
            stage.receipts = lambda reply: [(0, reply), (30, reply), (40_000, reply)]
        elif i == 220:
            stage.receipts = None
            stage.server.generation = 7 + day  # it was restored from a backup, which lacked nothing
        elif i == 240:
            self.fail_once(stage.app.report)
        self.resets += i in (40, 80, 120)

    def fail_once(self, report):
        build = report.build
        self.crashes += 1

        def failing():
            report.build = build
            raise RuntimeError("made to fail")

        report.build = failing

    async def around_the_wrap(self, stage, wrap):
        """Lock-out, lights, stuck button, back-off, receipt's time-out and a crash's pause lie across the wrap."""
        app, board = stage.app, stage.board
        lockouts = app.buttons.ignored["lockout"]
        board.link.plugged = True  # should it be the hour of the pulled cable
        await self.until(wrap - 100_000)
        stage.receipts = lambda reply: []
        await self.press(stage, 0)  # its receipt does not come: 10, 20, 40, 80 s
        await self.until(wrap - 15_000)
        board.touch(4, True)
        await self.until(wrap - 1_000)
        stage.connection.end("reset", stage.rng)
        self.fail_once(app.report)
        await self.until(wrap - 300)
        await self.press(stage, 1)
        assert virtual_time.ticks_ms() < PERIOD // 2 or virtual_time.ms() < wrap
        await self.until(wrap + 500)
        assert await stage.press(2) is None, "the lock-out ended with the wrap"
        assert app.buttons.ignored["lockout"] == lockouts + 1
        assert app.survey._lights_until is None, "the lights did not go out"
        await self.until(wrap + 2_500)
        await self.press(stage, 3)
        await self.until(wrap + 13_500)
        assert app.buttons.stuck_faces() == []
        await self.until(wrap + 18_000)
        assert app.buttons.stuck_faces() == [4]
        board.touch(4, False)
        stage.receipts = None
        await self.until(wrap + 20_000)
        assert app.buttons.stuck_faces() == []
        await stage.online()
        await stage.drained(200)
        board.touch(0, True)
        board.touch(4, True)
        await asyncio.sleep(3.5)
        assert app.buttons.cleaning
        board.touch(0, False)
        board.touch(4, False)
        await asyncio.sleep(55)
        assert app.buttons.cleaning
        await asyncio.sleep(10)
        assert not app.buttons.cleaning
        self.wraps += 1

    def look(self, stage, day):
        """At the end of a day."""
        found = files(self.root)
        if len(found) > len(self.most_files):
            self.most_files = found
        lines = [line for line in stage.board.lines if "deadline" in line or "safe mode" in line]
        assert not lines, lines
        # What the test remembers of this day does not count.
        stage.board.lines.clear()
        stage.app._lines.clear()
        stage.server.logs.clear()
        self.heaps[day] = heap()
        assert virtual_time.ms() - stage.board.dog.fed_ms <= 2 * self.step_ms + 2_000


def main(root, days, step_ms):
    virtual_time.start(PERIOD - FIRST_WRAP_MS)
    life = Life(root, days, step_ms)
    stage = Stage(root, keep=False)
    stage.server.settings = dict(SETTINGS)
    stage.server.settings.update(EVERYDAY)
    assert stage.live(life.story) is True, stage.board.lines
    server = stage.server
    print(
        json.dumps(
            {
                "days": days,
                "publishes": server.publishes,
                "answers": server.answers,
                "thanks": stage.thanks,
                "lost": server.lost,
                "lives": stage.lives,
                "connections": stage.passed["dial"],
                "wraps": life.wraps,
                "crashes": life.crashes,
                "resets": life.resets,
                "slowest_ms": life.slowest_ms,
                "heaps": life.heaps[WARM_DAYS:],
                "files": life.most_files,
                "fds": fds(),
                "lines": stage.board.lines[-3:],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
