"""The schema's history. `migrate` brings a database to the newest version; `fleet migrate` calls it."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from fleet_server.db import Database


def alembic_config(database: Database) -> Config:
    """Alembic's settings for one database, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["engine"] = database.engine
    return config


def migrate(database: Database) -> None:
    """Bring the schema to the newest version. Safe to call at every start."""
    command.upgrade(alembic_config(database), "head")
