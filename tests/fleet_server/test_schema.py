"""The migrations make exactly the tables that the models describe."""

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from fleet_server.answers import check, runs, unit_counts
from fleet_server.answers.book import book
from fleet_server.answers.models import ClockRun, FilterCount, PressCount, Record, UnitPressCount
from fleet_server.answers.rerun import rerun
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.instants import HOUR_MS
from fleet_server.migrations import alembic_config, migrate
from fleet_server.places.models import Place, Unit
from fleet_server.results.models import Score, ScoreSpan
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import Rec, batch, clock, press


def test_models_and_migrations_agree(database: Database):
    command.check(alembic_config(database))  # raises with the difference


def test_migrating_twice_changes_nothing(database: Database):
    migrate(database)
    migrate(database)


def test_a_failed_statement_tells_its_values_to_nobody(database: Database):
    statement = text("INSERT INTO nowhere VALUES (:body)")
    with pytest.raises(DBAPIError) as failed, database.write() as session:
        session.connection().execute(statement, {"body": "an open answer"})
    assert "an open answer" not in str(failed.value)


def test_what_was_booked_before_the_misuse_rules_is_counted_by_rule_afterwards(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """Down to the schema without rules and up again, as a server does that was installed before them."""
    monkeypatch.setattr(runs, "CURRENT", 0)
    with database.write() as session:
        session.add(Device(id="d" * 12, name="d", model="button5", secret_sha256="", created_at=MONDAY_10))
        session.flush()
        visit = [Rec(seq, uptime=10 * seq, session=seq - 1, set_number=98, flags=4) for seq in (1, 2)]
        message = batch(3, clock(0, MONDAY_10, 0), *visit, press(3, uptime=40), press(4, uptime=70))
        book(session, "d" * 12, message.encode(), source="mqtt", now=MONDAY_10)
    command.downgrade(alembic_config(database), "0001")
    migrate(database)
    monkeypatch.undo()
    with database.read() as session:
        assert check.faults(session, "d" * 12) == []
        assert session.exec(select(FilterCount.rule, FilterCount.answers, FilterCount.simulated)).all() == [
            ("corrected", 1, 1)
        ]
        run = session.exec(select(ClockRun)).one()
        assert (run.rules, run.press_seq, run.press_uptime) == (0, 4, 70)
    rerun(database, actor="test", now=MONDAY_10, device_id="d" * 12)
    with database.read() as session:
        assert check.faults(session, "d" * 12) == []
        filtered = session.exec(select(Record.seq, Record.filtered).where(col(Record.filtered).is_not(None)))
        assert dict(filtered.all()) == {1: "corrected", 4: "repeat"}


def test_sums_of_weeks_months_and_units_are_made_of_what_there_was_before(database: Database):
    """Two days of one week and two months; presses at a real place and at a demo place."""
    sunday, monday = MONDAY_10 - 34 * HOUR_MS, MONDAY_10 - 10 * HOUR_MS  # 1 March is a Sunday
    saturday = sunday - 24 * HOUR_MS
    with database.write() as session:
        session.add(Unit(id=1, path="/1/", name_fi="a", name_sv="a", name_en="a"))
        session.flush()
        session.add(Unit(id=2, parent_id=1, path="/1/2/", name_fi="b", name_sv="b", name_en="b"))
        session.flush()
        session.add(Place(id=1, unit_id=2, name="p", created_at=0))
        session.add(Place(id=2, unit_id=2, name="demo", demo=True, created_at=0))
        session.add(Device(id="d" * 12, name="d", model="button5", secret_sha256="", created_at=0))
        session.flush()
        for day in (saturday, sunday, monday):
            more = {"scope": "unit", "scope_id": 2, "filtered": False, "series_id": 1, "source": "kiosk"}
            session.add(Score(**more, day=day, answers=5, v5=3))
            for place_id in (1, 2):
                key = {"place_id": place_id, "device_id": "d" * 12, "grain": "hour", "start_at": day}
                session.add(PressCount(**key, counted=4, filtered=1))
    command.downgrade(alembic_config(database), "0006")
    migrate(database)
    with database.read() as session:
        spans = session.exec(
            select(ScoreSpan.grain, ScoreSpan.answers, ScoreSpan.v5).order_by(ScoreSpan.start)
        )
        assert sorted(spans.all()) == [("month", 5, 3), ("month", 10, 6), ("week", 5, 3), ("week", 10, 6)]
        units = session.exec(
            select(UnitPressCount.unit_id, UnitPressCount.counted, UnitPressCount.filtered)
        ).all()
        assert sorted(units) == [(unit, 4, 1) for unit in (1, 1, 1, 2, 2, 2)]
        assert unit_counts.differing(session) == 0
