"""Answers a second that `book` takes from draining kiosks, beside a bare `sqlite3.executemany` of the same rows.

Both on a file with full sync, both one commit for each 100 messages; the peer has the same table and the same rows
ready made, and decodes, checks, places and counts nothing.
"""

import sqlite3
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from kiosk import record as codec

from fleet_server import garbage
from fleet_server.answers.book import Message, book_all
from fleet_server.answers.desk_tables import RECORD_COLUMNS
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.migrations import migrate
from fleet_server.places.models import Installation, Place, Unit
from tests.firmware.whole import encode, encode_batch

DEVICES = 100
MESSAGES_EACH = 4
RECORDS = 144  # presses that fit into a batch of 4 096 bytes
MESSAGES_A_COMMIT = 100
ROUNDS = 5
GOAL = 0.4
START_MS = 1_772_438_400_000
PRESS_TENTHS = 300  # a press each 30 s: a kiosk that was offline on a busy day


def measure() -> dict[str, Any]:
    """{name, value, unit, peer, peer_value, ratio, limit, one_press_batches}: rates in answers (batches) a second.

    Of a few rounds, each with both on fresh files, the one with the middle ratio: other work comes and goes.
    """
    garbage.search_seldom()  # as `fleet serve` does
    rounds = sorted(
        (_round(DEVICES, MESSAGES_EACH) for _ in range(ROUNDS)), key=lambda one: one["value"] / one["peer"]
    )
    return rounds[ROUNDS // 2]


def _round(devices: int, messages_each: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        database = _database(Path(folder) / "book.db", devices)
        messages = [message for number in range(messages_each) for message in _full(devices, number)]
        seconds = _book(database, messages, MESSAGES_A_COMMIT)
        answers = len(messages) * RECORDS
        peer_seconds = _bare(database, Path(folder) / "bare.db", answers)
        singles = [message for number in range(100) for message in _single(devices, messages_each, number)]
        single_seconds = _book(database, singles, 200)
        database.close()
    value, peer_value = answers / seconds, answers / peer_seconds
    return {
        "name": "full batches booked",
        "value": round(value),
        "unit": "answers/s",
        "peer_name": "sqlite3.executemany",
        "peer": round(peer_value),
        "goal": GOAL,
        "one_press_batches": round(len(singles) / single_seconds),
    }


def _database(path: Path, devices: int) -> Database:
    database = Database(f"sqlite:///{path}")
    migrate(database)
    with database.write() as session:
        session.add(Unit(id=1, path="/1/", name_fi="a", name_sv="a", name_en="a"))
        session.flush()
        session.add(Place(id=1, unit_id=1, name="exit", created_at=0))
        for number in range(devices):
            device = Device(id=_id(number), name="k", model="button5", secret_sha256="", created_at=START_MS)
            session.add(device)
            session.flush()
            session.add(Installation(place_id=1, device_id=device.id, from_at=START_MS))
    clock = [
        encode(1, codec.KIND_CLOCK, 0, 0, 1, 0, 0, 255, 0, 0, 0, 0, codec.clock_body(START_MS + 60_000, 20))
    ]
    _book(database, [Message(_id(n), bytes(_batch(0, clock, 1)), "mqtt") for n in range(devices)], 100)
    return database


def _id(number: int) -> str:
    return f"bench{number:07d}"


def _batch(start: int, records: list[bytes], to: int) -> bytes:
    return bytes(encode_batch(1, start + 1, start, to, to, to - 1, 0, 1, 0, records))


def _press(seq: int) -> bytes:
    return encode(1, codec.KIND_ANSWER, 0, seq, 1, seq * PRESS_TENTHS, 3, 0, 0, 0, 1 + seq % 5, seq)


def _full(devices: int, number: int) -> list[Message]:
    start = 1 + number * RECORDS
    payload = _batch(start, [_press(seq) for seq in range(start, start + RECORDS)], start + RECORDS)
    return [Message(_id(device), payload, "mqtt") for device in range(devices)]


def _single(devices: int, messages_each: int, number: int) -> list[Message]:
    seq = 1 + messages_each * RECORDS + number
    payload = _batch(seq, [_press(seq)], seq + 1)
    return [Message(_id(device), payload, "mqtt") for device in range(devices)]


def _book(database: Database, messages: list[Message], at_once: int) -> float:
    started = perf_counter()
    for first in range(0, len(messages), at_once):
        with database.write() as session:
            for booking in book_all(session, messages[first : first + at_once], now=START_MS + 86_400_000):
                if booking.receipt is None or booking.duplicates:
                    raise RuntimeError(f"the bench booked nothing: {booking}")
    return perf_counter() - started


def _bare(database: Database, path: Path, answers: int) -> float:
    """Seconds for the same rows, in the same order, into the same table of a fresh file."""
    columns = ", ".join(RECORD_COLUMNS)
    with database.read() as session:
        connection = session.connection()
        rows = connection.exec_driver_sql(f"SELECT {columns} FROM record WHERE kind = 1").all()  # noqa: S608
        schema = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_schema WHERE name = 'record'"
        ).scalar_one()
    rows = [tuple(row) for row in rows]
    if len(rows) != answers:
        raise RuntimeError(f"{len(rows)} answers booked, {answers} sent")
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute(schema)
    insert = f"INSERT INTO record ({columns}) VALUES ({', '.join('?' * len(RECORD_COLUMNS))})"  # noqa: S608
    a_commit = MESSAGES_A_COMMIT * RECORDS
    started = perf_counter()
    for first in range(0, len(rows), a_commit):
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany(insert, rows[first : first + a_commit])
        bare.execute("COMMIT")
    seconds = perf_counter() - started
    bare.close()
    return seconds


if __name__ == "__main__":
    print(measure())
