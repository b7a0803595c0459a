"""What the kiosk knows about the time, and when it must write it down."""

import random

import pytest
from kiosk import record
from kiosk.clock import Clock, Uptime
from kiosk.journal import Journal

from tests.firmware.net.support import Board, RamFlash

UTC = 1_772_438_400_000
PERIOD = 1 << 30


class Ticks:
    def __init__(self, start: int = 0) -> None:
        self.ms = start

    def __call__(self) -> int:
        return self.ms % PERIOD


def made(start: int = 0) -> tuple[Ticks, Clock]:
    ticks = Ticks(start)
    return ticks, Clock(Uptime(ticks))


def test_the_uptime_goes_on_where_the_counter_wraps() -> None:
    ticks = Ticks(PERIOD - 1000)
    uptime = Uptime(ticks)
    told = []
    for _ in range(40):  # ten weeks, asked every 42 hours
        ticks.ms += 151_200_000
        told.append(uptime.ms())
    assert told == [151_200_000 * (i + 1) for i in range(40)]
    assert uptime.tenths() == told[-1] // 100


def test_nothing_is_known_before_the_first_sample() -> None:
    _, clock = made()
    assert clock.now() is None
    assert not clock.due()


def test_the_uncertainty_grows_by_100_ppm_and_holds_the_truth_of_a_drifting_crystal() -> None:
    ticks, clock = made()
    clock.learn(UTC, 40)
    ticks.ms += 10_000_000
    assert clock.now() == (UTC + 10_000_000, 1040)
    for ppm in (-100, 100):
        true = UTC + 10_000_000 * (1_000_000 + ppm) / 1_000_000
        utc_ms, uncertainty_ms = clock.now()
        assert abs(true - utc_ms) <= uncertainty_ms


def test_a_vague_sample_does_not_spoil_a_sharp_one() -> None:
    ticks, clock = made()
    clock.learn(UTC, 20)
    ticks.ms += 1000
    clock.learn(UTC + 1000 + 2900, 3000)
    utc_ms, uncertainty_ms = clock.now()
    assert abs(utc_ms - UTC - 1000) <= 1
    assert uncertainty_ms <= 22


def test_a_clock_that_was_set_is_followed() -> None:
    ticks, clock = made()
    clock.learn(UTC, 20)
    ticks.ms += 1000
    clock.learn(UTC + 3_600_000, 20)
    assert clock.now() == (UTC + 3_600_000, 20)


def test_honest_samples_always_keep_the_truth_within_the_bounds() -> None:
    for seed in range(200):
        dice = random.Random(seed)
        ticks, clock = made(dice.randrange(PERIOD))
        ppm = dice.uniform(-90, 90)
        true = float(UTC)
        for _ in range(50):
            step = dice.choice((10, 1000, 60_000, 3_600_000, 80_000_000))
            ticks.ms += step
            true += step * (1 + ppm / 1e6)
            width = dice.choice((2, 50, 2000))
            clock.learn(round(true + dice.uniform(-width, width) * 0.9), width)
            utc_ms, uncertainty_ms = clock.now()
            assert abs(utc_ms - true) <= uncertainty_ms + 1, seed


def test_a_record_is_due_at_first_and_then_at_most_once_a_day_and_only_when_the_estimate_moved() -> None:
    ticks, clock = made()
    assert clock.learn(UTC, 30)
    assert clock.learn(UTC, 30), "until it is written"
    clock.recorded()
    assert not clock.learn(UTC + 31, 2), "moved, but the record is young"
    ticks.ms += 86_400_000
    assert clock.learn(ticks.ms + UTC + 31, 2)
    clock.recorded()
    ticks.ms += 86_400_000 * 2
    assert not clock.learn(ticks.ms + UTC + 31, 2), "old, but still true"


def test_a_wake_from_deep_sleep_goes_on_with_the_number_of_its_clock_run() -> None:
    """A device whose counter ran on sets `boot` back to what it was; one whose counter began anew does not."""
    flash, board = RamFlash(), Board()
    journal = Journal(flash, board.random)
    before = journal.boot
    for awake in (True, False):
        journal.append(record.KIND_ANSWER, value=3, uptime=100)
        journal = Journal(flash, board.random)
        assert journal.boot == before + 1
        if awake:
            journal.boot = before
    buf = bytearray(2048)
    journal.append(record.KIND_ANSWER, value=3, uptime=5)
    count, end = journal.read_into(buf, 0, 900)[3:]
    boots = [int.from_bytes(buf[at + 8 : at + 12], "little") for at in range(0, end, end // count)]
    assert boots == [before, before, before + 1]


@pytest.mark.parametrize("years", [-55, -10, -1, 1, 10, 73])
def test_a_server_clock_that_jumps_by_years_is_followed_and_the_uptime_never_moves(years: int) -> None:
    """What is recorded is the uptime: when the server's clock is right again, so is the kiosk's, at once."""
    ticks, clock = made()
    clock.learn(UTC, 20)
    clock.recorded()
    ticks.ms += 3_600_000
    wrong = UTC + 3_600_000 + years * 31_557_600_000
    assert not clock.learn(wrong, 20), "at most one clock record a day"
    assert clock.now() == (wrong, 20)
    ticks.ms += 3_600_000
    assert not clock.learn(UTC + 7_200_000, 20)
    assert clock.now() == (UTC + 7_200_000, 20)
    ticks.ms += 86_400_000
    assert not clock.due(), "the record of the right time still holds"
    clock.learn(wrong + 90_000_000, 20)
    assert clock.due(), "a wrong time that lasts is written, as the contract says; the server judges it"
