"""One contact is one touch, where it began; what is none is counted under one reason."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk.touches import Touches

LEFT, RIGHT, MIDDLE = (20, 20), (460, 30), (240, 200)


class Glass:
    """A panel that is read every 25 ms."""

    def __init__(self, now: int = 1_000) -> None:
        self.now = now
        self.settings = {"repeat_ms": 500, "stuck_s": 30}
        self.touches = Touches(480, self.settings.__getitem__)
        self.seen: list[Any] = []

    def lie(self, point: Any, ms: int, fingers: int = 1) -> None:
        """A finger there (None: none) for so long."""
        end = self.now + ms
        while self.now < end:
            touch = self.touches.sample(point, fingers if point else 0, self.now % (1 << 30))
            if touch is not None:
                self.seen.append(touch)
            self.now += 25

    def tap(self, point: Any, ms: int = 100, gap: int = 100, fingers: int = 1) -> None:
        self.lie(point, ms, fingers)
        self.lie(None, gap)


@pytest.fixture
def glass() -> Glass:
    return Glass()


def test_a_touch_counts_at_its_first_contact_and_once(glass: Glass) -> None:
    glass.lie(MIDDLE, 25)
    assert glass.seen == [MIDDLE]
    glass.lie((250, 190), 2_000)
    glass.lie(None, 200)
    assert glass.seen == [MIDDLE]


def test_a_contact_that_flickers_is_one(glass: Glass) -> None:
    for _ in range(5):
        glass.lie(MIDDLE, 50)
        glass.lie(None, 25)
    glass.lie(None, 200)
    assert glass.seen == [MIDDLE]
    assert glass.touches.ignored == {"repeat": 0, "cleaning": 0}


def test_the_same_place_again_at_once_is_ignored_and_counted(glass: Glass) -> None:
    for _ in range(3):
        glass.tap(MIDDLE)
    assert glass.seen == [MIDDLE]
    assert glass.touches.ignored["repeat"] == 2
    glass.tap((MIDDLE[0] + 60, MIDDLE[1]))
    glass.lie(None, 600)
    glass.tap(MIDDLE)
    assert len(glass.seen) == 3


def test_the_time_for_repeats_is_the_countys(glass: Glass) -> None:
    glass.settings["repeat_ms"] = 0
    for _ in range(3):
        glass.tap(MIDDLE)
    assert len(glass.seen) == 3


def test_double_letters_are_typed_at_a_usual_pace(glass: Glass) -> None:
    glass.touches.typing = True
    for _ in range(4):
        glass.tap(MIDDLE, 75, 100)
    assert len(glass.seen) == 4


def test_two_thumbs_that_take_turns_at_once_are_two_touches(glass: Glass) -> None:
    """Letters were lost when the second came within the time for which a trembling finger may lose contact."""
    glass.lie(MIDDLE, 75)
    glass.lie(None, 25)
    glass.lie((100, 200), 75)
    glass.lie(None, 25)
    glass.lie(MIDDLE, 75)
    assert glass.seen == [MIDDLE, (100, 200), MIDDLE]


def test_a_hand_is_no_opinion(glass: Glass) -> None:
    glass.tap(MIDDLE, fingers=2)
    assert glass.seen == []
    assert glass.touches.ignored["cleaning"] == 1
    glass.lie(None, 600)
    glass.lie(MIDDLE, 50)
    glass.lie(MIDDLE, 200, fingers=2)
    assert glass.seen == [MIDDLE], "the first contact counted"
    assert glass.touches.ignored["cleaning"] == 2


def test_cleaning_begins_by_a_gesture_no_visitor_makes_and_ends_by_itself(glass: Glass) -> None:
    glass.tap(LEFT, 3_200)
    glass.lie(None, 1_000)
    glass.tap(RIGHT)
    assert glass.touches.cleaning
    before = len(glass.seen)
    for x in range(40, 480, 60):
        glass.tap((x, 150), 300)
    assert len(glass.seen) == before
    assert glass.touches.ignored["cleaning"] == 9
    glass.lie(None, 59_000)
    assert glass.touches.cleaning
    glass.lie(None, 2_000)
    assert not glass.touches.cleaning
    glass.tap(MIDDLE)
    assert len(glass.seen) == before + 1


@pytest.mark.parametrize(
    ("hold_ms", "gap_ms", "then"),
    [(2_500, 500, RIGHT), (3_200, 4_000, RIGHT), (3_200, 500, MIDDLE)],
)
def test_what_is_not_quite_the_gesture_is_none(glass: Glass, hold_ms: int, gap_ms: int, then: Any) -> None:
    glass.tap(LEFT, hold_ms)
    glass.lie(None, gap_ms)
    glass.tap(then)
    assert not glass.touches.cleaning
    assert glass.touches.ignored["cleaning"] == 0


def test_something_that_lies_on_the_glass_is_a_fault_until_it_is_gone(glass: Glass) -> None:
    glass.lie(MIDDLE, 29_900)
    assert glass.touches.stuck_faces() == []
    assert not glass.touches.free
    glass.lie(MIDDLE, 1_000)
    assert glass.touches.stuck_faces() == [0]
    assert glass.touches.free, "what can wait need not wait for it"
    assert glass.touches.due_ms() == 1000
    glass.lie(None, 200)
    assert glass.touches.stuck_faces() == []
    assert glass.seen == [MIDDLE]


def test_a_finger_that_rests_for_weeks_does_not_begin_anew_when_the_ticks_wrap(glass: Glass) -> None:
    glass.tap(MIDDLE)
    for _ in range(40):
        glass.touches.sample(MIDDLE, 1, glass.now % (1 << 30))
        glass.now += 40_000_000
    assert glass.touches.stuck_faces() == [0]


_readings = st.tuples(
    st.sampled_from([None, LEFT, RIGHT, MIDDLE, (239, 205)]), st.integers(1, 2), st.integers(1, 5_000)
)


@settings(deadline=None)
@given(st.lists(_readings))
def test_a_contact_is_reported_or_counted_at_most_once(readings: list[Any]) -> None:
    glass = Glass((1 << 30) - 10_000)
    for point, fingers, ms in readings:
        down = glass.touches._down
        told, ignored = len(glass.seen), dict(glass.touches.ignored)
        glass.lie(point, min(ms, 3_500) // 25 * 25 + 25, fingers)
        more = sum(glass.touches.ignored.values()) - sum(ignored.values())
        if down is None and point is not None:
            assert len(glass.seen) - told <= 1
            assert 1 <= len(glass.seen) - told + more <= 2  # a touch, then a hand
        elif point is None:
            assert (len(glass.seen), more) == (told, 0)
    glass.lie(None, 100)
    assert glass.touches.free
