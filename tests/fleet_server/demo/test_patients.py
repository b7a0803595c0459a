"""Simulated patients answer as the published figures say, and press nothing but buttons."""

import asyncio
import random
from datetime import datetime

import pytest

from fleet_server.demo.patients import Patients, Tried
from fleet_server.instants import HELSINKI, to_ms
from provisioning.errors import ProvisioningError

# Means that Österbotten published for its kiosks' first year, on a scale from 1 to 5.
PUBLISHED = {"K1": 4.30, "K2": 4.35, "K3": 4.35, "K4": 4.44, "K5": 4.36, "K6": 4.38, "K7": 4.41, "LANG": 4.65}


def patients(kiosks=None, code="K1", busy=lambda _device: False) -> Patients:
    return Patients(kiosks or {}, lambda _device: code, busy, random.Random(7))


@pytest.mark.parametrize("code", PUBLISHED)
def test_the_shares_meet_the_published_means(code: str):
    shares = patients()._habits["shares"][code]
    mean = sum((5 - face) * share for face, share in enumerate(shares)) / sum(shares)
    assert mean == pytest.approx(PUBLISHED[code], abs=0.01)


def test_chosen_faces_follow_the_shares_and_variants_take_their_statements():
    people = patients()
    for code in ("K1", "K3-H", "never heard of"):
        faces = [people.choose_face(code) for _ in range(20_000)]
        shares = people._habits["shares"].get(code.partition("-")[0], people._habits["shares"]["default"])
        for face, share in enumerate(shares):
            assert faces.count(face) / 200 == pytest.approx(share, abs=1.2)


def test_a_monday_morning_is_busier_than_a_sunday_night():
    people = patients()

    def gap(day: int, hour: int) -> float:
        return people.mean_gap_s(to_ms(datetime(2026, 3, day, hour, tzinfo=HELSINKI)))

    assert gap(2, 9) == 12
    assert gap(1, 3) > 5 * gap(2, 9)
    assert gap(2, 3) < 120, "a demonstration is never silent for long"


def test_every_press_is_flagged_simulated_and_a_kiosk_without_power_stops_nobody():
    pressed = []

    class Kiosk:
        async def ask(self, do: str, **arguments: object) -> dict:
            pressed.append((do, arguments))
            if len(pressed) == 2:
                raise ProvisioningError("no power")
            return {}

    people = patients({"device": Kiosk()})
    people.mean_gap_s = lambda _now: 0.001

    async def for_a_moment() -> None:
        task = asyncio.create_task(people.run())
        while len(pressed) < 5:
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(asyncio.wait_for(for_a_moment(), 5))
    assert all(do == "press" and arguments["simulated"] for do, arguments in pressed)


def test_simulated_patients_keep_away_from_a_kiosk_that_somebody_tries():
    class Kiosk:
        async def ask(self, *_: object, **__: object) -> dict:
            raise AssertionError("somebody is trying this kiosk")

    tried = Tried()
    tried.touch("device")
    people = patients({"device": Kiosk()}, busy=tried.busy)
    people.mean_gap_s = lambda _now: 0.001

    async def for_a_moment() -> None:
        task = asyncio.create_task(people.run())
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()

    asyncio.run(for_a_moment())
    assert not tried.busy("another")
