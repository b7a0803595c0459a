"""A fixed story of three kiosks for the tests that interrupt the server, told in transactions.

It has whatever booking can meet: clocks that come late, runs between others, a move, corrections within and across
batches, gaps, duplicates, rejected and damaged records, a twin, an unknown version, refused presses, texts, two epochs
of which one is given up and comes all the same. `contents` says what all that must have come to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sqlalchemy import Table
from sqlalchemy import select as columns_of
from sqlmodel import Session

from fleet_server.answers import bulk
from fleet_server.answers.models import (
    ClockAnchor,
    ClockRun,
    JournalEpoch,
    LedgerRange,
    PressCount,
    Quarantine,
    Record,
)
from fleet_server.devices.models import Device
from fleet_server.instants import HOUR_MS
from fleet_server.link.collector import Incoming
from fleet_server.places.models import Installation
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import Msg, Rec, batch, boot, clock, codec, press

NOW = MONDAY_10 + 3 * HOUR_MS
HOUR = 36_000  # in tenths of a second, as uptimes are
A1, B1, B2, C1 = 0xA1, 0xB1B1B1B1, 0xB2, 0xFFFFFFFE


@dataclass(frozen=True)
class Mail:
    """One message of the story; `batch` None: a report, a state, or noise, for which there is no receipt."""

    incoming: Incoming
    batch: Msg | None = None


def devices(session: Session, ids: Sequence[str]) -> None:
    """The three kiosks; the first stood at place 1 for two hours, then at place 2."""
    for device_id in ids:
        session.add(
            Device(id=device_id, name=device_id, model="button5", secret_sha256="", created_at=MONDAY_10)
        )
    session.flush()
    moved = MONDAY_10 + 2 * HOUR_MS
    session.add(Installation(place_id=1, device_id=ids[0], from_at=MONDAY_10, to_at=moved))
    session.add(Installation(place_id=2, device_id=ids[0], from_at=moved))
    session.add(Installation(place_id=3, device_id=ids[1], from_at=MONDAY_10))


def told(ids: Sequence[str]) -> list[list[Mail]]:
    """The story, transaction by transaction."""
    nonces = count(1)
    a, b, c = ids

    def books(device_id: str, message: Msg) -> Mail:
        message = replace(message, nonce=next(nonces))
        return Mail(Incoming(device_id, "answers", message.encode()), message)

    def says(device_id: str, what: str, body: str) -> Mail:
        return Mail(Incoming(device_id, what, body.encode()))

    def reports(device_id: str, *epochs: tuple[int, int, int, int]) -> Mail:
        return says(device_id, "report", f'{{"v":1,"epochs":{[list(epoch) for epoch in epochs]}}}')

    def at(seq: int, tenths: int, **more: Any) -> Rec:
        return press(seq, uptime=tenths, **more)

    early = batch(A1, boot(0), at(1, 100), at(2, 900, flags=4), at(3, HOUR), pressed=3)
    visit = {"set_number": 98, "question": 0}
    refused = Rec(4, codec.KIND_REFUSED, session=255, set_number=0, body=codec.refused_body(7, 3))
    return [
        [
            says(a, "state", '{"state":"ready","conn":1,"next":60}'),
            reports(a, (A1, 0, 0, 0)),
            books(a, Msg(A1, 0, 0)),
            books(b, batch(B1, at(0, 50), at(1, 60), at(2, 70), next=6, pressed=6)),
            books(c, batch(C1, boot(0), at(1, 30, question=1, value=0, body="Kiitos \u2764".encode()), pressed=1)),
        ],
        [
            books(a, early),
            books(b, replace(batch(B1, at(3, 80)), version=2, next=4)),
            Mail(Incoming(c, "answers", early.encode()[:-3] + b"xyz")),
            books(c, batch(C1, at(2, 40), at(3, 41), refused, at(9, 5, value=2), to=5, next=12, pressed=3)),
        ],
        [
            books(a, batch(A1, clock(4, MONDAY_10 + HOUR_MS, HOUR), at(5, HOUR + 70), at(6, 3 * HOUR, **visit),
                           at(7, 3 * HOUR + 5, session=1, **visit), pressed=6)),
            books(b, batch(B2, boot(0, 4), at(1, 10, boot=4), at(2, 20, boot=4, value=9),
                           at(3, 30, boot=4, damaged=True), at(4, 40, boot=4), pressed=4)),
        ],
        [
            books(a, batch(A1, at(9, 3 * HOUR + 9), at(11, 3 * HOUR + 10), start=8, to=13, pressed=11)),
            reports(b, (B2, 0, 5, 4)),  # what is left of B1 is gone
            books(b, batch(B2, at(1, 11, boot=4), pressed=4, next=5)),  # a twin's
            books(c, batch(C1, clock(5, 5, 60), Rec(6, 77, body=b"future"), at(7, 90, flags=1, value=0), next=12,
                           pressed=4)),
        ],
        [
            books(a, early),
            books(a, batch(A1, at(13, 3 * HOUR + 20, session=7, **visit), boot(14, 2), at(15, 500, boot=2),
                           pressed=13)),
            books(b, batch(B1, at(4, 90), at(5, 95), next=6, pressed=6)),  # it comes all the same
            books(b, batch(B2, clock(5, NOW, 5 * HOUR, boot=4), at(6, 5 * HOUR, boot=4), pressed=5)),
        ],
        [
            books(a, batch(A1, boot(16, 3), at(17, 700, boot=3), clock(18, NOW + 5 * HOUR_MS, 900, 400, 3),
                           pressed=14)),
            says(b, "log", '{"task":"link","trace":"x"}'),
            books(c, batch(C1, at(8, 95), at(9, 96, value=4), at(10, 97), at(11, 98), pressed=8)),
            reports(a, (A1, 0, 19, 14)),
        ],
    ]  # fmt: skip


_WITHOUT = {"device_id", "received_at"}
_TABLES = [bulk.table_of(model) for model in (Record, LedgerRange, JournalEpoch, ClockRun, ClockAnchor)]
_KEPT = ("what", "epoch", "seq", "reason", "evidence", "raw")


def contents(session: Session, ids: Sequence[str]) -> dict[str, list[Any]]:
    """All that must be the same after whatever befell the server: rows of these devices, by table.

    Without instants of arrival. Of the quarantine without what no kiosk sends again (damaged messages), and each
    thing once: a message that nobody can read is kept each time it comes.
    """
    found: dict[str, list[Any]] = {}
    for number, device_id in enumerate(ids):
        for table in _TABLES:
            rows = _rows(session, table, device_id, [c.name for c in table.columns if c.name not in _WITHOUT])
            found.setdefault(table.name, []).extend([number, *row] for row in rows)
        counts = _rows(
            session,
            bulk.table_of(PressCount),
            device_id,
            ["place_id", "grain", "start_at", "counted", "filtered", "simulated"],
        )
        found.setdefault("press_count", []).extend([number, *row] for row in counts if any(row[3:]))
        kept = _rows(session, bulk.table_of(Quarantine), device_id, list(_KEPT))
        found.setdefault("quarantine", []).extend(
            [number, *row] for row in kept if row[0] == "record" or row[4]
        )
        said = _rows(session, bulk.table_of(Device), device_id, ["status", "connection", "report"], "id")
        found.setdefault("device", []).extend([number, *row] for row in said)
    return {
        name: [list(row) for row in sorted({tuple(map(_plain, row)) for row in rows}, key=repr)]
        for name, rows in found.items()
    }


def _rows(session: Session, table: Table, device_id: str, columns: list[str], key: str = "device_id") -> Any:
    query = columns_of(*(table.c[name] for name in columns)).where(table.c[key] == device_id)
    return session.connection().execute(query).all()


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
