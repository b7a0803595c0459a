"""A small county and its people, for the tests of accounts, places and pages.

1 county ─ 2 health ─ 3 clinic      Alice: administrator      Tuula: technician of the county
         └ 4 social                 Bob: coordinator and technician of health (2)
                                    Charlie: supervisor of social (4), who must not get in elsewhere
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from fleet_server.accounts import service as accounts
from fleet_server.accounts import sessions
from fleet_server.accounts.access import Person
from fleet_server.accounts.models import AuditEntry, Role
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.places import service as places
from fleet_server.settings import Settings
from fleet_server.web.app import create_app
from tests.conftest import MONDAY_10
from tests.furnished import furnished

PASSWORD = "otter granite umbrella"
PEOPLE: dict[str, list[tuple[Role, str | None]]] = {
    "alice": [(Role.ADMIN, None)],
    "bob": [(Role.COORDINATOR, "health"), (Role.TECHNICIAN, "health")],
    "charlie": [(Role.SUPERVISOR, "social")],
    "tuula": [(Role.TECHNICIAN, None)],
    "otto": [(Role.OPERATOR, None)],
}


@dataclass
class County:
    """The database, the application, and the clock that it goes by."""

    database: Database
    app: Any
    now: int = MONDAY_10
    units: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)

    def stranger(self) -> TestClient:
        """A browser in which nobody is signed in; it follows no redirects and asks for English."""
        headers = {"accept-language": "en"}
        return TestClient(self.app, follow_redirects=False, headers=headers)

    def browser(self, name: str) -> TestClient:
        """A browser in which this person is signed in."""
        with self.database.write() as session:
            user = accounts.by_email(session, f"{name}@example.org")
            assert user is not None
            secret = sessions.begin(session, user, now=self.now)
        client = self.stranger()
        client.cookies.set("hymio_session", secret)
        return client

    def person(self, name: str) -> Person:
        """The person as the rules see them."""
        with self.database.read() as session:
            user = accounts.by_email(session, f"{name}@example.org")
            assert user is not None
            return sessions.person_from(session, user)

    def audit(self) -> list[AuditEntry]:
        """The audit log, oldest first."""
        with self.database.read() as session:
            return list(session.exec(select(AuditEntry).order_by(col(AuditEntry.id))))


@pytest.fixture
def county(database: Database) -> County:
    """The county on Monday at ten; nobody has a password yet, see `with_passwords`."""
    return county_in(database)


def county_in(database: Database) -> County:
    """The same, in an empty database that may serve several tests."""
    app = create_app(Settings(), database, Changes(), None)
    made = County(database, app, MONDAY_10, *furnished(database, _furnish))
    app.state.clock = lambda: made.now
    return made


def _furnish(database: Database) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Units, places and people, each with its number."""
    units: dict[str, int] = {}
    place_ids: dict[str, int] = {}
    people: dict[str, int] = {}
    with database.write() as session:
        for key, parent, sector in (
            ("county", None, "health"),
            ("health", "county", "health"),
            ("clinic", "health", "health"),
            ("social", "county", "social"),
        ):
            unit = places.create_unit(
                session,
                "test",
                parent_id=units[parent] if parent else None,
                name_fi=f"{key} fi",
                name_sv=f"{key} sv",
                name_en=f"{key} en",
                oid=None,
                sector=sector,
                now=MONDAY_10,
            )
            units[key] = unit.id or 0
        for key, unit_key, demo in (
            ("exit", "clinic", False),
            ("lobby", "social", False),
            ("demo", "clinic", True),
        ):
            place = places.create_place(
                session, "test", unit_id=units[unit_key], name=key, demo=demo, now=MONDAY_10
            )
            place_ids[key] = place.id or 0
        for device_id, name, virtual in (
            ("real00000001", "Real one", False),
            ("real00000002", "Real two", False),
            ("virt00000001", "Virtual one", True),
        ):
            session.add(
                Device(
                    id=device_id,
                    name=name,
                    model="button5",
                    secret_sha256="0",
                    virtual=virtual,
                    created_at=MONDAY_10,
                )
            )
        for name, roles in PEOPLE.items():
            held = [(role, units[unit] if unit else None) for role, unit in roles]
            user = accounts.create_user(
                session,
                email=f"{name}@example.org",
                name=name.title(),
                language="en",
                roles=held,
                now=MONDAY_10,
            )
            people[name] = user.id or 0
    return units, place_ids, people


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of PASSWORD, made once: it is slow on purpose."""
    from fleet_server.accounts.passwords import hashed

    return hashed(PASSWORD)


@pytest.fixture
def with_passwords(county: County, password_hash: str) -> County:
    """The county when everybody has used the invitation."""
    with county.database.write() as session:
        for user in accounts.all_users(session):
            user.password_hash = password_hash
            session.add(user)
    return county
