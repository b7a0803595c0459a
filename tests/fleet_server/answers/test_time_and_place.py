"""When and where an answer counts: never finer than what is known, and anew when more is known."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from kiosk import record as codec
from sqlmodel import col, select, update

from fleet_server.answers import check
from fleet_server.answers.models import PressCount, Record
from fleet_server.answers.moves import reinstalled
from fleet_server.answers.placing import Anchor, best, bounds, bucket, interval, place_of, usable
from fleet_server.answers.reported import epochs_reported
from fleet_server.db import Database
from fleet_server.instants import DAY_MS, HELSINKI, HOUR_MS, MINUTE_MS
from fleet_server.places.models import Installation
from tests.conftest import MONDAY_10
from tests.evidence import note
from tests.fleet_server.answers.booked import EPOCH, NOW, one, send
from tests.fleet_server.answers.messages import batch, boot, clock, press

MIDNIGHT = MONDAY_10 - 10 * HOUR_MS  # local Monday
MONTH = MIDNIGHT - DAY_MS  # 1 March


def counts(database: Database, device: str) -> dict[tuple[int, str, int], int]:
    """{(place, grain, start): counted}, and the proof that these are what the records say."""
    with database.read() as session:
        assert check.faults(session, device) == []
        rows = session.exec(select(PressCount).where(PressCount.device_id == device, PressCount.counted > 0))
        return {(row.place_id, row.grain, row.start_at): row.counted for row in rows}


def test_without_a_clock_the_time_is_not_yet_known(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, boot(0), press(1), press(2)))
    assert counts(shared_database, device) == {(0, "unknown", 0): 2}


def test_a_clock_record_places_its_whole_run(shared_database: Database, device: str) -> None:
    """An hour before and an hour after it, and whatever of the run comes later."""
    tenths_an_hour = HOUR_MS // 100
    now = MONDAY_10 + 90 * MINUTE_MS
    one(shared_database, device, batch(EPOCH, press(0), press(1, uptime=tenths_an_hour), next=9))
    booking = one(shared_database, device, batch(EPOCH, clock(2, now, tenths_an_hour), next=9))
    assert booking.places == {1}
    one(shared_database, device, batch(EPOCH, press(3, uptime=2 * tenths_an_hour), next=9))
    hour = MONDAY_10 + HOUR_MS
    assert counts(shared_database, device) == {
        (1, "hour", hour - HOUR_MS): 1,
        (1, "hour", hour): 1,
        (1, "hour", hour + HOUR_MS): 1,
    }


def test_the_interval_is_clock_uncertainty_drift_and_the_counters_step() -> None:
    anchor = Anchor(uptime=1_000, seq=0, utc_ms=MONDAY_10, uncertainty_ms=40)
    assert interval(anchor, 1_000) == (MONDAY_10 - 140, MONDAY_10 + 140)
    day = DAY_MS // 100
    assert interval(anchor, 1_000 + day) == (
        MONDAY_10 + DAY_MS - 140 - 8_640,
        MONDAY_10 + DAY_MS + 140 + 8_640,
    )


def test_the_anchor_with_the_smallest_interval_is_taken() -> None:
    good = Anchor(uptime=0, seq=0, utc_ms=0, uncertainty_ms=10)
    poor = Anchor(uptime=1_000, seq=5, utc_ms=0, uncertainty_ms=10_000)
    late = Anchor(uptime=1_000_000, seq=9, utc_ms=0, uncertainty_ms=20)
    anchors = usable([late, poor, good])
    assert anchors == [good, late]
    assert [best(anchors, uptime) for uptime in (0, 499_000, 501_000, 2_000_000)] == [good, good, late, late]


def test_a_grain_is_never_finer_than_the_interval() -> None:
    assert bucket((MONDAY_10, MONDAY_10 + HOUR_MS - 1)) == ("hour", MONDAY_10)
    assert bucket((MONDAY_10, MONDAY_10 + HOUR_MS)) == ("day", MIDNIGHT)
    assert bucket((MIDNIGHT - 1, MIDNIGHT)) == ("month", MONTH)
    assert bucket((MONTH - 1, MONTH)) == ("unknown", 0)
    assert bucket(None) == ("unknown", 0)


def test_the_days_on_which_the_clocks_change_are_whole() -> None:
    to_summer = 1_774_735_200_000  # Sunday 2026-03-29 00:00 in Finland
    assert bounds("day", to_summer + 12 * HOUR_MS) == (to_summer, to_summer + 23 * HOUR_MS)
    to_winter = 1_792_875_600_000  # Sunday 2026-10-25 00:00 in Finland
    assert bounds("day", to_winter + 12 * HOUR_MS) == (to_winter, to_winter + 25 * HOUR_MS)
    assert bounds("month", to_winter) == (1_790_802_000_000, 1_790_802_000_000 + (31 * 24 + 1) * HOUR_MS)
    assert bounds("hour", to_winter + 5) == (to_winter, to_winter + HOUR_MS)


def _oracle(start: int, stop: int) -> tuple[str, int]:
    """What `bucket` must say, by the calendar alone."""
    first, last = (datetime.fromtimestamp(ms / 1000, HELSINKI) for ms in (start, stop))
    if start // HOUR_MS == stop // HOUR_MS:
        return "hour", start - start % HOUR_MS
    if first.date() == last.date():
        return "day", int(datetime(first.year, first.month, first.day, tzinfo=HELSINKI).timestamp() * 1000)
    if (first.year, first.month) == (last.year, last.month):
        return "month", int(datetime(first.year, first.month, 1, tzinfo=HELSINKI).timestamp() * 1000)
    return "unknown", 0


@pytest.mark.parametrize("year", [2026, 2028, 2031, 2037])  # one is a leap year
def test_around_both_changes_of_the_clocks_and_every_end_of_a_month_nothing_is_invented(year: int) -> None:
    turns = [datetime(year, month, 1, tzinfo=HELSINKI) for month in range(1, 13)]
    for month in (3, 10):  # the last Sunday, at 3 and at 4 o'clock
        day = max(d for d in range(25, 32) if datetime(year, month, d).weekday() == 6)
        turns += [datetime(year, month, day, hour, tzinfo=HELSINKI) for hour in (0, 3, 4)]
        turns.append(datetime(year, month, day, tzinfo=HELSINKI) + timedelta(days=1))
    tried = 0
    for turn in turns:
        at = int(turn.timestamp() * 1000)
        for width in (0, 199, 10 * MINUTE_MS, HOUR_MS - 1, HOUR_MS, 23 * HOUR_MS, DAY_MS, 25 * HOUR_MS):
            for shift in (-width - 1, -width, -width // 2, -1, 0, 1, 2 * HOUR_MS):
                start = at + shift
                assert bucket((start, start + width)) == _oracle(start, start + width), (turn, width, shift)
                tried += 1
    note(
        "daylight saving and ends of months",
        tried,
        "intervals",
        "tests/fleet_server/answers/test_time_and_place.py"
        "::test_around_both_changes_of_the_clocks_and_every_end_of_a_month_nothing_is_invented",
    )


def test_a_wake_from_deep_sleep_goes_on_with_its_run_and_needs_no_new_clock(
    shared_database: Database, device: str
) -> None:
    """The counter ran on: the same clock run, although a boot record (cause 4) stands in the middle."""
    slept = 8 * HOUR_MS // 100
    woke = replace(boot(3), uptime=slept, body=codec.boot_body(4, 1))
    before = clock(1, MONDAY_10 + MINUTE_MS, 0)
    one(shared_database, device, batch(EPOCH, boot(0), before, press(2), woke, press(4, uptime=slept)))
    hours = (MONDAY_10, MONDAY_10 + 8 * HOUR_MS)
    assert counts(shared_database, device) == {(1, "hour", hour): 1 for hour in hours}


def test_a_run_that_never_met_a_clock_lies_between_its_neighbours(
    shared_database: Database, device: str
) -> None:
    before, after = MONDAY_10 + 5 * MINUTE_MS, MONDAY_10 + 50 * MINUTE_MS
    send(
        shared_database,
        device,
        batch(EPOCH, clock(0, before, 0), press(1), next=9),
        batch(EPOCH, press(2, boot=2), press(3, boot=2), next=9),
    )
    assert counts(shared_database, device) == {(1, "hour", MONDAY_10): 1, (0, "unknown", 0): 2}
    one(shared_database, device, batch(EPOCH, clock(4, after, 0, boot=3), next=9))
    assert counts(shared_database, device) == {(1, "hour", MONDAY_10): 3}


def test_a_neighbour_that_turns_out_longer_narrows_the_interval(
    shared_database: Database, device: str
) -> None:
    """A record of the run before arrives late, and with it the knowledge that the run lasted into the next hour."""
    ten_to_eleven, after = MONDAY_10 + 50 * MINUTE_MS, MONDAY_10 + HOUR_MS + 30 * MINUTE_MS
    send(
        shared_database,
        device,
        batch(EPOCH, clock(0, ten_to_eleven, 0), press(1), next=9),
        batch(EPOCH, press(3, boot=2), clock(4, after, 0, boot=3), next=9),
    )
    assert counts(shared_database, device) == {(1, "hour", MONDAY_10): 1, (1, "day", MIDNIGHT): 1}
    one(shared_database, device, batch(EPOCH, press(2, uptime=20 * 600), next=9))
    assert counts(shared_database, device) == {(1, "hour", MONDAY_10): 1, (1, "hour", MONDAY_10 + HOUR_MS): 2}


def test_the_first_run_of_a_device_is_bounded_by_its_creation(shared_database: Database, device: str) -> None:
    later = MONDAY_10 + 20 * MINUTE_MS
    send(
        shared_database,
        device,
        batch(EPOCH, press(0), next=9),
        batch(EPOCH, clock(1, later, 0, boot=2), next=9),
    )
    assert counts(shared_database, device) == {(1, "hour", MONDAY_10): 1}


def test_hours_are_never_invented_where_neighbours_contradict(shared_database: Database, device: str) -> None:
    send(
        shared_database,
        device,
        batch(EPOCH, clock(0, NOW + HOUR_MS, 0), press(1, boot=2), clock(2, NOW, 0, boot=3), next=9),
    )
    assert counts(shared_database, device) == {(0, "unknown", 0): 1}


def test_epochs_are_neighbours_in_the_order_of_the_report(shared_database: Database, device: str) -> None:
    """Heard in the order 30, 10, 20; the report says 10, 20, 30."""
    first, last = MONDAY_10 + 5 * MINUTE_MS, MONDAY_10 + 15 * MINUTE_MS
    send(
        shared_database,
        device,
        batch(30, clock(0, last, 0)),
        batch(10, clock(0, first, 0)),
        batch(20, press(0)),
    )
    assert counts(shared_database, device) == {(0, "unknown", 0): 1}
    with shared_database.write() as session:
        places = epochs_reported(session, device, [[10, 0, 1, 0], [20, 0, 1, 1], [30, 0, 1, 0]], now=NOW)
    assert places == {1}
    assert counts(shared_database, device) == {(1, "hour", MONDAY_10): 1}


def test_an_answer_counts_where_the_device_was(shared_database: Database, device: str) -> None:
    """It stood at place 1, was moved at 10:30, and the technician says so an hour later."""
    moved = MONDAY_10 + 30 * MINUTE_MS
    minute = 600
    presses = [press(seq, uptime=seq * 10 * minute) for seq in range(1, 6)]
    one(shared_database, device, batch(EPOCH, clock(0, MONDAY_10, 0), *presses))
    assert counts(shared_database, device) == {(1, "hour", MONDAY_10): 5}
    with shared_database.write() as session:
        session.exec(update(Installation).where(col(Installation.device_id) == device).values(to_at=moved))
        session.add(Installation(place_id=2, device_id=device, from_at=moved))
        assert reinstalled(session, device, since=moved, now=moved + HOUR_MS) == {1, 2}
        assert place_of(session, device, moved - 9, moved - 1) == 1
        assert place_of(session, device, moved, moved + 9) == 2
        assert place_of(session, device, moved - 1, moved) is None
        assert place_of(session, device, MONDAY_10 - 1, MONDAY_10 - 1) is None
    assert counts(shared_database, device) == {
        (1, "hour", MONDAY_10): 2,
        (0, "hour", MONDAY_10): 1,  # within a second of the move: nobody knows where
        (2, "hour", MONDAY_10): 2,
    }


def test_later_answers_of_the_same_batch_go_to_the_next_hour_and_place(
    shared_database: Database, device: str
) -> None:
    moved = MONDAY_10 + 30 * MINUTE_MS
    with shared_database.write() as session:
        session.exec(update(Installation).where(col(Installation.device_id) == device).values(to_at=moved))
        session.add(Installation(place_id=3, device_id=device, from_at=moved))
    presses = [press(seq, uptime=seq * 6_000 + 50) for seq in range(1, 12)]
    one(shared_database, device, batch(EPOCH, clock(0, MONDAY_10, 0), *presses))
    assert counts(shared_database, device) == {
        (1, "hour", MONDAY_10): 2,
        (3, "hour", MONDAY_10): 3,
        (3, "hour", MONDAY_10 + HOUR_MS): 6,
    }


def test_simulated_presses_are_told_apart(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, clock(0, NOW, 0), press(1, flags=4), press(2)))
    with shared_database.read() as session:
        row = session.exec(select(PressCount).where(PressCount.device_id == device)).one()
        assert (row.counted, row.simulated) == (2, 1)
        assert (
            session.exec(select(Record.flags).where(Record.device_id == device, Record.seq == 1)).one() == 4
        )
