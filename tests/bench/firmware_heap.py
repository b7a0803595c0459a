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
from provisioning.models import model_of
from tests.firmware.front.kiosk_rig import DEVICE, Kiosk, Server, digest, largest_set, press_beforehand

STEP_K = 2
LOW_K = 48
PASSES = 5  # how often the size that bisection finds has to carry its step
GLASS_BYTES = 15_000
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


def heap_k(model: str) -> int:
    """KiB that a kiosk of the model has."""
    return int(model_of(model).heap.removesuffix("K"))


def image(port: int, model: str, probe: bool = False) -> bytes:
    """A kiosk's flash as it leaves the workshop; with `probe` it tells its heap."""
    firmware = firmware_files("unix", model=model)
    if probe:
        firmware = dataclasses.replace(firmware, files={**firmware.files, "/main.py": PROBE})
    identity = Identity(id=DEVICE, secret="0" * 64, host="127.0.0.1", port=port)
    return build_image(firmware, identity, model).content


class Steps:
    """The main job's steps of a button kiosk, each from a flash image: `run(step, heap_k)` says whether it went well.

    With e-paper a question counts as asked once it stands on the glass; with a card once the page says that it is in.
    """

    def __init__(self, server: Server, port: int, flash: Path, model: str) -> None:
        self.most_k = heap_k(model)
        self._model = model
        self._screen = model_of(model).screen
        self._server = server
        self._flash = flash
        self._port = port
        self._views = dict(server.views)
        self._images = {}
        for probe in (False, True):
            self._images.update(self._prepare(probe))
        self._steps: dict[str, Done] = {
            "boot": lambda kiosk, server: _ready(kiosk) and self._drawn(kiosk, 0),
            "connect": lambda kiosk, server: _online(kiosk, server),
            "press": self._press,
            "sync": lambda kiosk, server: _online(kiosk, server) and kiosk.journal.get("waiting") == 0,
            "set": self._set,
        }
        self._pressed = False
        self._drawn_before = 0  # frames on e-paper when the set was there

    def run(self, step: str, heap_k: int, probe: bool = False) -> tuple[bool, list[int]]:
        """Whether the step went well with this heap, and with `probe` its [allocated, live] bytes at the end."""
        server, done = self._server, self._steps[step]
        self._start_anew(step)
        self._flash.write_bytes(self._images[step, probe])
        kiosk = self._kiosk()
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
        """KiB: by bisection between `low_k`, which is taken for too little, and what the model has; then confirmed."""
        bad, good = low_k - STEP_K, self.most_k
        while good - bad > STEP_K:
            middle = (good + bad) // 2 // STEP_K * STEP_K
            if self.run(step, middle)[0]:
                good = middle
            else:
                bad = middle
        while not all(self.run(step, good)[0] for _ in range(PASSES)):
            good += STEP_K
            if good > self.most_k:
                raise AssertionError(f"{step}: does not go well {PASSES} times with {self.most_k}K")
        return good

    def _prepare(self, probe: bool) -> dict[tuple[str, bool], bytes]:
        """Flash images: one that holds its question set, with and without a broker to go to, and with a backlog."""
        fresh = image(self._port, self._model, probe)
        self._start_anew("")
        self._flash.write_bytes(fresh)
        kiosk = self._kiosk()
        kiosk.on(f"{self.most_k}K")
        kiosk.ready()
        kiosk.cut()
        known = self._flash.read_bytes()
        press_beforehand(kiosk, STORED)
        behind = self._flash.read_bytes()
        # Where the broker is stands in NVS alone: the file system and the journal come from the kiosk that knows.
        alone = bytearray(known)
        row = partition("nvs")
        place = slice(row.offset, row.offset + row.size)
        alone[place] = image(NOBODY, self._model, probe)[place]
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
        if self._screen == "none":
            server.settings["card"] = digest(*server.views.values())
        self._pressed = False
        self._drawn_before = 0

    def _kiosk(self) -> Kiosk:
        kiosk = Kiosk(self._flash)
        if self._screen == "paper":
            kiosk.frame = self._flash.with_suffix(".frame")
            kiosk.frame.write_bytes(b"\xff" * 2 * GLASS_BYTES)
        return kiosk

    def _drawn(self, kiosk: Kiosk, before: int) -> bool:
        return self._screen != "paper" or kiosk.frames > before

    def _set(self, kiosk: Kiosk, server: Server) -> bool:
        if kiosk.shown.get("number") != 15:
            self._drawn_before = kiosk.frames
            return False
        return self._press(kiosk, server) and self._drawn(kiosk, self._drawn_before)

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
