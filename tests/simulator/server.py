"""The server of a simulated county: the real collector and booking on SQLite in memory, with crashes and backups.

It judges receipts only: none may leave for what the database does not hold when its transaction has ended.
"""

import asyncio
import json
import random
import sqlite3
import threading
from functools import lru_cache
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool
from sqlmodel import col, select

from fleet_server.answers import wire
from fleet_server.answers.book import Message, book_all
from fleet_server.answers.generation import renew_generation
from fleet_server.answers.models import Quarantine
from fleet_server.answers.moves import reinstalled
from fleet_server.answers.replay import replay
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.link.collector import Collector, Incoming
from fleet_server.migrations import migrate
from fleet_server.places.models import Installation, Place, Unit
from tests.fleet_server.answers.messages import as_version
from tests.simulator.history import START_MS, Broken, History, Id
from tests.simulator.network import Broker

PLACES = (1, 2, 3)


class Killed(BaseException):
    """SIGKILL between commit and receipt."""


class InMemory(Database):
    """A Database on one connection that lives in memory: nothing to sync, copied in a millisecond."""

    def __init__(self) -> None:
        self.url, self.is_sqlite, self._info = "sqlite://", True, {}
        self._writer_lock = threading.Lock()
        self.raw = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.raw.execute("PRAGMA foreign_keys=ON")
        self._writer = self._reader = create_engine(
            "sqlite://", creator=lambda: self.raw, poolclass=StaticPool
        )
        event.listen(self._writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    def close(self) -> None:
        """Forget everything."""
        super().close()
        self.raw.close()


@lru_cache(maxsize=1)
def _empty() -> sqlite3.Connection:
    """A migrated database to copy."""
    database = InMemory()
    migrate(database)
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    database.raw.backup(copy)
    return copy


class Server:
    """`error_ms`: by how much its clock is wrong."""

    def __init__(self, history: History, broker: Broker, chance: random.Random, devices: list[str]) -> None:
        self._history, self._broker, self._chance = history, broker, chance
        self._database = InMemory()
        _empty().backup(self._database.raw)
        self._queue: list[Incoming] = []
        self._taking: asyncio.TimerHandle | None = None
        self._sent: list[dict[str, Any]] = []
        self._dies_at_sending = self._fails = self._working = False
        self._backups: list[tuple[sqlite3.Connection, int]] = []
        self.is_up = True
        self.error_ms = 0
        broker.deliver = self._take
        self._new_collector()
        with self._database.write() as session:
            session.add(Unit(id=1, path="/1/", name_fi="a", name_sv="a", name_en="a"))
            session.flush()
            session.add_all(Place(id=n, unit_id=1, name=f"place {n}", created_at=0) for n in PLACES)
            session.add_all(
                Device(id=device, name=device, model="button5", secret_sha256="", created_at=START_MS)
                for device in devices
            )
        for device in devices:
            history.stays[device] = [[START_MS, None, chance.choice(PLACES)]]
            self.write_down_stays(device, START_MS)

    # Work

    def _new_collector(self) -> None:
        self._collector = Collector(self._database, self._send, Changes(), clock=self.now)

    def now(self) -> int:
        """UTC ms, as the server believes."""
        return self._history.now_ms() + self.error_ms

    def read(self) -> Any:
        """A session to look around in."""
        return self._database.read()

    def _take(self, device: str, what: str, payload: bytes) -> None:
        if not self.is_up:
            return
        self._queue.append(Incoming(device, what, payload))
        if self._taking is None:
            wait = self._chance.uniform(0.0, 2.0)
            self._taking = asyncio.get_running_loop().call_later(wait, self._process)

    def _process(self) -> None:
        self._taking = None
        batch, self._queue, self._sent = self._queue, [], []
        self._working = True
        try:
            self._collector.process(batch)
        except SQLAlchemyError as fault:
            self._history.say("server: %s; %d messages are left", type(fault).__name__, len(batch))
        except Killed:
            self._history.inject("server killed after the commit", "%d messages", len(batch))
            self.stop()
            asyncio.get_running_loop().call_later(self._chance.uniform(1, 600), self.start)
        finally:
            self._working = False
            self._check_receipts()

    def _send(self, topic: str, payload: bytes) -> None:
        if self._dies_at_sending:
            self._dies_at_sending = False
            raise Killed
        _, _, _, device, what = topic.split("/")
        if what == "receipt":
            receipt = json.loads(payload)
            self._sent.append({**receipt, "device": device})
            self._history.told_after[receipt["nonce"]] = self._history.restores
            if self.error_ms:
                self._history.wrong_nonces.add(receipt["nonce"])
        self._broker.down(device, what, payload)

    def _check_receipts(self) -> None:
        for receipt in self._sent:
            row = self._database.raw.execute(
                "SELECT through FROM journal_epoch WHERE device_id = ? AND epoch = ?",
                (receipt["device"], receipt["epoch"]),
            ).fetchone()
            if receipt["through"] > (row[0] if row else 0):
                raise Broken(f"a receipt for what is not booked: {receipt}, the database has {row}")

    # Faults

    def stop(self) -> None:
        """The process is gone with all that waits in it."""
        self.is_up = False
        self._queue = []
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def start(self) -> None:
        """Start again."""
        if not self.is_up:
            self.is_up = True
            self._new_collector()

    def die_at_next_sending(self) -> None:
        """Be killed after the next commit, before its first receipt."""
        self._dies_at_sending = True

    def fail_at_statement(self, number: int) -> None:
        """The database fails at the collector's n-th statement from now (a commit is one); then all is well again."""
        if self._fails:
            return
        self._fails = True
        left = [number]
        engine = self._database.engine

        def count(*_: object) -> None:
            left[0] -= self._working
            if left[0] == 0 and self._working:
                event.remove(engine, "before_cursor_execute", count)
                event.remove(engine, "commit", count)
                self._fails = False
                self._history.inject("database failures at a statement or commit", "number %d", number)
                raise OperationalError("x", {}, sqlite3.OperationalError("disk I/O error"))

        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)

    def back_up(self) -> None:
        """Keep a copy."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.raw.backup(copy)
        self._backups.append((copy, self._history.now_ms()))
        self._history.say("server: backup %d", len(self._backups))

    def restore(self, held: set[Id], *, anew: bool) -> None:
        """Put one of the last backups back; `anew`: as a person should, with a new generation.

        `held`: what lies in any flash at this moment.
        """
        if not self._backups:
            return
        copy, at = self._chance.choice(self._backups[-3:])
        self.stop()
        before = self.known()
        copy.backup(self._database.raw)
        lost = before.keys() - self.known().keys()
        self._history.restores += 1
        self._history.put_back(lost, held)
        self._history.inject(
            "restores with a new generation" if anew else "restores without a new generation",
            "%d records are forgotten, the backup is %d min old", len(lost), (self._history.now_ms() - at) // 60_000,
        )  # fmt: skip
        with self._database.write() as session:
            if anew:
                renew_generation(session, now=self.now())
        for device in self._history.stays:
            self.revoke(device, False)
            self.write_down_stays(device, START_MS)
        self.start()

    # What people do

    def write_down_stays(self, device: str, since: int) -> None:
        """Let the database say where the device truly stood."""
        with self._database.write() as session:
            for row in session.exec(select(Installation).where(Installation.device_id == device)):
                session.delete(row)
            session.flush()
            for start, stop, place in self._history.stays[device]:
                row = Installation(place_id=place, device_id=device, from_at=start, to_at=stop)
                session.add(row)
            session.flush()
            reinstalled(session, device, since=since, now=self.now())

    def revoke(self, device: str, revoked: bool) -> None:
        """Let a device in no more, or again."""
        with self._database.write() as session:
            row = session.get_one(Device, device)
            row.revoked_at = self.now() if revoked else None
            session.add(row)

    def harvest(self, device: str, payloads: list[bytes]) -> None:
        """What a technician read out over USB."""
        messages = [Message(device, payload, "harvest") for payload in payloads]
        with self._database.write() as session:
            book_all(session, messages, now=self.now())

    def replay_quarantine(self) -> int:
        """Replay all that is kept, what nobody could read as after an update; returns how many things."""
        with self._database.write() as session:
            rows = session.exec(select(Quarantine).order_by(col(Quarantine.id))).all()
            for row in rows:
                if row.what == "message" and row.evidence:
                    row.raw = as_version(row.raw, wire.VERSION)
                    session.flush()
                replay(session, row.id or 0, now=self.now())
            return len(rows)

    # What is there

    def known(self) -> dict[Id, str]:
        """Every record that is booked: "received", "message" (rejected until an update) or "fork" (in quarantine)."""
        raw = self._database.raw
        found: dict[Id, str] = {}
        for device, payload in raw.execute(
            "SELECT device_id, raw FROM quarantine WHERE what = 'message' AND evidence"
        ):
            batch = wire.read_batch(as_version(payload, wire.VERSION))
            found |= {(device, batch.epoch, record.seq, record.crc): "message" for record in batch.records}
        for device, epoch, seq, payload in raw.execute(
            "SELECT device_id, epoch, seq, raw FROM quarantine WHERE what = 'record' AND evidence"
        ):
            found[device, epoch, seq, int.from_bytes(payload[-4:], "little")] = "fork"
        rows = raw.execute("SELECT device_id, epoch, seq, crc FROM record")
        return found | dict.fromkeys(rows.fetchall(), "received")

    def close(self) -> None:
        """Forget everything."""
        self._database.close()
        for copy, _ in self._backups:
            copy.close()
