"""Alembic's entry: runs migrations on the engine that `alembic_config` handed over."""

from alembic import context
from sqlmodel import SQLModel

from fleet_server import tables  # noqa: F401  (fills the metadata)

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:  # batch mode copies tables; with foreign keys on, dropping the old copy would fail
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("SET lock_timeout = '5s'")
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True
    )
    context.run_migrations()
    connection.commit()
    if sqlite:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.exec_driver_sql("BEGIN")
