"""Runs on MicroPython: a kiosk without buttons, for tests of its connection.

`argv[1]` names a JSON file with `identity`, `root`, `settings`, `name_servers`, `run` (an argument itself has at
most 255 bytes there). Commands come as JSON lines on stdin, events go as JSON lines to stdout.
"""

import asyncio
import gc
import json
import os
import sys
import time

from kiosk.clock import Clock, Uptime
from kiosk.compat import ticks_ms
from kiosk.desired import Desired
from kiosk.journal import Journal
from kiosk.link import LINK_ERRORS, Session
from kiosk.report import Report
from kiosk.sets import Sets
from kiosk.settings import Settings, count_start
from kiosk.sync import Sync

with open(sys.argv[1]) as config:
    CONFIG = json.load(config)


class RamFlash:
    def __init__(self, blocks):
        self.blocks = [bytearray(b"\xff" * 4096) for _ in range(blocks)]

    def readblocks(self, n, buf, off=0):
        buf[:] = memoryview(self.blocks[n])[off : off + len(buf)]

    def writeblocks(self, n, buf, off=None):
        if off is None:
            self.ioctl(6, n)
        self.blocks[n][off or 0 : (off or 0) + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.blocks)
        if op == 5:
            return 4096
        if op == 6:
            self.blocks[arg] = bytearray(b"\xff" * 4096)
        return 0


class Link:
    plugged = True

    def up(self):
        return self.plugged

    async def connect(self):
        while not self.plugged:
            await asyncio.sleep(0.05)

    def signal(self):
        return None

    def name_servers(self):
        return CONFIG["name_servers"]


class Board:
    name = "unix"
    model = "button5"
    faces = 5
    firmware = "0.0.0"
    build = 0
    root = CONFIG["root"]
    link = Link()

    def identity(self):
        return CONFIG["identity"]

    def random(self, count):
        return os.urandom(count)

    def reset_cause(self):
        return 1

    def health(self):
        return {"supply": None, "temperature": None}

    def raise_clock(self, utc_ms):
        say(clock_raised=utc_ms)

    def log(self, line):
        say(log=line)


def say(**event):
    print(json.dumps(event))


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def waited_us():
    """Microseconds that this process was ready to run and other processes ran instead."""
    with open("/proc/self/schedstat") as file:
        return int(file.read().split()[1]) // 1000


async def watch_the_loop():
    """Tell how long the loop was ever held up by ourselves: a press would have waited that long."""
    longest = 0
    while True:
        before, waited = time.ticks_us(), waited_us()
        await asyncio.sleep_ms(1)
        late = time.ticks_diff(time.ticks_us(), before) - 1000 - (waited_us() - waited)
        if late > longest:
            longest = late
            say(stall_us=late)


async def main():
    board = Board()
    uptime = Uptime(ticks_ms)
    clock = Clock(uptime)
    settings = Settings()
    settings.update(CONFIG.get("settings", {}))
    journal = Journal(RamFlash(8), board.random)
    sets = Sets(board.root, clock, board.faces)
    desired = Desired(board.root, sets, settings)
    sync = Sync(journal, clock, uptime, board, board.random)
    report = Report(board, journal, clock, uptime, sets, desired)
    session = Session(board, clock, uptime, sync, report, desired, sets, settings, count_start(board.root))
    status = None
    asyncio.create_task(watch_the_loop())
    tasks = []
    if CONFIG.get("run", True):
        tasks.append(asyncio.create_task(session.run(lambda: None)))
    stdin = asyncio.StreamReader(sys.stdin)

    async def commands():
        while True:
            line = await stdin.readline()
            if not line:
                sys.exit(0)
            order = json.loads(line)
            if "press" in order:
                for _ in range(order["press"]):
                    journal.append(1, set_number=14, session=0, value=5, uptime=uptime.tenths())
                sync.kick()
            elif "net" in order:
                board.link.plugged = order["net"]
            elif "crash" in order:
                session.log({"task": "test", "trace": order["crash"]})
            elif "leave" in order:
                await session.leave(order["leave"], 3600)
            elif "fail" in order:
                for _ in range(order["fail"]):
                    try:
                        await session._connect(lambda: None)
                    except LINK_ERRORS as error:
                        reason = repr(error)
                say(failed=order["fail"], reason=reason)
            elif "tell" in order:
                gc.collect()
                say(
                    fds=descriptors(),
                    waiting=journal.waiting,
                    clock=clock.now(),
                    heap=gc.mem_alloc(),
                    running=sets.running,
                    version=desired.version,
                )

    tasks.append(asyncio.create_task(commands()))
    while True:
        if session.status != status:
            status = session.status
            say(status=status)
        sets.switch()
        for task in tasks:
            if task.done():
                await task
                sys.exit(3)
        await asyncio.sleep(0.02)


asyncio.run(main())
