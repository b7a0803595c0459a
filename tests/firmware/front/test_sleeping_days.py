"""Days of a battery kiosk on virtual time: what was pressed, when, and what a sleep, a cut or an outage takes along."""

import asyncio
import copy
import json
import struct
import zlib
from pathlib import Path

import pytest
import virtual_time
from kiosk.doze import GIVE_UP_S, MANY, SYNC_S
from nor import Rng
from sleeping_stage import PowerCut, SleepyStage
from stage_server import ANSWER, BOOT, CLOCK

from fleet_server.answers.placing import Anchor, best, interval, usable

HOUR_MS = 3_600_000
# A power cut leaves its tasks where they stood.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def stage(tmp_path: Path) -> SleepyStage:
    """A kiosk that has met its server once and sleeps."""
    virtual_time.start()
    stage = SleepyStage(str(tmp_path))
    stage.start()
    return stage


def of_kind(stage: SleepyStage, kind: int) -> list[bytes]:
    return [data for _, data in sorted(stage.server.records.items()) if data[2] == kind]


def placed(stage: SleepyStage) -> dict[tuple[int, int], tuple[int, int]]:
    """(epoch, seq) of each answer -> the interval that the server gives it, by its own arithmetic."""
    anchors: dict[tuple[int, int], list[Anchor]] = {}
    for (epoch, seq), data in stage.server.records.items():
        if data[2] == CLOCK:
            boot, uptime = struct.unpack_from("<II", data, 8)
            utc_ms, unsure = struct.unpack_from("<QI", data, 24)
            anchors.setdefault((epoch, boot), []).append(Anchor(uptime, seq, utc_ms, unsure))
    found = {}
    for (epoch, seq), data in stage.server.records.items():
        if data[2] == ANSWER:
            boot, uptime = struct.unpack_from("<II", data, 8)
            found[epoch, seq] = interval(best(usable(anchors[epoch, boot]), uptime), uptime)
    return found


def a_day(stage: SleepyStage, presses: int, rng: Rng) -> None:
    """So many presses, at any time; the timer in between."""
    begin = virtual_time.ms()
    for at in sorted(begin + rng.below(24 * HOUR_MS) for _ in range(presses)):
        while True:
            due = virtual_time.ms() + stage.sleeps[-1][0] / (1 + stage.drift)
            if due > at:
                break
            stage.sleep_on()
            stage.wake()
        stage.sleep(max(0, at - virtual_time.ms()))
        stage.wake(1 << rng.below(5))
    while virtual_time.ms() < begin + 24 * HOUR_MS:
        stage.sleep_on()
        stage.wake()


@pytest.mark.parametrize("drift", [-0.045, 0.045])
def test_a_hundred_presses_a_day_are_booked_once_each_at_a_time_that_holds_theirs(
    tmp_path: Path, drift: float
) -> None:
    virtual_time.start()
    stage = SleepyStage(str(tmp_path), drift=drift)
    stage.start()
    rng = Rng(7)
    days = 3
    for _ in range(days):
        a_day(stage, 100, rng)
    assert stage.thanks == stage.server.answers == 100 * days
    assert stage.thanked == stage.server.answered()
    assert stage.server.lost == 0
    syncs = len(stage.session_ms)
    assert 23 * days <= syncs <= 27 * days
    assert sorted(stage.session_ms)[syncs // 2] <= 8000, "what the charge model has for a sync"
    for key, (start, end) in placed(stage).items():
        assert start <= stage.pressed_ms[key] + 1_772_438_400_000 <= end
        assert end - start < 16 * 60_000
    boots, clocks = len(of_kind(stage, BOOT)), len(of_kind(stage, CLOCK))
    assert boots == clocks <= syncs, "one of each an hour with presses, not one a waking"


def test_a_cut_at_any_step_from_the_waking_to_the_sleep_keeps_the_promise(stage: SleepyStage) -> None:
    stage.sleep(HOUR_MS // 3)
    asleep = stage.snapshot()
    stage.count = 0
    stage.wake(1 << 2)
    steps, outcomes = stage.count, []
    for cut in range(steps):
        stage.restore(asleep)
        stage.server.records.clear()
        stage.server.through.clear()
        stage.server.seen.clear()
        stage.thanked.clear()
        stage.count, stage.cut = 0, cut
        with pytest.raises(PowerCut):
            stage.wake(1 << 2)
        stage.cut = None
        thanked = set(stage.thanked)
        stage.start()
        assert thanked <= stage.server.answered(), f"thanked and not booked, cut at step {cut}"
        outcomes.append((len(thanked), len(stage.server.answered())))
    assert set(outcomes) == {(0, 0), (0, 1), (1, 1)}
    assert outcomes == sorted(outcomes), "nothing that was booked or thanked for goes again"


def test_a_cut_in_the_session_loses_nothing_and_doubles_nothing(stage: SleepyStage) -> None:
    for face in range(3):
        stage.sleep(HOUR_MS // 4)
        stage.wake(1 << face)
    stage.sleep_on()
    asleep, books = stage.snapshot(), copy.deepcopy(stage.server)
    stage.count = 0
    stage.wake(1 << 3)
    assert stage.server.answers == 4
    for cut in range(0, stage.count, max(1, stage.count // 30)):
        stage.restore(asleep)
        stage.server, stage.thanked = copy.deepcopy(books), set()
        stage.count, stage.cut = 0, cut
        with pytest.raises(PowerCut):
            stage.wake(1 << 3)
        stage.cut = None
        stage.start()
        assert stage.server.answers == len(stage.server.answered())
        assert 3 <= stage.server.answers <= 4
        assert stage.thanked <= stage.server.answered()
        assert stage.server.lost == 0


def test_weeks_without_a_server_cost_an_attempt_every_four_hours_and_no_answer(stage: SleepyStage) -> None:
    stage.plugged, stage.drift = False, 0.049
    stage.session_ms.clear()
    rng = Rng(3)
    for _ in range(10):
        a_day(stage, 10, rng)
    assert len(stage.session_ms) <= virtual_time.ms() * 1.049 / (4 * HOUR_MS) + 2
    assert max(stage.session_ms) <= (GIVE_UP_S + 2) * 1000
    assert (stage.thanks, stage.server.answers) == (100, 0)
    stage.plugged = True
    stage.sleep_on()
    stage.wake()
    assert stage.server.answers == 100
    for key, (start, end) in placed(stage).items():
        assert start <= stage.pressed_ms[key] + 1_772_438_400_000 <= end


def test_what_is_pressed_after_a_session_is_as_sure_of_its_time_as_the_server(stage: SleepyStage) -> None:
    for ms in (50 * 60_000, 5 * 60_000):
        stage.sleep(ms)
        stage.wake(1)
        if stage.thanks == 1:
            stage.sleep_on()
            stage.wake()
    stage.sleep_on()
    stage.wake()
    sure = [end - start for _, (start, end) in sorted(placed(stage).items())]
    assert 2 * 325_000 < sure[0] < 2 * 335_000, "five per cent of fifty minutes, and of an hour to come"
    assert 2 * 190_000 < sure[1] < 2 * 200_000


def test_many_answers_do_not_wait_for_the_hour(stage: SleepyStage) -> None:
    for number in range(1, MANY + 1):
        stage.sleep(20_000)
        stage.wake(1 << number % 5)
        if stage.server.answers:
            break
    assert number == stage.server.answers == MANY - 2, "its boot and clock record count as well"


def test_what_was_touched_at_once_or_again_is_no_answer_and_is_told(stage: SleepyStage) -> None:
    stage.sleep(60_000)
    stage.wake(0b11)

    async def twice(stage: SleepyStage) -> None:
        await asyncio.sleep(0.13)
        await stage.press(0)

    stage.wake(0b1, twice)
    assert stage.thanks == 1
    assert json.loads(stage.memory[4:])["ignored"] == {"lockout": 1, "repeat": 0, "cleaning": 2}
    assert stage.sleeps[-1][1] == 0b11111
    stage.sleep_on()
    stage.wake()
    assert stage.server.answers == 1


def test_the_next_visitor_within_the_window_is_thanked_in_the_same_waking(stage: SleepyStage) -> None:
    async def visitor(stage: SleepyStage) -> None:
        await asyncio.sleep(2)
        await stage.press(4)

    stage.sleep(60_000)
    before = virtual_time.ms()
    stage.wake(0b1, visitor)
    assert stage.thanks == 2
    assert 4_400 <= virtual_time.ms() - before <= 5_000, "until 2.5 s after the last touch"


def test_a_button_that_is_stuck_wakes_nobody_until_it_comes_up(stage: SleepyStage) -> None:
    async def leaned_on(stage: SleepyStage) -> None:
        stage.board.touch(1, True)

    stage.sleep(60_000)
    stage.wake(0b10, leaned_on)
    assert stage.sleeps[-1][1] == 0b11101
    assert stage.thanks == 1
    stage.sleep_on()
    stage.wake()
    assert stage.sleeps[-1][1] == 0b11111


def test_a_low_battery_meets_the_server_less_often(
    stage: SleepyStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sleeping_stage.SleepyBoard.health", lambda board: {"supply": 3400, "temperature": 20}
    )
    stage.sleep_on()
    stage.wake()
    assert 3.9 * SYNC_S * 1000 < stage.sleeps[-1][0] <= 4 * SYNC_S * 1000


def test_memory_that_lost_its_content_makes_a_start_of_the_waking(stage: SleepyStage) -> None:
    stage.sleep(60_000)
    stage.wake(0b1)
    stage.memory = stage.memory[:-1] + b"?"
    stage.wake(0b1)
    assert stage.thanks == stage.server.answers == 1


def test_a_press_while_nothing_is_asked_is_refused_in_the_dark(stage: SleepyStage) -> None:
    kept = json.loads(stage.memory[4:])
    kept["asked"] = None
    text = json.dumps(kept).encode()
    stage.memory = struct.pack("<I", zlib.crc32(text)) + text
    stage.sleep(60_000)
    stage.wake(0b1)
    assert stage.thanks == 0
    assert stage.board.shown == "out"
