"""A small county to look at: two clinics and a demo room, kiosks whose batches are real, and four readers.

Alice leads clinic A, Charlie leads clinic B, Tuula is a technician of the county, Otto its operator.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from kiosk import record
from starlette.testclient import TestClient

from fleet_server.accounts import service as accounts
from fleet_server.accounts import sessions
from fleet_server.accounts.models import Role
from fleet_server.answers.book import Booking, book
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices import contact, credentials, reports
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.settings import Settings
from fleet_server.web.app import create_app
from tests.conftest import MONDAY_10
from tests.firmware.whole import encode, encode_batch
from tests.furnished import furnished

NO_SESSION = 255  # of a record that belongs to no visit
SET_TO_ASK = 5  # the ready set with one question of five faces


@dataclass
class PaperKiosk:
    """A kiosk on paper: the firmware's own record codec without a journal beneath; known instants."""

    id: str
    database: Database
    switched_on_at: int
    epoch: int = 0x5EED
    boot: int = 1
    records: list[bytes] = field(default_factory=list)
    pressed: int = 0
    sent: int = 0

    def press(self, at: int, *, value: int = 5, simulated: bool = False) -> None:
        """One visitor's answer, `at` in UTC ms."""
        self.pressed += 1
        self._write(record.KIND_ANSWER, at, value=value, flags=record.FLAG_SIMULATED if simulated else 0)

    def learn_time(self, at: int) -> None:
        """A clock record, right to 50 ms."""
        self._write(record.KIND_CLOCK, at, body=record.clock_body(at, 50))

    def send(self, now: int, *, but_last: int = 0) -> Booking:
        """Book everything not sent yet, less the newest `but_last` records, which go on waiting."""
        stop = len(self.records) - but_last
        batch = encode_batch(
            self.epoch, 77, self.sent, stop, len(self.records), self.pressed, len(self.records) - self.sent,
            self.boot, self._uptime(now), self.records[self.sent : stop],
        )  # fmt: skip
        self.sent = stop
        with self.database.write() as session:
            return book(session, self.id, bytes(batch), source="mqtt", now=now)

    def report(self, now: int, **more: Any) -> None:
        """A report as the firmware makes it; `more` replaces keys of it, `health` those of its health."""
        health: dict[str, Any] = {"reset": 1, "signal": -61, "supply": 4980, "heap": 41_000, "flash": 900_000}
        health |= {"fill": 0.02, "clock": 120, "temperature": 31.5, "buttons": [], "uptime": 3600}
        health |= {"slow": 0, "dropped": 0, "unreadable": 0}
        health |= {"ignored": {"lockout": 3, "repeat": 1, "cleaning": 0}} | more.pop("health", {})
        body: dict[str, Any] = {"v": 1, "board": "unix", "model": "button5", "firmware": "0.1.0", "build": 7}
        body |= {"slot": "a", "desired": 0, "update": None, "sets": [], "running": None, "want": None}
        body |= {"epochs": [[self.epoch, 0, len(self.records), self.pressed]], "health": health} | more
        with self.database.write() as session:
            reports.take(session, self.id, body, now=now)

    def say(self, state: str, now: int, *, seconds: int = 900, connection: int = 1) -> None:
        """A message on the state topic."""
        with self.database.write() as session:
            contact.take_state(
                session, self.id, {"state": state, "conn": connection, "next": seconds}, now=now
            )

    def _write(self, kind: int, at: int, *, value: int = 0, flags: int = 0, body: bytes = b"") -> None:
        self.records.append(
            encode(
                self.epoch,
                kind,
                flags,
                len(self.records),
                self.boot,
                self._uptime(at),
                SET_TO_ASK,
                0 if kind == record.KIND_ANSWER else NO_SESSION,
                0,
                0,
                value,
                self.pressed,
                body,
            )  # fmt: skip
        )

    def _uptime(self, at: int) -> int:
        return (at - self.switched_on_at) // 100


@dataclass
class World:
    """The county, its pages, and the clock that they go by."""

    database: Database
    changes: Changes
    app: Any
    now: int = MONDAY_10
    places: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    kiosks: dict[str, PaperKiosk] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def sign_in(self, email: str) -> TestClient:
        """A browser in which this person is signed in."""
        with self.database.write() as session:
            user = accounts.by_email(session, email)
            assert user is not None
            secret = sessions.begin(session, user, now=self.now)
        browser = self.stranger()
        browser.cookies.set("hymio_session", secret)
        return browser

    def stranger(self) -> TestClient:
        """A browser in which nobody is signed in. It does not follow redirects."""
        return TestClient(self.app, base_url="http://testserver", follow_redirects=False)

    def token(self, role: Role, unit: str | None = None) -> dict[str, str]:
        """Headers of a program with a token."""
        name = f"{role} {unit}"
        if name not in self.tokens:
            unit_id = self.units[unit] if unit else None
            with self.database.write() as session:
                self.tokens[name] = accounts.create_token(
                    session, name=name, role=role, unit_id=unit_id, days=1, now=self.now
                )
        return {"authorization": f"Bearer {self.tokens[name]}"}

    def publish(self, number: int, *names: str) -> None:
        """Wish a set of these kiosks."""
        with self.database.write() as session:
            faults = questions.publish(
                session, number, [self.kiosks[n].id for n in names], actor="test", now=self.now
            )
        assert faults == []


@pytest.fixture
def world(database: Database) -> World:
    """The county on Monday at ten."""
    return make_world(database)


def make_world(database: Database) -> World:
    """The county in an empty database; its kiosks stand since a week and were switched on at six today."""
    changes = Changes()
    app = create_app(Settings(demo=False), database, changes, None)
    units, place_ids, kiosks = furnished(database, _furnish)
    on_at = MONDAY_10 - 4 * HOUR_MS
    papers = {key: PaperKiosk(id_, database, on_at) for key, id_ in kiosks.items()}
    county = World(database, changes, app, MONDAY_10, place_ids, units, papers)
    app.state.clock = lambda: county.now
    return county


def _furnish(database: Database) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
    """Units and places, each with its number, and kiosks with their ids."""
    units: dict[str, int] = {}
    place_ids: dict[str, int] = {}
    kiosks: dict[str, str] = {}
    since = MONDAY_10 - 7 * DAY_MS
    with database.write() as session:
        questions.add_national(session, now=since)
        root = _unit(session, None, "Hyvinvointialue", "Välfärdsområdet", "The county", since)
        for key in ("A", "B"):
            unit = _unit(session, root, f"Terveysasema {key}", f"Hälsostation {key}", f"Clinic {key}", since)
            units[key] = unit
            place = places.create_place(
                session, "test", unit_id=unit, name=f"Exit {key}", demo=False, now=since
            )
            place_ids[key] = place.id or 0
        demo = places.create_place(session, "test", unit_id=units["A"], name="Demo", demo=True, now=since)
        place_ids["demo"] = demo.id or 0
        for key in ("A", "B", "demo", "store"):
            row, _secret = credentials.create(
                session, name=f"Kiosk {key}", model="button5", virtual=key == "demo", now=since
            )
            kiosks[key] = row.id
            if key in place_ids:
                places.install(session, "test", device_id=row.id, place_id=place_ids[key], now=since)
        for email, role, unit in (
            ("alice@example.org", Role.SUPERVISOR, units["A"]),
            ("charlie@example.org", Role.SUPERVISOR, units["B"]),
            ("tuula@example.org", Role.TECHNICIAN, None),
            ("otto@example.org", Role.OPERATOR, None),
        ):
            name = email.split("@")[0].title()
            accounts.create_user(
                session, email=email, name=name, language="en", roles=[(role, unit)], now=since
            )
    return units, place_ids, kiosks


def a_busy_morning(world: World) -> None:
    """Kiosk A: 12 presses, one every nine minutes from 8:05 on, all booked; then three that wait."""
    kiosk = world.kiosks["A"]
    kiosk.learn_time(MONDAY_10 - 2 * HOUR_MS)
    for step in range(12):
        kiosk.press(MONDAY_10 - 2 * HOUR_MS + (5 + 9 * step) * MINUTE_MS)
    for step in range(3):
        kiosk.press(MONDAY_10 - (3 - step) * MINUTE_MS)
    kiosk.send(MONDAY_10, but_last=3)


def _unit(session: Any, parent: int | None, fi: str, sv: str, en: str, now: int) -> int:
    unit = places.create_unit(
        session,
        "test",
        parent_id=parent,
        name_fi=fi,
        name_sv=sv,
        name_en=en,
        oid=None,
        sector="health",
        now=now,
    )
    return unit.id or 0
