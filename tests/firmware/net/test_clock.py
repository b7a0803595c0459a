"""What the kiosk knows about the time, and when it must write it down."""

import random

from kiosk.clock import Clock, Uptime

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
