"""A kiosk's board in memory, for stage.py: flash, buttons, lights, watchdog; each call can be made to fail.

Runs on CPython and MicroPython.
"""

import asyncio

import virtual_time
from stage_server import DEVICE

_BLANK = b"\xff" * 512


class RamFlash:
    """A journal's partition; `called(name)` hears of each read, program and erase before it is done."""

    def __init__(self, sectors, called):
        self.sectors = [bytearray(b"\xff" * 4096) for _ in range(sectors)]
        self.called = called

    def readblocks(self, pos, buf, off=0):
        self.called("read")
        memoryview(buf)[:] = memoryview(self.sectors[pos])[off : off + len(buf)]

    def writeblocks(self, pos, buf, off=0):
        self.called("program")
        sector = self.sectors[pos]
        for i in range(len(buf)):
            sector[off + i] &= buf[i]

    def ioctl(self, op, pos):
        if op == 4:
            return len(self.sectors)
        if op == 5:
            return 4096
        if op == 6:
            self.called("erase")
            sector = self.sectors[pos]
            for at in range(0, 4096, 512):
                sector[at : at + 512] = _BLANK
        return 0


class Dog:
    """A watchdog that remembers when it was fed."""

    def __init__(self, timeout_ms):
        self.timeout_ms = timeout_ms
        self.feed()

    def feed(self):
        self.fed_ms = virtual_time.ms()


class Link:
    plugged = True

    def up(self):
        return self.plugged

    async def connect(self):
        while not self.plugged:
            await asyncio.sleep(1)

    def signal(self):
        return None


class Board:
    """What boards/unix.py is, without a host."""

    name = "stage"
    model = "button5"
    faces = 5
    screen = "lights"  # neither e-paper nor a printed card: what those do has tests of its own
    firmware = "0.0.0"
    build = 1
    slot = "a"

    def __init__(self, stage, root):
        self.stage = stage
        self.root = root
        self.journal_flash = stage.flash
        self.link = Link()
        self.lines = []
        self.shown = None
        self.dog = None
        self._down = self._latched = 0
        self.log = self.remember

    def identity(self):
        return {"id": DEVICE, "secret": "s" * 43, "host": "-", "port": 1, "tls": False, "ca": None}

    def random(self, count):
        self.stage.called("random")
        return self.stage.rng.bytes(count)

    def reset_cause(self):
        return 1

    def start(self):
        self.edge = asyncio.Event()

    async def wait_edge(self):
        await self.edge.wait()
        self.edge.clear()

    def pressed(self):
        self.stage.called("pressed")
        mask = self._down | self._latched
        self._latched = 0
        return mask

    def touch(self, face, down):
        """A finger goes down or up."""
        if down:
            self._down |= 1 << face
            self._latched |= 1 << face
        else:
            self._down &= ~(1 << face)
        self.edge.set()

    def simulated(self):
        self.stage.called("simulated")
        return False

    def light(self, face, on):
        self.stage.called("light")

    def light_all(self, on):
        self.stage.called("light_all")

    def sound(self, tune):
        self.stage.called("sound")
        if tune == "thanks":
            self.stage.thank()

    def show(self, what):
        self.stage.called("show")
        self.shown = what.get("screen", self.shown)

    def health(self):
        self.stage.called("health")
        return {"supply": None, "temperature": None}

    def faults(self):
        return []

    def watchdog(self, timeout_ms):
        self.dog = Dog(timeout_ms)
        return self.dog

    def remember(self, line):
        self.stage.called("log")
        self.lines.append(line)
        del self.lines[:-20]

    def reset(self):
        raise Restart

    async def background(self, beat):
        await asyncio.Event().wait()


class Restart(Exception):
    """The board was restarted."""
