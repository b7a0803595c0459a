"""Writes many rows with one prepared statement, past the ORM and its per-row work; it knows no table in particular."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a SQLModel class."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def insert(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert `rows` (in the order of `columns`); a key that exists raises IntegrityError."""
    _run(connection, table, columns, (), (), rows)


def upsert(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    add: tuple[str, ...] = (),
) -> None:
    """Insert `rows`; where the primary key exists overwrite the rest, but *add to* the columns named in `add`."""
    keys = {column.name for column in table.primary_key}
    replace = tuple(name for name in columns if name not in keys and name not in add)
    _run(connection, table, columns, replace, add, rows)


def _run(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    replace: tuple[str, ...],
    add: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    if rows:
        connection.exec_driver_sql(_sql(connection.dialect.name, table, columns, replace, add), list(rows))


@lru_cache(maxsize=64)
def _sql(
    dialect: str, table: Table, columns: tuple[str, ...], replace: tuple[str, ...], add: tuple[str, ...]
) -> str:
    """The statement with its values in the order of `columns`."""
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table)
    if replace or add:
        changes = {name: statement.excluded[name] for name in replace}
        changes |= {name: table.c[name] + statement.excluded[name] for name in add}
        statement = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes)
    postgres: Any = postgresql.dialect
    target: Any = postgres(paramstyle="format") if dialect == "postgresql" else sqlite.dialect()
    compiled = statement.compile(dialect=target, column_keys=list(columns))
    if tuple(compiled.positiontup) != columns:
        raise ValueError(f"{table.name}: give the columns in the table's order, {compiled.positiontup}")
    return str(compiled)
