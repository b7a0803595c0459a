"""The database: one way to read, one way to write.

A request, a batch of messages or a job is one transaction, committed at the edge only: `with database.write() as s`.
Inside nobody commits. SQLite gets one writer connection (WAL, full sync, BEGIN IMMEDIATE) and read-only readers;
PostgreSQL gets a pool. Invariant: what `write()` has left without an exception is on the disk, in the file that bears
the name: one that was replaced under the running server (somebody restores a backup) is opened anew.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, Insert, bindparam, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import Function
from sqlmodel import Session, SQLModel

# How long a transaction waits for another's lock before it fails and says so; a kiosk waits 10 s for its receipt.
LOCK_WAIT_MS = 5_000
# Whatever the server's default: a commit has reached the disk when it returns.
_POSTGRESQL_OPTIONS = f"-c lock_timeout={LOCK_WAIT_MS} -c synchronous_commit=on"
# SQLAlchemy would print the values of a failed statement into the log: answers, free text, hashes.
_QUIET = {"hide_parameters": True}
_AFTER_COMMIT = "after_commit"
FINGERPRINTS = "fingerprints"  # key in a session's `info`

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Database:
    """Engines for one database address (SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://…`).

    `secret`: what answers/fingerprints.py hashes with, in each session's `info`.
    """

    def __init__(self, url: str, secret: bytes = b"") -> None:
        self.url = url
        self._info = {FINGERPRINTS: secret}
        self.is_sqlite = url.startswith("sqlite")
        self._writer_lock = threading.Lock()
        if self.is_sqlite:
            self._writer = _sqlite_engine(url, read_only=False)
            self._reader = _sqlite_engine(url, read_only=True)
        else:
            options = {"options": _POSTGRESQL_OPTIONS}
            self._writer = self._reader = create_engine(
                url, pool_pre_ping=True, connect_args=options, **_QUIET
            )

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: committed when the block ends well, rolled back when it raises.

        Functions given to `after_commit` run once the data is on the disk, never after a rollback.
        """
        lock = self._writer_lock if self.is_sqlite else nullcontext()
        with lock, Session(self._writer, expire_on_commit=False, info=self._info) as session:
            with session.begin():
                yield session
            callbacks: list[Callable[[], None]] = session.info.pop(_AFTER_COMMIT, [])
        for callback in callbacks:
            callback()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that cannot write."""
        with Session(self._reader, expire_on_commit=False, info=self._info) as session:
            yield session

    @contextmanager
    def steady_read(self) -> Iterator[Session]:
        """The same, and all that it reads is of one instant, however long it takes."""
        with self.read() as session:
            if not self.is_sqlite:  # SQLite's readers are always so
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    def close(self) -> None:
        """Give all connections back."""
        self._writer.dispose()
        self._reader.dispose()


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run `callback` after this transaction's commit (not when it is rolled back)."""
    session.info.setdefault(_AFTER_COMMIT, []).append(callback)


def insert_for(session: Session, table: Any) -> Any:
    """`INSERT` with `on_conflict_do_nothing/update` in the dialect of this session's database."""
    dialect = session.get_bind().dialect.name
    make: Callable[[Any], Insert] = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return make(table)


def among(column: Any, name: str) -> ColumnElement[bool]:
    """Whether `column` is in the JSON array of the parameter `name`.

    One parameter, however many values: `in_` writes and binds a placeholder for each of 500 devices, each time anew.
    """
    listed = _Listed("listed", bindparam(name), type_=column.type)
    within: ColumnElement[bool] = column.op("IN", is_comparison=True)(listed)
    return within


class _Listed(Function[Any]):
    """The values of a JSON array as a subquery."""

    inherit_cache = True


@compiles(_Listed, "sqlite")
def _listed_in_sqlite(listed: _Listed, compiler: Any, **options: Any) -> str:
    array = compiler.process(listed.clauses, **options)
    return f"(SELECT value FROM json_each({array}))"  # noqa: S608  (a placeholder)


@compiles(_Listed, "postgresql")
def _listed_in_postgresql(listed: _Listed, compiler: Any, **options: Any) -> str:
    array = f"CAST({compiler.process(listed.clauses, **options)} AS json)"
    kind = compiler.dialect.type_compiler_instance.process(listed.type)
    return f"(SELECT CAST(json_array_elements_text({array}) AS {kind}))"


def _sqlite_engine(url: str, *, read_only: bool) -> Engine:
    # One writer connection also does the checkpoints: readers that checkpoint meet SQLite's WAL-reset fault
    # (fixed in 3.51.3).
    pool = {} if read_only else {"pool_size": 1, "max_overflow": 0}
    engine = create_engine(url, connect_args={"check_same_thread": False}, **_QUIET, **pool)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA busy_timeout={LOCK_WAIT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        if read_only:
            cursor.execute("PRAGMA wal_autocheckpoint=0")
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    if engine.url.database not in (None, "", ":memory:"):
        _hold_to_the_file(engine, Path(str(engine.url.database)))
    return engine


def _hold_to_the_file(engine: Engine, path: Path) -> None:
    """Write into the file of this name only: SQLite would go on in one that was deleted, and receipts would lie."""
    opened = False

    def identity() -> tuple[int, int] | None:
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @event.listens_for(engine, "do_connect")
    def _make_it_only_once(*_: Any) -> None:
        if opened and identity() is None:
            raise sqlite3.OperationalError(f"the database file {path} is gone")

    @event.listens_for(engine, "connect")
    def _remember(_connection: Any, record: Any) -> None:
        nonlocal opened
        opened = True
        record.info["file"] = identity()

    @event.listens_for(engine, "checkout")
    def _compare(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != identity():
            raise DisconnectionError(f"the database file {path} was replaced")
