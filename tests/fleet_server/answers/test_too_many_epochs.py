"""One mad or stolen kiosk that makes epochs without end neither slows nor stops anybody, and it shows."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import event
from sqlmodel import Session

from fleet_server.answers import books, check, quarantine
from fleet_server.answers.book import MAX_OPEN, Message, book_all
from fleet_server.answers.desk import Desk
from fleet_server.answers.reported import epochs_reported
from fleet_server.db import Database
from fleet_server.instants import DAY_MS
from tests.fleet_server.answers.booked import NOW, one, send
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.messages import batch, clock, press
from tests.fleet_server.answers.test_books_and_reports import of, report

FULL = [[number, 0, 1, 1] for number in range(MAX_OPEN)]


@dataclass
class Work:
    statements: int = 0
    parameter_sets: int = 0


@contextmanager
def measured(session: Session) -> Iterator[Work]:
    """How much is asked of the database."""
    work = Work()

    def count(
        _conn: object, _cursor: object, _sql: object, parameters: object, _ctx: object, many: bool
    ) -> None:
        work.statements += 1
        work.parameter_sets += len(parameters) if many and isinstance(parameters, list) else 1

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", count)
    try:
        yield work
    finally:
        event.remove(connection, "before_cursor_execute", count)


def open_epochs(database: Database, device: str) -> list[int]:
    with database.read() as session:
        return [epoch.epoch for epoch in books.of_device(session, device) if epoch.held]


def on_the_desk(session: Session, device: str) -> int:
    desk = Desk(session, NOW)
    desk.open({device}, set())
    return len(desk.devices[device].epochs)


def cost(database: Database, action: Callable[[Session], object]) -> Work:
    with database.write() as session:
        with measured(session) as work:
            action(session)
        return work


def test_reports_of_ever_new_epochs_neither_slow_nor_stop_anybody(
    shared_database: Database, device: str
) -> None:
    other = new_device(shared_database)
    one(shared_database, other, batch(1, press(0)))
    numbers = random.Random(1)
    reports = [[[numbers.getrandbits(32), 0, 5, 5] for _ in range(50)] for _ in range(100)]

    def take(epochs: list[list[int]]) -> Work:
        return cost(shared_database, lambda session: epochs_reported(session, device, epochs, now=NOW))

    def book_both(seq: int) -> Work:
        messages = [
            Message(device, batch(reports[-1][0][0], press(seq)).encode(), "mqtt"),
            Message(other, batch(1, press(seq)).encode(), "mqtt"),
        ]
        return cost(shared_database, lambda session: book_all(session, messages, now=NOW))

    take(reports[0])
    second = take(reports[1])
    for epochs in reports[2:-1]:
        take(epochs)
    last = take(reports[-1])
    assert (last.statements, last.parameter_sets) == (second.statements, second.parameter_sets)
    with shared_database.write() as session:
        assert on_the_desk(session, device) == 50
    before = book_both(1)
    assert before.statements < 20
    assert of(shared_database, other).received == 2
    assert of(shared_database, device).next == 100 * 50 * 5


def test_a_kiosk_with_a_new_epoch_at_every_boot_stays_cheap_and_is_booked(
    shared_database: Database, device: str
) -> None:
    for number in range(300):
        report(shared_database, device, [number, 0, 2, 1])
        sent = batch(number, clock(0, NOW + number * 1_000, 0), press(1, uptime=5))
        booking = one(shared_database, device, sent)
        assert booking.counted == 1
    with shared_database.write() as session:
        assert on_the_desk(session, device) == 1
        assert check.faults(session, device) == []
    mine = of(shared_database, device)
    assert (mine.received, mine.lost, mine.balanced, mine.faults) == (300, 0, True, [])


def test_a_batch_of_one_epoch_too_many_is_kept_raw_and_shows(shared_database: Database, device: str) -> None:
    report(shared_database, device, *FULL)
    refused = batch(MAX_OPEN, press(0))
    known = batch(MAX_OPEN - 1, press(0))
    booking, booked = send(shared_database, device, refused, known)
    assert (booking.receipt, booking.note) == (None, "too many epochs: 256 are open, 256 at most")
    assert booked.counted == 1
    with shared_database.read() as session:
        assert [row.raw for row in quarantine.list_of(session, device)] == [refused.encode()]
    fault = "more than 256 epochs would be open: what names new ones is refused, see quarantine"
    assert of(shared_database, device).faults == [fault]
    report(
        shared_database, device, [MAX_OPEN, 0, 1, 1], now=NOW + 1
    )  # the others are gone: there is room again
    assert one(shared_database, device, refused, now=NOW + 2).counted == 1
    assert fault in of(shared_database, device).faults
    one(shared_database, device, refused, now=NOW + DAY_MS)
    assert fault not in of(shared_database, device).faults


def test_a_report_that_would_leave_too_many_open_changes_nothing_and_shows(
    shared_database: Database, device: str
) -> None:
    report(shared_database, device, *FULL[:100])
    fresh = [[1_000 + number, 0, 1, 1] for number in range(157)]
    report(shared_database, device, FULL[0], *fresh)  # 99 known ones are younger than the first one named
    assert open_epochs(shared_database, device) == list(range(100))
    with shared_database.read() as session:
        (row,) = quarantine.list_of(session, device)
    assert row.reason == "too many epochs: 257 would be open, 256 at most"
    assert b"[1156,0,1,1]" in row.raw
    assert len(of(shared_database, device).faults) == 1
    report(shared_database, device, FULL[0], *fresh[:-1])
    assert len(open_epochs(shared_database, device)) == MAX_OPEN
    report(shared_database, device, *FULL[:50])  # nothing new: taken
    with shared_database.read() as session:
        assert len(quarantine.list_of(session, device)) == 1


def test_an_epoch_that_is_gone_is_not_opened_again_beyond_the_bound(
    shared_database: Database, device: str
) -> None:
    report(shared_database, device, [9_999, 0, 1, 1])
    report(shared_database, device, *FULL)
    again = one(shared_database, device, batch(9_999, press(0)))
    assert again.counted == 1  # a late record of it is no new burden
    more = one(shared_database, device, batch(9_999, press(0), next=3, pressed=3))
    assert more.receipt is None


@pytest.mark.parametrize("late", [[1, 3], [3, 1]])
def test_what_is_gone_and_not_at_hand_keeps_its_order(
    shared_database: Database, device: str, late: list[int]
) -> None:
    report(shared_database, device, [1, 0, 1, 1], [2, 0, 1, 1], [3, 0, 1, 1], [4, 0, 1, 1])
    report(shared_database, device, [4, 0, 1, 1])
    report(shared_database, device, *([number, 0, 1, 1] for number in late))
    with shared_database.read() as session:
        assert [epoch.epoch for epoch in books.of_device(session, device)] == [*late, 2, 4]
