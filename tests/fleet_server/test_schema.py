"""The migrations make exactly the tables that the models describe."""

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fleet_server.db import Database
from fleet_server.migrations import alembic_config, migrate


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
