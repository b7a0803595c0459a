"""A virtual kiosk with visitors and with trouble: it is pressed, cut and unplugged at random, and every press is kept.

Knows no server. What the visitors see is what the kiosk itself says: each press ends as `thanked`, `refused` or
`ignored` (the kiosk showed so), or `cut`: the power failed before anything was shown, so it may be in flash or not.
"""

import asyncio
import contextlib
import random
import shutil
from pathlib import Path
from typing import NamedTuple

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import firmware_root
from provisioning.virtual.client import VirtualKiosk

LOCKOUT_MS = 300  # instead of two seconds, so that eight kiosks see as many visitors as fifty would
TOUCH_MS = 60
OUTCOME_S = 60.0  # a busy machine may take its time; nothing is judged by it
READY_S = 120.0


class Press(NamedTuple):
    """What a visitor pressed and saw. `value`: as the record has it, 5 is the happiest."""

    value: int
    outcome: str


class Trouble(NamedTuple):
    """How often, in seconds on average, a kiosk is cut or unplugged, and the share of presses cut in the middle."""

    between_s: float = 8.0
    amid_press: float = 0.04


def hasty_firmware(folder: Path) -> Path:
    """The firmware with a short lock-out: the one change to it, in a number that a county may choose."""
    copy = folder / "firmware"
    shutil.copytree(firmware_root(), copy)
    settings = copy / "kiosk" / "settings.py"
    text = settings.read_text("utf-8")
    assert text.count('"lockout_ms": 2000') == 1
    settings.write_text(text.replace('"lockout_ms": 2000', f'"lockout_ms": {LOCKOUT_MS}'), "utf-8")
    return copy


class RoughKiosk:
    """One kiosk of a rough time. `presses` in their order; `pressed`: the kiosk's own counter, by epoch."""

    def __init__(self, kiosk: VirtualKiosk, device_id: str, seed: int, trouble: Trouble) -> None:
        self.kiosk = kiosk
        self.device_id = device_id
        self.presses: list[Press] = []
        self.pressed: dict[int, int] = {}
        self.waiting = 0
        self.cuts = self.unplugs = 0
        self.crashes: list[str] = []
        self.enough = asyncio.Event()  # set: no more visitors and no more trouble; what is under way ends
        self._chance = random.Random(seed)
        self._trouble = trouble
        self._screen: str | None = None
        self._outcome: asyncio.Future[str] | None = None
        self._power = asyncio.Lock()  # the two who cut do not do so at once
        self._last_value = 0

    async def follow(self) -> None:
        """Take in whatever the kiosk says, for as long as its runner lives."""
        async for event in self.kiosk.watch():
            shown = event.get("show") or {}
            self._screen = shown.get("screen", self._screen)
            journal = event.get("journal")
            if journal:
                known = self.pressed.get(journal["epoch"], 0)
                self.pressed[journal["epoch"]] = max(known, journal["pressed"])
                self.waiting = journal["waiting"]
            if "the firmware ended" in event.get("log", ""):
                self.crashes.append(event["log"])
            if event.get("sound") == "thanks":
                self._ended("thanked")
            elif event.get("sound") == "refused":
                self._ended("refused")
            elif "ignored" in shown:
                self._ended("ignored")
            elif event.get("power") is False:
                self._screen = None
                self._ended("cut")

    async def visitors(self) -> None:
        """Press, one after the other, as soon as the kiosk is ready for the next."""
        while not self.enough.is_set():
            await self._until_ready()
            if self._chance.random() < self._trouble.amid_press:
                delay_s = self._chance.uniform(0, 0.05)
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._press())
                    await asyncio.sleep(delay_s)
                    await self._cut()
            else:
                await self._press()
            await asyncio.sleep(self._chance.uniform(0, 0.1))

    async def troubles(self) -> None:
        """Cut the power and pull the cable, now and then."""
        while not await self._is_enough_within(self._chance.expovariate(1 / self._trouble.between_s)):
            if self._chance.random() < 0.5:
                await self._cut()
            else:
                await self.kiosk.ask("unplug")
                self.unplugs += 1
                await self._is_enough_within(self._chance.uniform(0.2, 6))
                await self.kiosk.ask("plug")

    async def calm(self) -> None:
        """Power on, cable in, and no waiting for a back-off that has grown long meanwhile."""
        for do in ("on", "unplug", "plug"):
            await self.kiosk.ask(do)
        await self._until_ready()

    def count(self, outcome: str) -> int:
        """How many presses ended so."""
        return sum(press.outcome == outcome for press in self.presses)

    async def _is_enough_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.enough.wait()
        return self.enough.is_set()

    async def _cut(self) -> None:
        async with self._power:
            await self.kiosk.ask("cut")
            self.cuts += 1
            await asyncio.sleep(self._chance.uniform(0, 1.5))
            await self.kiosk.ask("on")

    async def _press(self) -> None:
        value = self._chance.choice([one for one in range(1, 6) if one != self._last_value])
        self._last_value = value
        outcome = self._outcome = asyncio.get_running_loop().create_future()
        self._screen = None
        try:
            await self.kiosk.ask("press", face=5 - value, ms=TOUCH_MS)
        except ProvisioningError:
            return  # it had no power: nobody touched anything that lives
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OUTCOME_S):
                await outcome
        ended = outcome.result() if outcome.done() and not outcome.cancelled() else "cut"
        self.presses.append(Press(value, ended))

    def _ended(self, outcome: str) -> None:
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(outcome)

    async def _until_ready(self) -> None:
        async with asyncio.timeout(READY_S):
            while self._screen != "ready":
                await asyncio.sleep(0.02)


def explained(presses: list[Press], recorded: list[int]) -> bool:
    """Whether `recorded` values are the thanked presses in their order, each once, and of the cut ones any."""
    reached = {0}
    for press in presses:
        if press.outcome not in ("thanked", "cut"):
            continue
        after = {at + 1 for at in reached if at < len(recorded) and recorded[at] == press.value}
        reached = after if press.outcome == "thanked" else reached | after
    return len(recorded) in reached
