"""A virtual kiosk's screen is seen as its firmware drew it, and no touch on it is missed."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.errors import ProvisioningError
from provisioning.identity import Identity
from provisioning.models import MODELS
from provisioning.virtual.client import VirtualKiosk
from tests.provisioning.kiosk_states import SOON_S, until
from tests.provisioning.screen_kiosks import decoded, pixel, small_firmware

Start = Callable[[str], VirtualKiosk]
BLACK, WHITE, RED = (0, 0, 0), (255, 255, 255), (255, 0, 0)


@pytest.fixture
def start(tmp_path: Path, identity: Identity) -> Iterator[Start]:
    """Starts a kiosk of a model with the tiny program; ends it in the end."""
    firmware = small_firmware(tmp_path / "firmware")
    made: list[VirtualKiosk] = []

    def begin(model: str) -> VirtualKiosk:
        kiosk = VirtualKiosk.create(tmp_path / "kiosks", "lobby", identity, model=model, firmware=firmware)
        made.append(kiosk)
        kiosk.start()
        until(kiosk, lambda status: status["show"].get("screen") == "ready" and status.get("frame") != 0)
        return kiosk

    yield begin
    for kiosk in made:
        if kiosk.running:
            kiosk.stop()


def read(kiosk: VirtualKiosk, count: int) -> list[Any]:
    status = until(kiosk, lambda status: len(status["show"].get("read", [])) >= count)
    found: list[Any] = status["show"]["read"]
    return found


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_board_runner_and_table_agree_on_what_a_model_has(start: Start, model: Any) -> None:
    status = start(model.name).status()
    assert (status["model"], status["faces"], status["screen"]) == (model.name, model.faces, model.screen)
    assert (status["show"]["faces"], status["show"]["kind"]) == (model.faces, model.screen)
    assert len(status["lights"]) == model.faces
    assert ("frame" in status) == (model.screen != "none")


def test_what_is_drawn_where_it_was_touched_is_seen_as_a_picture(start: Start) -> None:
    kiosk = start("touch")
    before = until(kiosk, lambda status: pixel(kiosk.screen(), 479, 319) == WHITE)["frame"]
    assert decoded(kiosk.screen())[:2] == (480, 320)
    kiosk.touch(100, 200)
    read(kiosk, 1)
    until(kiosk, lambda status: status["frame"] > before)
    picture = kiosk.screen()
    assert [pixel(picture, *at) for at in ((96, 200), (103, 207))] == [RED, RED]
    assert [pixel(picture, *at) for at in ((95, 200), (104, 200), (96, 199), (96, 208))] == [WHITE] * 4


def test_the_shortest_touches_are_all_read_with_a_pause_between_while_the_program_looks_away(
    start: Start,
) -> None:
    kiosk = start("touch")
    kiosk.touch(470, 10, ms=1)
    for x in (10, 11, 10):
        kiosk.touch(x, 20, ms=1, simulated=x == 11)
    found = read(kiosk, 8)
    assert [one[0] for one in found] == [[470, 10], None, [10, 20], None, [11, 20], None, [10, 20], None]
    assert [one[2] for one in found if one[0]] == [False, False, True, False]
    assert [one[1] for one in found] == [1, 0] * 4


def test_a_finger_stays_until_it_is_lifted_and_two_are_told_apart(start: Start) -> None:
    kiosk = start("touch")
    kiosk.down(10, 20)
    assert read(kiosk, 1) == [[[10, 20], 1, False]]
    time.sleep(0.3)
    assert len(kiosk.status()["show"]["read"]) == 1
    kiosk.up()
    kiosk.up()
    kiosk.down(30, 40, fingers=2)
    assert [one[:2] for one in read(kiosk, 3)] == [[[10, 20], 1], [None, 0], [[30, 40], 2]]


def test_an_update_in_many_bands_is_told_once_and_the_number_never_goes_back(start: Start) -> None:
    kiosk = start("touch")
    first = kiosk.status()["frame"]
    assert first <= 2, "sixteen bands, drawn at once"

    async def told() -> int:
        """The number that those who watch hear after a touch."""
        async with asyncio.timeout(SOON_S):
            async for event in kiosk.watch():
                if "power" in event:  # how it is at first
                    await kiosk.ask("touch", x=5, y=5)
                elif "frame" in event:
                    return int(event["frame"])
        raise AssertionError("the runner ended")

    touched = asyncio.run(told())
    assert touched > first
    kiosk.cut()
    kiosk.on()
    after = until(kiosk, lambda status: status["show"].get("screen") == "ready")["frame"]
    assert after > touched


def test_without_power_a_touchscreen_is_dark_and_paper_keeps_its_picture(start: Start) -> None:
    kiosk = start("touch")
    until(kiosk, lambda status: pixel(kiosk.screen(), 0, 0) == WHITE)
    kiosk.cut()
    assert pixel(kiosk.screen(), 0, 0) == BLACK
    with pytest.raises(ProvisioningError, match="^kiosk 'lobby' has no power; switch it on first$"):
        kiosk.touch(1, 1)
    kiosk.on()
    until(kiosk, lambda status: pixel(kiosk.screen(), 0, 0) == WHITE)


def test_paper_shows_what_was_written_after_a_refresh_only_and_keeps_it_without_power(start: Start) -> None:
    kiosk = start("button5")
    until(kiosk, lambda status: status["refreshes"] == [0, 1])
    assert decoded(kiosk.screen())[:2] == (400, 300)
    kiosk.press(0)
    until(kiosk, lambda status: status["show"].get("mask") == 1)
    assert pixel(kiosk.screen(), 16, 40) == (1,)
    kiosk.press(1)
    until(kiosk, lambda status: status["refreshes"] == [1, 1])
    shown = kiosk.screen()
    assert [pixel(shown, *at) for at in ((16, 40), (23, 47), (15, 40), (24, 40))] == [(0,), (0,), (1,), (1,)]
    kiosk.cut()
    assert kiosk.screen() == shown
    kiosk.stop()
    kiosk.start()
    until(kiosk, lambda status: status["frame"] > 0)
    kiosk.press(1)
    until(kiosk, lambda status: status.get("refreshes") == [1, 1])
    assert pixel(kiosk.screen(), 16, 40) == (1,), "the new start drew white over it"


def test_what_is_not_on_the_kiosk_gets_one_clear_line(start: Start) -> None:
    kiosk = start("touch")
    for do, fields, said in [
        ("touch", {"x": 480, "y": 0}, "touch: x is 480, it must be a whole number 0 to 479"),
        ("touch", {"x": 0, "y": 320}, "touch: y is 320, it must be a whole number 0 to 319"),
        ("touch", {"x": 0}, "touch: y is None, it must be a whole number 0 to 319"),
        ("down", {"x": True, "y": 1}, "down: x is True, it must be a whole number 0 to 479"),
        ("down", {"x": 1, "y": 1, "fingers": 3}, "down: fingers is 3, it must be 1 or 2"),
        ("touch", {"x": 1, "y": 1, "ms": 0}, "touch of 0 ms: it must be a whole number from 1 to 60000"),
        ("press", {"face": 0}, "face 0 does not exist; touch has a touchscreen and no buttons"),
    ]:
        with pytest.raises(ProvisioningError) as refused:
            kiosk.call(do, **fields)
        assert str(refused.value) == said
    assert "read" not in kiosk.status()["show"]


@pytest.mark.parametrize("model", ["button4", "card5"])
def test_buttons_cannot_be_touched_nor_cards_looked_at(start: Start, model: str) -> None:
    kiosk = start(model)
    with pytest.raises(ProvisioningError) as refused:
        kiosk.touch(1, 1)
    assert str(refused.value) == f"touch: {model} has buttons and no touchscreen; press a face instead"
    if model == "card5":
        with pytest.raises(ProvisioningError) as refused:
            kiosk.screen()
        assert str(refused.value) == "screen: card5 has none, its question is on a printed card"
