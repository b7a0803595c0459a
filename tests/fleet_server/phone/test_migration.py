"""Places that were there before phones get their codes, once, on SQLite and on PostgreSQL."""

import pytest
from alembic import command
from sqlalchemy import text
from sqlmodel import select

from fleet_server.db import Database
from fleet_server.migrations import alembic_config, migrate
from fleet_server.places.codes import read_code
from fleet_server.places.models import Place
from tests import postgres


def upgraded(database: Database) -> None:
    """A database of before with two places, brought to the newest schema twice."""
    command.downgrade(alembic_config(database), "0002")
    with database.write() as session:
        run = session.connection().execute
        run(
            text(
                "INSERT INTO unit (id, path, name_fi, name_sv, name_en, sector) "
                "VALUES (1, '/1/', 'a', 'b', 'c', 'health')"
            )
        )
        for number in (1, 2):
            values = {"id": number, "name": f"place {number}", "demo": False}
            run(
                text(
                    "INSERT INTO place (id, unit_id, name, demo, created_at) VALUES (:id, 1, :name, :demo, 5)"
                ),
                values,
            )
    migrate(database)
    with database.read() as session:
        codes = session.exec(select(Place.code).order_by(Place.id)).all()
    assert len(set(codes)) == 2
    assert [read_code(code) for code in codes] == list(codes)
    migrate(database)
    with database.read() as session:
        assert session.exec(select(Place.code).order_by(Place.id)).all() == codes
    command.check(alembic_config(database))


def test_every_place_gets_a_code_of_its_own(database: Database) -> None:
    upgraded(database)


@pytest.mark.slow
@pytest.mark.skipif(not postgres.installed(), reason=postgres.NOT_INSTALLED)
def test_every_place_gets_a_code_of_its_own_on_postgresql() -> None:
    with postgres.cluster() as cluster:
        database = Database(cluster.url(cluster.create()))
        migrate(database)
        upgraded(database)
        database.close()
