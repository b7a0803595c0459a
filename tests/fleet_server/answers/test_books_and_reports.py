"""The two books balance or say why not; a report says which epochs are held and which are gone."""

import pytest
from sqlmodel import update

from fleet_server.answers import books
from fleet_server.answers.books import Books
from fleet_server.answers.generation import generation, renew_generation
from fleet_server.answers.models import ServerState
from fleet_server.answers.reported import close_epoch, epochs_reported
from fleet_server.db import Database
from fleet_server.instants import DAY_MS
from tests.fleet_server.answers.booked import EPOCH, NOW, ledger, one, send
from tests.fleet_server.answers.messages import Msg, batch, press


def of(database: Database, device: str) -> Books:
    with database.read() as session:
        return books.of_devices(session, [device])[device]


def report(database: Database, device: str, *epochs: list[int], now: int = NOW) -> None:
    with database.write() as session:
        epochs_reported(session, device, epochs, now=now)


def test_a_device_that_was_never_heard_has_unknown_books(shared_database: Database, device: str) -> None:
    mine = of(shared_database, device)
    assert (mine.balanced, mine.as_of, mine.pressed, mine.faults) == (None, None, 0, [])


def test_after_a_restore_books_are_unknown_until_the_device_is_heard(
    shared_database: Database, device: str
) -> None:
    first = one(shared_database, device, batch(EPOCH, press(0)))
    assert of(shared_database, device).balanced is True
    with shared_database.write() as session:
        before = generation(session, now=NOW)
        after = renew_generation(session, now=NOW + 5)
        assert before != after
        assert generation(session, now=NOW + 9) == after
    assert of(shared_database, device).balanced is None
    again = one(shared_database, device, batch(EPOCH, press(0)), now=NOW + 10)
    assert of(shared_database, device).balanced is True
    assert first.receipt is not None
    assert again.receipt is not None
    assert (first.receipt["server"], again.receipt["server"]) == (before, after)
    with shared_database.write() as session:  # the other tests' clock stands still
        session.exec(update(ServerState).values(since=0))


def test_the_header_with_the_highest_next_counts_not_the_last_to_arrive(
    shared_database: Database, device: str
) -> None:
    newer = batch(EPOCH, press(0), press(1), pressed=2, waiting=2)
    older = batch(EPOCH, press(0), pressed=1, waiting=1)
    send(shared_database, device, newer, older)
    mine = of(shared_database, device)
    assert (mine.next, mine.pressed, mine.received, mine.balanced) == (2, 2, 2, True)


@pytest.mark.parametrize(
    ("pressed", "says"),
    [
        (1, "2 answers received, only 1 pressed"),
        (9, "9 pressed, only 2 are received, waiting, rejected or lost"),
    ],
)
def test_books_out_of_bounds_are_an_alarm(
    shared_database: Database, device: str, pressed: int, says: str
) -> None:
    one(shared_database, device, batch(EPOCH, press(0), press(1), pressed=pressed))
    mine = of(shared_database, device)
    assert mine.balanced is False
    assert mine.faults == [f"epoch {EPOCH:08x}: {says}"]


def test_what_is_rejected_lost_or_waiting_leaves_room_for_answers(
    shared_database: Database, device: str
) -> None:
    one(shared_database, device, batch(EPOCH, press(0), press(1, value=9), to=4, next=6, pressed=6))
    mine = of(shared_database, device)
    assert (mine.received, mine.rejected, mine.lost, mine.waiting, mine.pressed) == (1, 1, 2, 2, 6)
    assert mine.balanced is True


def test_records_that_wait_for_a_day_although_the_kiosk_is_heard_are_an_alarm(
    shared_database: Database, device: str
) -> None:
    one(shared_database, device, batch(EPOCH, press(0), next=3, pressed=3))
    assert of(shared_database, device).faults == []  # heard an hour ago or a month ago: no link, no alarm
    one(shared_database, device, Msg(EPOCH, 1, 1, next=3, pressed=3), now=NOW + DAY_MS - 1)
    assert of(shared_database, device).faults == []
    report(shared_database, device, [EPOCH, 0, 3, 3], now=NOW + DAY_MS)
    assert "2 records wait, and none was booked for a day" in of(shared_database, device).faults[0]
    one(shared_database, device, batch(EPOCH, press(1), next=3, pressed=3), now=NOW + DAY_MS + 1)
    assert of(shared_database, device).faults == []


def test_a_quiet_kiosk_that_is_pressed_after_days_raises_no_alarm(
    shared_database: Database, device: str
) -> None:
    one(shared_database, device, batch(EPOCH, press(0)))
    one(shared_database, device, Msg(EPOCH, 1, 1, next=2, pressed=2), now=NOW + 3 * DAY_MS)
    assert of(shared_database, device).faults == []


def test_the_books_of_each_epoch_stand_oldest_first(shared_database: Database, device: str) -> None:
    send(shared_database, device, batch(9, press(0)), batch(5, press(0), next=2, pressed=2))
    report(shared_database, device, [5, 0, 2, 2], [9, 0, 1, 1])
    with shared_database.read() as session:
        old, new = books.of_device(session, device)
    assert (old.epoch, old.waiting, old.held, old.received) == (5, 1, True, 1)
    assert (new.epoch, new.waiting, new.held, new.received) == (9, 0, True, 1)


def test_a_report_makes_known_what_waits_before_anything_is_booked(
    shared_database: Database, device: str
) -> None:
    report(shared_database, device, [3, 0, 40, 38], [4, 0, 2, 2])
    mine = of(shared_database, device)
    assert (mine.next, mine.pressed, mine.waiting, mine.balanced, mine.as_of) == (42, 40, 42, True, NOW)


def test_what_is_not_booked_of_an_epoch_that_is_gone_is_lost(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(1, press(0), press(2), start=0, to=1, next=4, pressed=4))
    one(shared_database, device, batch(1, press(2), next=4, pressed=4))
    report(shared_database, device, [2, 0, 1, 1])
    assert ledger(shared_database, device) == [
        (0, 1, "received"), (1, 2, "lost"), (2, 3, "received"), (3, 4, "lost"),
    ]  # fmt: skip
    with shared_database.read() as session:
        gone, held = books.of_device(session, device)
    assert (gone.held, gone.waiting, gone.lost, held.held) == (False, 0, 2, True)
    late = one(shared_database, device, batch(1, press(1), next=4, pressed=4))
    assert (late.counted, late.receipt and late.receipt["through"]) == (1, 4)


def test_a_report_that_is_late_closes_nothing_new(shared_database: Database, device: str) -> None:
    report(shared_database, device, [1, 0, 5, 5], [2, 0, 5, 5])
    report(shared_database, device, [1, 0, 5, 5])
    with shared_database.read() as session:
        assert [(one.epoch, one.held, one.lost) for one in books.of_device(session, device)] == [
            (1, True, 0), (2, True, 0),
        ]  # fmt: skip


def test_an_empty_or_mad_report_changes_nothing(shared_database: Database, device: str) -> None:
    report(shared_database, device, [1, 0, 5, 5])
    report(shared_database, device)
    report(shared_database, device, [7, 0, 2_000_000, 5])
    report(shared_database, device, [1, 0, 2_000_000, 5])
    mine = of(shared_database, device)
    assert (mine.next, mine.lost) == (5, 0)


def test_a_technician_can_close_an_epoch(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, press(0), next=3, pressed=3))
    with shared_database.write() as session:
        close_epoch(session, device, EPOCH, now=NOW)
        with pytest.raises(ValueError, match="has no epoch 6"):
            close_epoch(session, device, 6, now=NOW)
    assert ledger(shared_database, device) == [(0, 1, "received"), (1, 3, "lost")]
