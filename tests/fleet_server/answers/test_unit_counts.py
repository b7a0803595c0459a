"""What a unit had is what its places had: while it is booked, after places move, and after a repair."""

from sqlmodel import Session, select

from fleet_server.answers import unit_counts
from fleet_server.answers.book import book
from fleet_server.answers.models import UnitPressCount
from fleet_server.db import Database
from fleet_server.instants import HOUR_MS, MINUTE_MS
from fleet_server.places import service as places
from fleet_server.places.models import Place, Unit
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import batch, clock, press


def book_presses(database: Database, device: str, number: int) -> None:
    presses = [press(seq, uptime=seq * 600) for seq in range(1, number + 1)]
    with database.write() as session:
        book(
            session,
            device,
            batch(9, clock(0, MONDAY_10, 0), *presses).encode(),
            source="mqtt",
            now=MONDAY_10 + HOUR_MS,
        )


def of_unit(session: Session, unit_id: int) -> int:
    rows = session.exec(select(UnitPressCount.counted).where(UnitPressCount.unit_id == unit_id))
    return sum(rows)


def test_units_follow_their_places_through_booking_moves_and_repair(
    shared_database: Database, device: str
) -> None:
    database, now = shared_database, MONDAY_10 + 90 * MINUTE_MS
    with database.write() as session:
        parent = Unit(id=70, path="/70/", name_fi="p", name_sv="p", name_en="p")
        session.add(parent)
        session.flush()
        session.add(Unit(id=71, parent_id=70, path="/70/71/", name_fi="q", name_sv="q", name_en="q"))
        session.flush()
    with database.read() as session:
        before = of_unit(session, 1)
    book_presses(database, device, 7)
    with database.read() as session:
        assert of_unit(session, 1) == before + 7
        assert unit_counts.differing(session) == 0
    with database.write() as session:
        place = session.get_one(Place, 1)
        places.change_place(session, "test", place, unit_id=71, name=place.name, now=now)
        assert (of_unit(session, 1), of_unit(session, 70), of_unit(session, 71)) == (
            0,
            before + 7,
            before + 7,
        )
        unit = session.get_one(Unit, 71)
        places.change_unit(
            session,
            "test",
            unit,
            parent_id=1,
            name_fi="q",
            name_sv="q",
            name_en="q",
            oid=None,
            sector="health",
            now=now,
        )
        assert (of_unit(session, 1), of_unit(session, 70), of_unit(session, 71)) == (
            before + 7,
            0,
            before + 7,
        )
        assert unit_counts.differing(session) == 0
        for row in session.exec(select(UnitPressCount).where(UnitPressCount.unit_id == 71)):
            row.counted += 1
        session.flush()
        assert unit_counts.differing(session) > 0
        assert unit_counts.recount(session) > 0
        assert unit_counts.differing(session) == 0
        places.change_place(session, "test", session.get_one(Place, 1), unit_id=1, name="place 1", now=now)
