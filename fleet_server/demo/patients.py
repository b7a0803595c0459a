"""Simulated patients: they press and touch virtual kiosks, with published shares and a week's rhythm.

They touch nothing but the kiosks' fronts, and each press is flagged `simulated` by the kiosk itself.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from fleet_server.demo.toucher import PRESS_MS, QuestionOf, Toucher
from fleet_server.instants import local, now_ms
from provisioning.errors import ProvisioningError
from provisioning.virtual.client import VirtualKiosk

ALONE_S = 60.0  # after somebody has closed "Try a kiosk"

log = logging.getLogger("hymio.demo")


class Tried:
    """Which kiosks a person is trying right now: simulated patients keep away from those."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def touch(self, device_id: str) -> None:
        """Somebody looks at this kiosk or touches it."""
        self._until[device_id] = time.monotonic() + ALONE_S

    def busy(self, device_id: str) -> bool:
        """Whether somebody did so a moment ago."""
        return time.monotonic() < self._until.get(device_id, 0.0)


class Patients:
    """People on their way out past some kiosks. `code_asked(device_id)` tells what a kiosk asks now, or None;
    `busy(device_id)` whether somebody tries it, and they had better stay away. `touched`: the touch kiosks among them,
    each with what tells its questions."""

    def __init__(
        self,
        kiosks: dict[str, VirtualKiosk],
        code_asked: Callable[[str], str | None],
        busy: Callable[[str], bool],
        chance: random.Random,
        touched: Mapping[str, QuestionOf] | None = None,
    ) -> None:
        self._kiosks = kiosks
        self._code_asked = code_asked
        self._busy = busy
        self._chance = chance
        self._touched = touched or {}
        self._habits: dict[str, Any] = json.loads(
            files("fleet_server.demo").joinpath("patients.json").read_text("utf-8")
        )

    async def run(self) -> None:
        """Press until cancelled."""
        async with asyncio.TaskGroup() as group:
            for device_id, kiosk in self._kiosks.items():
                group.create_task(self._pass_by(device_id, kiosk))

    async def _pass_by(self, device_id: str, kiosk: VirtualKiosk) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / self.mean_gap_s(now_ms())))
            if self._busy(device_id):
                continue
            try:
                await self._answer(device_id, kiosk)
            except (
                ProvisioningError,
                OSError,
            ) as fault:  # switched off, or being started: nobody is thanked then
                log.debug("a simulated patient could not press %s: %s", device_id, fault)

    async def _answer(self, device_id: str, kiosk: VirtualKiosk) -> None:
        if device_id in self._touched:

            def alone() -> bool:
                return not self._busy(device_id)

            await Toucher(kiosk, self._touched[device_id], self._habits, alone, self._chance).visit()
            return
        code = await asyncio.to_thread(self._code_asked, device_id)
        if code is not None:
            await kiosk.ask("press", face=self.choose_face(code), ms=PRESS_MS, simulated=True)

    def mean_gap_s(self, now: int) -> float:
        """Mean seconds between two patients at one exit at this instant (UTC ms), by Finland's clock."""
        moment = local(now)
        day = self._habits["weekend" if moment.weekday() >= 5 else "weekday"]
        return float(self._habits["busiest_gap_s"]) / float(day[moment.hour])

    def choose_face(self, code: str) -> int:
        """A face, 0 = happiest, for a question with this code (`K3-H` has K3's shares)."""
        shares = self._habits["shares"]
        weights = shares.get(code.partition("-")[0], shares["default"])
        return self._chance.choices(range(len(weights)), weights)[0]
