"""Presses booked, and which of them the misuse rules left out."""

import itertools

from sqlmodel import select

from fleet_server.answers import check
from fleet_server.answers.book import book
from fleet_server.answers.models import FilterCount, JournalEpoch, Record
from fleet_server.answers.rules import CURRENT, VERSIONS
from fleet_server.db import Database
from fleet_server.instants import DAY_MS
from fleet_server.places import opening
from fleet_server.places.hours import read_week
from fleet_server.places.models import Installation, Place
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import Rec, batch, press

EPOCH = 3
RULES = VERSIONS[CURRENT]
LATER = MONDAY_10 + 3 * DAY_MS
_places = itertools.count(100)


def send(database: Database, device: str, *records: Rec, start: int | None = None) -> None:
    message = batch(EPOCH, *records, start=start, next=1_000, pressed=1_000)
    with database.write() as session:
        assert book(session, device, message.encode(), source="mqtt", now=LATER).receipt is not None


def filtered(database: Database, device: str) -> dict[int, str]:
    """{seq: rule} as the records say, after making sure that counts and sums say the same."""
    with database.read() as session:
        faults = check.faults(session, device)
        assert faults == []
        rows = session.exec(select(Record).where(Record.device_id == device)).all()
        found = {row.seq: row.filtered for row in rows if row.filtered is not None}
        by_rule = session.exec(select(FilterCount).where(FilterCount.device_id == device)).all()
        epoch = session.get_one(JournalEpoch, (device, EPOCH))
        assert sum(row.answers for row in by_rule) == epoch.filtered_answers == len(found)
        return found


def at_seconds(*seconds: float, value: int = 5) -> list[Rec]:
    return [press(seq, uptime=round(10 * at), value=value) for seq, at in enumerate(seconds)]


def stand_at_a_new_place(database: Database, device: str) -> int:
    """So that its opening hours are no other test's."""
    with database.write() as session:
        number = next(_places)
        session.add(Place(id=number, unit_id=1, name=f"place {number}", created_at=0))
        session.flush()
        (stay,) = session.exec(select(Installation).where(Installation.device_id == device))
        stay.place_id = number
        return number


def keep_hours(database: Database, place: int, from_at: int, now: int, **week: str) -> None:
    with database.write() as session:
        row = session.get_one(Place, place)
        opening.save_hours(session, "test", row, from_at=from_at, weekly=read_week(week), now=now)
