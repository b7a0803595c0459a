"""Of a visit with several answers: which of them count, in whatever order they come."""

import pytest
from sqlmodel import col, select

from fleet_server.answers import books, check
from fleet_server.answers.models import Record
from fleet_server.db import Database
from tests.fleet_server.answers.booked import EPOCH, one, send
from tests.fleet_server.answers.messages import batch, press


def test_of_a_visit_the_last_answer_to_a_question_counts(shared_database: Database, device: str) -> None:
    visit = [press(0, question=0), press(1, session=1, question=9), press(2, session=2, question=0)]
    booking = one(shared_database, device, batch(EPOCH, *visit))
    assert (booking.counted, booking.filtered) == (2, 1)
    nobody = one(shared_database, device, batch(EPOCH, press(3), press(4)))
    assert (nobody.counted, nobody.filtered) == (2, 0)
    with shared_database.read() as session:
        filtered = session.exec(
            select(Record.seq).where(Record.device_id == device, col(Record.filtered).is_not(None))
        ).all()
        assert filtered == [0]
        assert check.faults(session, device) == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("together", [True, False])
def test_a_correction_holds_in_whatever_order_the_answers_come(
    shared_database: Database, device: str, order: tuple[int, ...], together: bool
) -> None:
    visit = [press(seq, session=seq, question=0, value=5 - seq) for seq in range(3)]
    messages = [batch(EPOCH, visit[seq], next=3, pressed=3) for seq in order]
    if together:
        send(shared_database, device, *messages)
    else:
        for message in messages:
            one(shared_database, device, message)
    with shared_database.read() as session:
        rows = session.exec(select(Record).where(Record.device_id == device).order_by(col(Record.seq))).all()
        assert [row.filtered for row in rows] == ["corrected", "corrected", None]
        mine = books.of_devices(session, [device])[device]
        assert (mine.counted, mine.filtered, mine.balanced) == (1, 2, True)
        assert check.faults(session, device) == []


SKIPPED, TIMED_OUT = {"flags": 1, "value": 255}, {"flags": 2, "value": 255}


def rules_said(database: Database, device: str) -> dict[int, str | None]:
    """{seq: rule} of a device whose books balance and whose counts are those of its records."""
    with database.read() as session:
        assert check.faults(session, device) == []
        mine = books.of_devices(session, [device])[device]
        assert mine.balanced
        rows = session.exec(select(Record).where(Record.device_id == device).order_by(col(Record.seq))).all()
        assert mine.filtered == sum(row.filtered is not None for row in rows)
        return {row.seq: row.filtered for row in rows}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_what_was_skipped_or_timed_out_is_received_and_counted_nowhere(
    shared_database: Database, device: str, order: tuple[int, ...]
) -> None:
    visit = [
        press(0),
        press(1, session=1, question=1, **SKIPPED),
        press(2, session=2, question=0, set_number=99, value=3),
        press(3, session=3, question=7, **TIMED_OUT),
    ]
    for seq in order:
        booking = one(shared_database, device, batch(EPOCH, visit[seq], next=4, pressed=4))
        assert (booking.counted, booking.filtered, booking.rejected) == (seq in (0, 2), seq in (1, 3), 0)
    assert rules_said(shared_database, device) == {0: None, 1: "unanswered", 2: None, 3: "unanswered"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_who_goes_back_and_walks_away_has_still_said_what_was_said(
    shared_database: Database, device: str, order: tuple[int, ...]
) -> None:
    visit = [
        press(0),
        press(1, session=1, question=1, set_number=99),
        press(2, session=2, question=0, **TIMED_OUT),
    ]
    for seq in order:
        one(shared_database, device, batch(EPOCH, visit[seq], next=3, pressed=3))
    assert rules_said(shared_database, device) == {0: None, 1: None, 2: "unanswered"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_who_rubs_out_and_skips_has_taken_it_back(
    shared_database: Database, device: str, order: tuple[int, ...]
) -> None:
    visit = [
        press(0),
        press(1, session=1, question=1, value=0, body=b"better not"),
        press(2, session=2, question=1, **SKIPPED),
    ]
    for seq in order:
        one(shared_database, device, batch(EPOCH, visit[seq], next=3, pressed=3))
    assert rules_said(shared_database, device) == {0: None, 1: "corrected", 2: "unanswered"}
    again = press(3, session=3, question=1, value=0, body=b"after all")
    one(shared_database, device, batch(EPOCH, again, next=4, pressed=4))
    assert rules_said(shared_database, device) == {0: None, 1: "corrected", 2: "unanswered", 3: None}


@pytest.mark.parametrize("apart", [True, False])
def test_the_press_of_a_service_gesture_is_received_and_not_counted(
    shared_database: Database, device: str, apart: bool
) -> None:
    """What a button kiosk sends of it (kiosk/survey.py: take_back): the press, perhaps booked before it."""
    pressed, back = press(1, value=4), press(2, session=1, **SKIPPED)
    one(shared_database, device, batch(EPOCH, press(0), next=1, pressed=1))
    if apart:
        one(shared_database, device, batch(EPOCH, pressed, next=2, pressed=2))
        one(shared_database, device, batch(EPOCH, back, next=3, pressed=3))
    else:
        one(shared_database, device, batch(EPOCH, pressed, back, next=3, pressed=3))
    assert rules_said(shared_database, device) == {0: None, 1: "corrected", 2: "unanswered"}


def test_what_was_given_until_time_ran_out_counts(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, press(0), press(1, session=1, question=1, value=0, flags=2,
                                                              body=b"Kiitos, mutta od")))  # fmt: skip
    assert rules_said(shared_database, device) == {0: None, 1: None}


def test_a_timed_out_answer_with_an_impossible_value_is_rejected(
    shared_database: Database, device: str
) -> None:
    booking = one(shared_database, device, batch(EPOCH, press(0, flags=2, value=9)))
    assert (booking.counted, booking.rejected) == (0, 1)
