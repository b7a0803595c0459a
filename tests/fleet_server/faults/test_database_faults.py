"""The database fails at the Nth call, for every N, once and until it is healed: no receipt without a commit, and the
same rows and counts when the kiosks have sent again."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select
from starlette.testclient import TestClient

from fleet_server import db
from fleet_server.answers import check
from fleet_server.answers.models import JournalEpoch
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.link import collector as module
from fleet_server.link.collector import Collector, Incoming
from fleet_server.link.service import LinkService
from fleet_server.migrations import migrate
from fleet_server.settings import Settings
from fleet_server.web.app import create_app
from tests import effort, evidence, postgres
from tests.fleet_server.answers.conftest import furnish
from tests.fleet_server.answers.messages import batch, press
from tests.fleet_server.faults import story
from tests.fleet_server.link.wire import free_port, until

TEST = "tests/fleet_server/faults/test_database_faults.py"
PARTS = effort.pick(2, 6, 6)  # transactions of the story
HEALED_AFTER = 3  # failed transactions
_names = count(1)
Statement = tuple[str, Any]


class Injector:
    """Lets the database fail at the `first` call of its engine (statement or commit), once or from then on.

    `statement`: what is executed instead, and fails in the database itself; None: the call itself does.
    """

    def __init__(self, database: Database, first: int, *, lasting: bool) -> None:
        self.database, self.first, self.lasting = database, first, lasting
        self.calls = self.failures = 0
        self.statement: str | None = None
        self.prepare: Callable[[Any], None] = lambda connection: None
        self.heal: Callable[[Any], None] = lambda connection: None

    def due(self) -> bool:
        self.calls += 1
        return self.calls >= self.first if self.lasting else self.calls == self.first

    def at_statement(
        self, connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool
    ) -> Statement:
        if not self.due():
            return statement, values
        self.prepare(connection.connection.dbapi_connection)
        if self.statement is None:
            return statement, values
        return self.statement, [()] if isinstance(values, list) else ()

    def at_commit(self, connection: Any) -> None:
        if self.due():
            self.prepare(connection.connection.dbapi_connection)
            if self.statement is not None:
                connection.exec_driver_sql(self.statement)

    @contextmanager
    def armed(self) -> Iterator[None]:
        engine = self.database.engine
        event.listen(engine, "before_cursor_execute", self.at_statement, retval=True)
        event.listen(engine, "commit", self.at_commit)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", self.at_statement)
            event.remove(engine, "commit", self.at_commit)
            with engine.connect() as connection:
                self.heal(connection.connection.dbapi_connection)


def full(injector: Injector) -> None:
    """SQLite: not a page more than there is."""
    injector.prepare = lambda connection: _pages(
        connection, connection.execute("PRAGMA page_count").fetchone()[0]
    )
    injector.heal = lambda connection: _pages(connection, 1 << 30)
    injector.statement = "INSERT INTO server_state VALUES (77, 0, zeroblob(3000000))"


def _pages(connection: Any, most: int) -> None:
    connection.execute(f"PRAGMA max_page_count={most}")


def read_only(injector: Injector) -> None:
    """SQLite: reads go on, writes do not."""
    injector.prepare = lambda connection: _read_only(connection, "ON")
    injector.heal = lambda connection: _read_only(connection, "OFF")
    injector.statement = "UPDATE server_state SET since = since"


def _read_only(connection: Any, state: str) -> None:
    connection.execute(f"PRAGMA query_only={state}")


def terminated(injector: Injector) -> None:
    """PostgreSQL: the connection's server process ends."""
    injector.statement = "SELECT pg_terminate_backend(pg_backend_pid())"


def raising(code: str) -> Callable[[Injector], None]:
    """PostgreSQL: the server answers with this error."""

    def fault(injector: Injector) -> None:
        injector.statement = f"DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{code}'; END $$"

    fault.__name__ = f"error_{code}"
    return fault


SQLITE: list[tuple[str, Callable[[Injector], None]]] = [("full", full), ("read-only", read_only)]
POSTGRESQL: list[tuple[str, Callable[[Injector], None]]] = [
    ("connection gone", terminated),
    ("full", raising("53100")),
    ("read-only", raising("25006")),
    ("locked", raising("55P03")),
    ("deadlocked", raising("40P01")),
]


@lru_cache
def another(url: str) -> Database:
    """The same database, seen by somebody whom no fault concerns."""
    return Database(url)


class Kiosks:
    """The story's kiosks at one collector: they send again what got no receipt."""

    def __init__(self, database: Database) -> None:
        name = f"{next(_names):011d}"
        self.database = database
        self.ids = (f"x{name}", f"y{name}", f"z{name}")
        with database.write() as session:
            story.devices(session, self.ids)
        self.receipts: list[tuple[str, int]] = []
        self.collector = Collector(database, self._sink, Changes(), clock=lambda: story.NOW)

    def _sink(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/receipt"):
            receipt = json.loads(payload)
            device_id = topic.split("/")[3]
            with another(self.database.url).read() as session:
                query = select(JournalEpoch.through).where(
                    JournalEpoch.device_id == device_id, JournalEpoch.epoch == receipt["epoch"]
                )
                assert session.exec(query).one() >= receipt["through"], "a receipt before its commit"
            self.receipts.append((device_id, receipt["nonce"]))

    def tell(self, injector: Injector | None = None) -> None:
        for mails in story.told(self.ids)[:PARTS]:
            while mails:
                before = len(self.receipts)
                try:
                    self.collector.process([mail.incoming for mail in mails])
                except SQLAlchemyError:
                    assert injector is not None
                    assert len(self.receipts) == before, "a receipt although the transaction failed"
                    injector.failures += 1
                    if injector.failures >= HEALED_AFTER:
                        injector.lasting, injector.first = False, 0
                        with self.database.engine.connect() as connection:
                            injector.heal(connection.connection.dbapi_connection)
                else:
                    break
            wanted = {(mail.incoming.device_id, mail.batch.nonce) for mail in mails if mail.batch}
            assert wanted <= set(self.receipts)

    def contents(self) -> dict[str, list[Any]]:
        with self.database.read() as session:
            assert [fault for device_id in self.ids for fault in check.faults(session, device_id)] == []
            return story.contents(session, self.ids)


@pytest.mark.slow
@pytest.mark.scales
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "until it is healed"])
def test_wherever_the_database_fails_the_rows_become_the_same(
    shared_database: Database, lasting: bool
) -> None:
    undisturbed = Kiosks(shared_database)
    undisturbed.tell()
    whole = undisturbed.contents()
    for name, fault in SQLITE if shared_database.is_sqlite else POSTGRESQL:
        failures = 0
        step = 1 if fault in (full, terminated) else effort.pick(13, 1, 1)
        for call in count(1 + effort.SEED % step, step):
            kiosks = Kiosks(shared_database)
            injector = Injector(shared_database, call, lasting=lasting)
            fault(injector)
            with injector.armed():
                kiosks.tell(injector)
            assert kiosks.contents() == whole, f"{name} at call {call}"
            failures += injector.failures
            if not injector.failures:
                break
        # The last call is one that the story does not reach.
        assert call > 20 * PARTS, (name, call)
        kind = "SQLite" if shared_database.is_sqlite else "PostgreSQL"
        evidence.note(
            f"database {name} at the Nth call, for every N; {kind}",
            failures,
            "failed transactions",
            f"{TEST}::test_wherever_the_database_fails_the_rows_become_the_same",
        )


def test_the_disk_is_full_and_health_says_so_until_there_is_room_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.01)
    furnish(database)
    kiosks = Kiosks(database)
    service = LinkService(Settings(data_dir=tmp_path, mqtt_port=free_port()), database, Changes())
    service.collector._sink = kiosks._sink
    service.collector._clock = lambda: story.NOW
    with TestClient(create_app(Settings(data_dir=tmp_path), database, Changes(), service)) as watcher:
        answer = watcher.get("/health/ready")
        assert (answer.status_code, answer.json()["collector"]) == (200, True)
        limited = threading.Event()
        with database.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            _pages(raw, raw.execute("PRAGMA page_count").fetchone()[0])  # type: ignore[union-attr]
            limited.set()
        device_id = kiosks.ids[0]
        message = batch(story.A1, press(0))
        big = ("log", b'"' + b"x" * 8_000 + b'"')
        for what, payload in (big, big, ("answers", message.encode())):
            service.collector.offer(f"hymio/1/up/{device_id}/{what}", payload)
        until(lambda: service.collector.failing_since is not None, "it is seen that nothing can be booked")
        answer = watcher.get("/health/ready")
        assert (answer.status_code, answer.json()["collector"]) == (503, False)
        assert kiosks.receipts == []
        with database.engine.connect() as connection:
            _pages(connection.connection.dbapi_connection, 1 << 30)
        service.collector.offer(f"hymio/1/up/{device_id}/answers", message.encode())  # the kiosk's time-out
        until(lambda: kiosks.receipts, "a receipt")
        until(lambda: watcher.get("/health/ready").status_code == 200, "ready again, unaided")


def test_a_database_file_that_is_replaced_is_opened_anew_and_a_missing_one_is_not_made(
    database: Database, tmp_path: Path
) -> None:
    furnish(database)
    kiosks = Kiosks(database)
    device_id, file = kiosks.ids[0], Path(database.url.removeprefix("sqlite:///"))
    kiosks.collector.process([Incoming(device_id, "answers", batch(story.A1, press(0)).encode())])
    with sqlite3.connect(file) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    second = batch(story.A1, press(1), pressed=2, nonce=2).encode()
    kiosks.collector.process([Incoming(device_id, "answers", second)])
    for part in ("", "-wal", "-shm"):
        Path(f"{file}{part}").unlink(missing_ok=True)
    third = batch(story.A1, press(2), pressed=3, nonce=3).encode()
    with pytest.raises(SQLAlchemyError, match="is gone"):
        kiosks.collector.process([Incoming(device_id, "answers", third)])
    assert not file.exists(), "an empty database would give receipts for nothing"
    (tmp_path / "backup.db").rename(file)
    kiosks.collector.process([Incoming(device_id, "answers", third)])
    kiosks.collector.process([Incoming(device_id, "answers", second)])
    assert kiosks.receipts == [(device_id, 1), (device_id, 2), (device_id, 3), (device_id, 2)]
    other = Database(database.url)
    with other.read() as session:
        assert session.exec(select(JournalEpoch.received_answers)).one() == 3
        assert check.faults(session, device_id) == []
    other.close()


def test_postgresql_stops_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    if not postgres.installed():
        pytest.skip(postgres.NOT_INSTALLED)
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.01)
    with postgres.cluster() as cluster:
        database = Database(cluster.url(cluster.create()))
        migrate(database)
        furnish(database)
        kiosks = Kiosks(database)
        device_id = kiosks.ids[0]
        kiosks.collector.start()
        for seq in range(3):
            message = batch(story.A1, press(seq), pressed=seq + 1, nonce=seq).encode()
            cluster.stop()
            kiosks.collector.offer(f"hymio/1/up/{device_id}/answers", message)
            until(lambda: kiosks.collector.failing_since is not None, "it is seen that the database is away")
            cluster.start()
            kiosks.collector.offer(f"hymio/1/up/{device_id}/answers", message)  # the kiosk's time-out
            until(lambda seq=seq: (device_id, seq) in kiosks.receipts, "a receipt")
            until(lambda: kiosks.collector.failing_since is None, "all is well again")
        kiosks.collector.stop()
        with database.read() as session:
            assert session.exec(select(JournalEpoch.received_answers)).one() == 3
            assert check.faults(session, device_id) == []
        database.close()


def test_a_slow_database_delays_and_nothing_more(shared_database: Database) -> None:
    kiosks = Kiosks(shared_database)
    device_id = kiosks.ids[0]
    if shared_database.is_sqlite:
        holder: Any = sqlite3.connect(shared_database.url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
    else:
        holder = psycopg.connect(shared_database.url.replace("+psycopg", ""))
        holder.execute("SELECT 1 FROM device WHERE id = %s FOR UPDATE", (device_id,))
    message = Incoming(device_id, "answers", batch(story.A1, press(0)).encode())
    waiting = threading.Thread(target=kiosks.collector.process, args=([message],))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    assert kiosks.receipts == []
    holder.rollback()
    holder.close()
    waiting.join(5)
    assert kiosks.receipts == [(device_id, 1)]


def test_a_lock_that_is_never_given_back_is_waited_for_in_vain_only_so_long(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shared_database.is_sqlite:
        monkeypatch.setattr(db, "LOCK_WAIT_MS", 100)
    else:
        options = db._POSTGRESQL_OPTIONS.replace(str(db.LOCK_WAIT_MS), "100")
        monkeypatch.setattr(db, "_POSTGRESQL_OPTIONS", options)
    impatient = Database(shared_database.url)
    kiosks = Kiosks(impatient)
    device_id = kiosks.ids[0]
    if impatient.is_sqlite:
        holder: Any = sqlite3.connect(impatient.url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
    else:
        holder = psycopg.connect(impatient.url.replace("+psycopg", ""))
        holder.execute("SELECT 1 FROM device WHERE id = %s FOR UPDATE", (device_id,))
    message = Incoming(device_id, "answers", batch(story.A1, press(0)).encode())
    with pytest.raises(SQLAlchemyError, match="lock"):
        kiosks.collector.process([message])
    assert kiosks.receipts == []
    holder.rollback()
    holder.close()
    kiosks.collector.process([message])
    assert kiosks.receipts == [(device_id, 1)]
    impatient.close()


def test_a_commit_on_postgresql_waits_for_the_disk_whatever_the_server_is_set_to() -> None:
    if not postgres.installed():
        pytest.skip(postgres.NOT_INSTALLED)
    with postgres.cluster() as cluster:
        name = cluster.create()
        with psycopg.connect(cluster.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
        database = Database(cluster.url(name))
        with database.read() as session:
            assert session.connection().exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        database.close()
