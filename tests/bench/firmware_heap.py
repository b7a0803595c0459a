"""How much heap the firmware needs for each step of the main job: what it keeps, and the least it runs with.

Invariant: a size counts only after the whole step has gone well with it several times; a heap that is too small
shows itself as a MemoryError or as a kiosk that crawls from one collection to the next.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from provisioning.firmware_files import firmware_files
from provisioning.flash_layout import partition
from provisioning.identity import Identity
from provisioning.image import build_image
from tests.firmware.front.kiosk_rig import DEVICE, Kiosk, Server, largest_set, press_beforehand

STEP_K = 2
LOW_K, HIGH_K = 48, 192  # the second is what a virtual kiosk may have at most
PASSES = 5  # how often the size that bisection finds has to carry its step
PATIENCE_S = 20  # a step takes 1 to 3 s with room enough
STORED = 500  # presses: seven full batches
NOBODY = 1  # a port at which no broker listens

# Beside the program as it is: asked on its control line, it says how much is allocated, live and garbage together,
# and what is live. It costs some 500 bytes itself and is left out of the image where a least heap is looked for.
PROBE = b"""
import board, gc

do = board.command

def command(order):
    if "heap" in order:
        before = gc.mem_alloc()
        gc.collect()
        board._emit({"show": {"heap": [before, gc.mem_alloc()]}})
    else:
        do(order)

board.command = command
from kiosk.app import run

run(board)
"""

Done = Callable[[Kiosk, Server], bool]


def image(port: int, probe: bool = False) -> bytes:
    """A kiosk's flash as it leaves the workshop; with `probe` it tells its heap."""
    firmware = firmware_files("unix")
    if probe:
        firmware = dataclasses.replace(firmware, files={**firmware.files, "/main.py": PROBE})
    identity = Identity(id=DEVICE, secret="0" * 64, host="127.0.0.1", port=port)
    return build_image(firmware, identity, "button5").content


class Steps:
    """The main job's steps, each from a flash image: `run(step, heap_k)` says whether it went well."""

    def __init__(self, server: Server, port: int, flash: Path) -> None:
        self._server = server
        self._flash = flash
        self._port = port
        self._views = dict(server.views)
        self._images = {}
        for probe in (False, True):
            self._images.update(self._prepare(probe))
        self._steps: dict[str, Done] = {
            "boot": lambda kiosk, server: _ready(kiosk),
            "connect": lambda kiosk, server: _online(kiosk, server),
            "press": self._press,
            "sync": lambda kiosk, server: _online(kiosk, server) and kiosk.journal.get("waiting") == 0,
            "set": lambda kiosk, server: kiosk.shown.get("number") == 15 and self._press(kiosk, server),
        }
        self._pressed = False

    def run(self, step: str, heap_k: int, probe: bool = False) -> tuple[bool, list[int]]:
        """Whether the step went well with this heap, and with `probe` its [allocated, live] bytes at the end."""
        server, done = self._server, self._steps[step]
        self._start_anew(step)
        self._flash.write_bytes(self._images[step, probe])
        kiosk = Kiosk(self._flash)
        kiosk.on(f"{heap_k}K")
        assert kiosk.process
        until = time.monotonic() + PATIENCE_S
        try:
            while time.monotonic() < until and kiosk.process.poll() is None and not _short(kiosk):
                if done(kiosk, server):
                    return not _short(kiosk), _heap(kiosk) if probe else []
                time.sleep(0.01)
            return False, []
        finally:
            kiosk.cut()

    def least(self, step: str, low_k: int) -> int:
        """KiB: by bisection between `low_k`, which is taken for too little, and HIGH_K; then confirmed."""
        bad, good = low_k - STEP_K, HIGH_K
        while good - bad > STEP_K:
            middle = (good + bad) // 2 // STEP_K * STEP_K
            if self.run(step, middle)[0]:
                good = middle
            else:
                bad = middle
        while not all(self.run(step, good)[0] for _ in range(PASSES)):
            good += STEP_K
            if good > HIGH_K:
                raise AssertionError(f"{step}: does not go well {PASSES} times with {HIGH_K}K")
        return good

    def _prepare(self, probe: bool) -> dict[tuple[str, bool], bytes]:
        """Flash images: one that holds its question set, with and without a broker to go to, and with a backlog."""
        fresh = image(self._port, probe)
        self._start_anew("")
        self._flash.write_bytes(fresh)
        kiosk = Kiosk(self._flash)
        kiosk.on("192K")
        kiosk.ready()
        kiosk.cut()
        known = self._flash.read_bytes()
        press_beforehand(kiosk, STORED)
        behind = self._flash.read_bytes()
        # Where the broker is stands in NVS alone: the file system and the journal come from the kiosk that knows.
        alone = bytearray(known)
        row = partition("nvs")
        alone[row.offset : row.offset + row.size] = image(NOBODY, probe)[row.offset : row.offset + row.size]
        return {
            ("boot", probe): bytes(alone),
            ("connect", probe): known,
            ("press", probe): known,
            ("sync", probe): behind,
            ("set", probe): known,
        }

    def _start_anew(self, step: str) -> None:
        server = self._server
        for kept in (server.records, server.booked, server.seen, server.reports, server.states):
            kept.clear()
        server.views = dict(self._views)
        server.version = 1
        if step == "set":
            server.publish_set(largest_set())
        self._pressed = False

    def _press(self, kiosk: Kiosk, server: Server) -> bool:
        if not self._pressed and _online(kiosk, server):
            kiosk.say(press=0, ms=30)
            self._pressed = True
        return self._pressed and kiosk.thanks > 0 and kiosk.journal.get("waiting") == 0


def _ready(kiosk: Kiosk) -> bool:
    return kiosk.screens[-1:] == ["ready"] and kiosk.shown.get("status") == "offline"


def _online(kiosk: Kiosk, server: Server) -> bool:
    """Connected, reported, and said to be ready, after the server's receipt."""
    ready = any(state["state"] == "ready" for state in list(server.states))
    return kiosk.screens[-1:] == ["ready"] and kiosk.shown.get("status") == "online" and ready


def _short(kiosk: Kiosk) -> bool:
    return any("emory" in line or "no room" in line for line in list(kiosk.lines))


def _heap(kiosk: Kiosk) -> list[int]:
    kiosk.say(heap=True)
    until = time.monotonic() + PATIENCE_S
    while "heap" not in kiosk.shown and time.monotonic() < until:
        time.sleep(0.01)
    return kiosk.shown["heap"]
