"""What lies in quarantine enters through the same door, once it can."""

import json

import pytest
from sqlmodel import col, select, update

from fleet_server.answers import books, check, quarantine
from fleet_server.answers.book import Booking, book
from fleet_server.answers.replay import replay
from fleet_server.db import Database
from fleet_server.questions.models import QuestionSet
from tests.fleet_server.answers.booked import EPOCH, NOW, ledger, one
from tests.fleet_server.answers.messages import KNOWN_SET, as_version, batch, press


def replayed(database: Database, device: str, place: int = 0) -> Booking:
    """Replay what was kept last (`place` 0) or before."""
    with database.write() as session:
        row = quarantine.list_of(session, device)[place]
        booking = replay(session, row.id or 0, now=NOW + 1)
        assert check.faults(session, device) == []
        return booking


def kept(database: Database, device: str) -> int:
    with database.read() as session:
        return len(quarantine.list_of(session, device))


def test_after_an_update_what_nobody_could_read_is_received_or_lost(
    shared_database: Database, device: str
) -> None:
    message = batch(EPOCH, press(0), press(2), press(3, value=9), to=5, pressed=4)
    with shared_database.write() as session:
        book(session, device, as_version(message.encode(), 2), source="mqtt", now=NOW)
    assert ledger(shared_database, device) == [(0, 5, "rejected")]
    still = replayed(shared_database, device)
    assert (still.receipt, still.note) == (None, "version 2 is still unknown")
    with shared_database.write() as session:  # the update: this server reads version 2 now
        row = quarantine.list_of(session, device)[0]
        row.raw = message.encode()
        session.add(row)
    booking = replayed(shared_database, device)
    assert (booking.counted, booking.rejected) == (2, 1)
    wanted = [(0, 1, "received"), (1, 2, "lost"), (2, 3, "received"), (3, 4, "rejected"), (4, 5, "lost")]
    assert ledger(shared_database, device) == wanted
    again = replayed(shared_database, device, place=1)
    assert (again.counted, again.duplicates) == (0, 2)
    assert ledger(shared_database, device) == wanted


def test_a_record_that_was_refused_is_received_once_its_value_is_possible(
    shared_database: Database, device: str
) -> None:
    one(shared_database, device, batch(EPOCH, press(0), press(1, value=8), press(2)))
    assert replayed(shared_database, device).rejected == 1
    assert kept(shared_database, device) == 1
    with shared_database.write() as session:
        body = session.exec(select(QuestionSet.body).where(QuestionSet.number == KNOWN_SET)).one()
        wider = json.dumps(json.loads(body) | {"questions": [{"type": "nps"}, {"type": "text"}]})
        session.exec(update(QuestionSet).where(col(QuestionSet.number) == KNOWN_SET).values(body=wider))
        row = quarantine.list_of(session, device)[0]
        booking = replay(session, row.id or 0, now=NOW + 1)
        session.exec(update(QuestionSet).where(col(QuestionSet.number) == KNOWN_SET).values(body=body))
    assert (booking.counted, booking.rejected) == (1, 0)
    assert kept(shared_database, device) == 0
    assert ledger(shared_database, device) == [(0, 3, "received")]
    with shared_database.read() as session:
        mine = books.of_devices(session, [device])[device]
        assert (mine.pressed, mine.received, mine.balanced, mine.as_of) == (3, 3, True, NOW)


def test_a_fork_stays_a_fork(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, press(0)))
    one(shared_database, device, batch(EPOCH, press(0, value=1)))
    booking = replayed(shared_database, device)
    assert (booking.fork, booking.counted) == (True, 0)
    assert kept(shared_database, device) == 1


def test_a_stray_record_takes_its_place(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, press(3), press(0), start=0, to=1, next=5))
    assert replayed(shared_database, device).counted == 1
    assert kept(shared_database, device) == 0
    assert ledger(shared_database, device) == [(0, 1, "received"), (3, 4, "received")]


def test_a_damaged_message_stays_damaged(shared_database: Database, device: str) -> None:
    with shared_database.write() as session:
        book(session, device, b"noise", source="mqtt", now=NOW)
    booking = replayed(shared_database, device)
    assert booking.receipt is None
    assert "5 bytes" in booking.note
    assert kept(shared_database, device) == 1


def test_what_is_not_kept_cannot_be_replayed(shared_database: Database) -> None:
    with shared_database.write() as session, pytest.raises(LookupError, match="under 99999"):
        replay(session, 99_999, now=NOW)
