"""The migrations make exactly the tables that the models describe."""

from alembic import command

from fleet_server.db import Database
from fleet_server.migrations import alembic_config, migrate


def test_models_and_migrations_agree(database: Database):
    command.check(alembic_config(database))  # raises with the difference


def test_migrating_twice_changes_nothing(database: Database):
    migrate(database)
    migrate(database)


def test_a_failed_statement_tells_its_values_to_nobody(database: Database):
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    try:
        with database.write() as session:
            session.connection().execute(
                text("INSERT INTO nowhere VALUES (:body)"), {"body": "an open answer"}
            )
    except DBAPIError as fault:
        assert "an open answer" not in str(fault)
    else:
        raise AssertionError("there is no such table")
