"""Databases with a device and a place in them, on SQLite and on PostgreSQL."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.migrations import migrate
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.views import hash_of
from tests import postgres
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import KNOWN_SET

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Cluster]:
    """A cluster for the whole run, with a migrated database `hymio` to copy."""
    if not postgres.installed():
        pytest.skip(postgres.NOT_INSTALLED)
    with postgres.cluster() as cluster:
        name = cluster.create()
        database = Database(cluster.url(name))
        migrate(database)
        database.close()
        cluster.migrated = name
        yield cluster


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(
    request: pytest.FixtureRequest, empty_database_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One migrated database for a module: tests keep apart by using a `device` of their own."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("answers") / "hymio.db"
        path.write_bytes(empty_database_file.read_bytes())
        database = Database(f"sqlite:///{path}")
    else:
        cluster = request.getfixturevalue("postgresql")
        database = Database(cluster.url(cluster.create(cluster.migrated)))
    furnish(database)
    yield database
    database.close()


def furnish(database: Database) -> None:
    """Three places and a question set that is known."""
    with database.write() as session:
        session.add(Unit(id=1, path="/1/", name_fi="a", name_sv="a", name_en="a"))
        session.flush()
        for number in (1, 2, 3):
            session.add(Place(id=number, unit_id=1, name=f"place {number}", created_at=0))
        body = {"number": KNOWN_SET, "questions": [{"type": "smiley5"}, {"type": "text"}]}
        session.add(
            QuestionSet(
                number=KNOWN_SET,
                name="known",
                version="1",
                body=json.dumps(body),
                hash=hash_of(json.dumps(body).encode()),
                created_at=0,
                family=KNOWN_SET,
            )
        )


@pytest.fixture
def device(shared_database: Database) -> str:
    """A new device, made at MONDAY_10 and standing at place 1 since then."""
    return new_device(shared_database)


def new_device(database: Database) -> str:
    """A device that no other test uses."""
    device_id = f"d{next(_numbers):011d}"
    with database.write() as session:
        session.add(
            Device(id=device_id, name=device_id, model="button5", secret_sha256="", created_at=MONDAY_10)
        )
        session.flush()
        session.add(Installation(place_id=1, device_id=device_id, from_at=MONDAY_10))
    return device_id
