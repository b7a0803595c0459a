"""A push is one touch, whatever the contact does; what is not an opinion is counted, not recorded."""

import pytest
from kiosk.buttons import Buttons

SETTINGS = {"lockout_ms": 2000, "repeat_ms": 500, "stuck_s": 30}
PERIOD = 1 << 30  # of the ticks


class Front:
    """Five buttons and a clock that a test turns."""

    def __init__(self, at: int = 1000, down: int = 0, **settings: int) -> None:
        self.now = at
        self.mask = down
        self.values = {**SETTINGS, **settings}
        self.buttons = Buttons(5, at, down, self.values.__getitem__)
        self.touches: list[int] = []

    def after(self, ms: int, mask: int | None = None) -> int | None:
        """Let time pass, scanned as often as asked for; then set other levels and scan."""
        end = self.now + ms
        while True:
            step = min(end - self.now, self.buttons.due_ms(self.now % PERIOD))
            if step <= 0:
                break
            self.now += step
            if self.now < end:
                self._scan()
        if mask is not None:
            self.mask = mask
        return self._scan()

    def push(self, face: int, after: int = 0, held: int = 100) -> int | None:
        touched = self.after(after, 1 << face)
        self.after(held, 0)
        self.after(60)
        return touched

    def _scan(self) -> int | None:
        face = self.buttons.scan(self.mask, self.now % PERIOD)
        if face is not None:
            self.touches.append(face)
            self.buttons.lock(self.now % PERIOD)
        return face


def test_a_push_counts_at_its_first_edge_and_once_however_it_bounces() -> None:
    front = Front()
    assert front.after(0, 0b100) == 2
    for _ in range(12):
        front.after(2, 0)
        front.after(2, 0b100)
    front.after(100, 0)
    for _ in range(12):
        front.after(2, 0b100)
        front.after(2, 0)
    front.after(5000)
    assert front.touches == [2]
    assert front.buttons.ignored == {"lockout": 0, "repeat": 0, "cleaning": 0}


def test_a_touch_shorter_than_a_scan_counts_when_the_board_latched_it() -> None:
    front = Front()
    assert front.after(3, 0b1) == 0  # latched
    front.mask = 0
    front.after(3000)
    assert front.push(1) == 1


def test_touches_in_the_lock_out_are_counted_and_nothing_else() -> None:
    front = Front()
    front.push(0)
    front.push(1)
    front.push(2)
    assert front.buttons.just_ignored is None
    assert front.touches == [0]
    assert front.buttons.ignored == {"lockout": 2, "repeat": 0, "cleaning": 0}
    front.push(3, after=2000)
    assert front.touches == [0, 3]


def test_the_reason_is_told_once() -> None:
    front = Front()
    front.push(0)
    front.after(0, 0b10)
    assert front.buttons.just_ignored == "lockout"
    front.after(25)
    assert front.buttons.just_ignored is None


@pytest.mark.parametrize(("gap", "touches", "repeats"), [(200, [4], 1), (600, [4, 4], 0)])
def test_the_same_face_within_half_a_second_is_a_repeat_even_without_lock_out(
    gap: int, touches: list[int], repeats: int
) -> None:
    front = Front(lockout_ms=0)
    front.after(0, 0b10000)
    front.after(60, 0)
    front.after(gap - 60, 0b10000)
    assert front.touches == touches
    assert front.buttons.ignored["repeat"] == repeats


def test_another_face_without_lock_out_is_another_visitor() -> None:
    front = Front(lockout_ms=0)
    front.push(4)
    front.push(3)
    assert front.touches == [4, 3]


def test_a_button_held_for_thirty_seconds_is_a_fault_until_it_comes_up() -> None:
    front = Front()
    front.after(0, 0b1000)
    front.after(29_900)
    assert front.buttons.stuck_faces() == []
    front.after(200)
    assert front.buttons.stuck_faces() == [3]
    assert front.after(10, 0b1001) == 0  # the others go on
    front.after(100, 0b1000)
    front.after(100, 0)
    assert front.buttons.stuck_faces() == []
    assert front.push(3, after=3000) == 3
    assert front.touches == [3, 0, 3]


def test_a_button_that_is_down_at_the_start_is_no_press() -> None:
    front = Front(down=0b10)
    front.after(31_000)
    assert front.touches == []
    assert front.buttons.stuck_faces() == [1]


def test_a_stuck_button_does_not_keep_the_kiosk_awake() -> None:
    front = Front(down=0b10)
    front.after(31_000)
    assert front.buttons.due_ms(front.now) == 1000


def test_several_faces_at_once_are_a_cloth_and_not_an_opinion() -> None:
    front = Front()
    front.after(0, 0b01110)
    front.after(100, 0)
    assert front.touches == []
    assert front.buttons.ignored["cleaning"] == 3


def test_both_ends_held_begin_cleaning_which_ends_a_minute_after_the_last_touch() -> None:
    front = Front()
    front.after(0, 0b00001)
    front.after(100, 0b10001)
    front.after(3100)
    assert front.buttons.cleaning
    front.after(100, 0)
    front.push(2, after=10_000)
    front.push(1, after=50_000)
    assert front.buttons.cleaning
    assert front.touches == [0]
    assert front.buttons.ignored["cleaning"] == 2
    front.after(59_000)
    assert front.buttons.cleaning
    front.after(2_000)
    assert not front.buttons.cleaning
    assert front.push(2) == 2


@pytest.mark.parametrize("days", [9, 15])  # the ticks' difference is negative from 6.2 to 12.4 days
def test_weeks_without_a_visitor_change_nothing_though_the_ticks_wrap(days: int) -> None:
    front = Front(at=PERIOD - 5000)
    front.push(1)
    for _ in range(days * 24):
        front.now += 3_600_000 - 1000
        front.after(1000)
    assert front.push(1) == 1
    assert front.push(1) is None
    assert front.buttons.stuck_faces() == []


@pytest.mark.parametrize("wrap", [1, 2, 3])
@pytest.mark.parametrize("before_ms", [1, 40, 300, 1_500, 2_900, 29_900, 59_900])
def test_no_timer_notices_that_the_counter_wraps(wrap: int, before_ms: int) -> None:
    """Each timer begins `before_ms` before the wrap: debounce, repeat, lock-out, cleaning, stuck."""
    for start in (
        wrap * PERIOD - before_ms,
        1_000_000,
    ):  # what happens without a wrap is what must happen with one
        told = []
        front = Front(start)
        told.append(
            (front.push(0), front.push(0, after=100), front.push(1, after=900), front.push(2, after=1_000))
        )
        front.after(3_000, 0b10001)
        front.after(2_900)
        told.append(front.buttons.cleaning)
        front.after(200)
        told.append(front.buttons.cleaning)
        front.after(100, 0)
        front.after(59_000)
        told.append(front.buttons.cleaning)
        front.after(2_000)
        told.append(front.buttons.cleaning)
        front.after(0, 0b100)
        front.after(29_900)
        told.append(front.buttons.stuck_faces())
        front.after(200)
        told.append(front.buttons.stuck_faces())
        assert told == [(0, None, None, 2), False, True, True, False, [], [2]]
        assert front.buttons.ignored == {"lockout": 1, "repeat": 1, "cleaning": 2}
