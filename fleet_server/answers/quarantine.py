"""Keeps what was not booked as it came, raw and with the reason; it judges nothing.

Two shelves: what booked nothing (damaged messages, stray records) and `evidence`, the raw form of thanked answers
that stand in the ledger as rejected, or that met another record under their key.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, insert, update
from sqlalchemy import select as columns_of
from sqlmodel import Session, col, select

from fleet_server.answers import bulk, wire
from fleet_server.answers.models import Quarantine

# Enough to see what is wrong with a device; a flood from one that is broken pushes out only its own.
LAST_STRAY = 100
# A replay after an update makes answers of these, so they stay as long as is reasonable: 5 000 messages are 20 MB.
LAST_EVIDENCE = 5_000
_REASON_CHARACTERS = 200
_AT_ONCE = 500  # SQLite binds at least 999 values

_TABLE = bulk.table_of(Quarantine)


class Item(NamedTuple):
    """One thing to keep. `what`: `message` or `record`; a record is kept once, however often it comes."""

    what: str
    reason: str
    raw: bytes
    epoch: int | None = None
    seq: int | None = None
    evidence: bool = False


def keep(session: Session, device_id: str, item: Item, *, source: str, now: int) -> int:
    """Keep one thing; returns how many were new (0 or 1)."""
    return keep_all(session, device_id, [item], source=source, now=now)


def keep_all(session: Session, device_id: str, items: Sequence[Item], *, source: str, now: int) -> int:
    """Keep these; returns how many were not kept already, or not for this reason."""
    there = _records_there(session, device_id, items)
    rows, raised = [], 0
    for item in items:
        reason = item.reason[:_REASON_CHARACTERS].replace("\0", "\ufffd")  # PostgreSQL's texts have no NUL
        if item.what == "record":
            key = (item.epoch, item.seq, item.raw)
            before = there.get(key)
            if before is not None:
                if item.evidence and before != (True, reason):
                    _raise_to_evidence(session, device_id, item)
                    there[key] = (True, reason)
                    raised += 1
                continue
            there[key] = (item.evidence, reason)
        rows.append(
            {
                "device_id": device_id,
                "at": now,
                "source": source,
                "what": item.what,
                "epoch": item.epoch,
                "seq": item.seq,
                "reason": reason,
                "evidence": item.evidence,
                "raw": item.raw,
            }
        )
    if rows:
        session.connection().execute(insert(_TABLE), rows)
        for evidence, limit in ((False, LAST_STRAY), (True, LAST_EVIDENCE)):
            if any(row["evidence"] is evidence for row in rows):
                _prune(session, device_id, evidence, limit)
    return len(rows) + raised


def list_of(session: Session, device_id: str, *, limit: int = LAST_STRAY) -> Sequence[Quarantine]:
    """What is kept of a device, newest first."""
    newest = select(Quarantine).where(Quarantine.device_id == device_id).order_by(col(Quarantine.id).desc())
    return session.exec(newest.limit(limit)).all()


def forget(session: Session, *, before: int) -> int:
    """Take away what came before this instant and may hold an open text; returns how many.

    Here texts lie as they came, names and numbers in them: a replay needs each byte. So they stay no longer than
    anywhere else. What has no text stays: it may be all that is left of a thanked answer.
    """
    old = session.connection().execute(
        columns_of(_TABLE.c.id, _TABLE.c.what, _TABLE.c.raw).where(_TABLE.c.at < before)
    )
    gone = [one for one, what, raw in old if wire.may_hold_text(bytes(raw), message=what == "message")]
    for at in range(0, len(gone), _AT_ONCE):
        session.connection().execute(delete(_TABLE).where(_TABLE.c.id.in_(gone[at : at + _AT_ONCE])))
    return len(gone)


def _records_there(
    session: Session, device_id: str, items: Sequence[Item]
) -> dict[tuple[int | None, int | None, bytes], tuple[bool, str]]:
    """The records that are kept already with a seq of these items: are they evidence, and why are they kept."""
    seqs = [item.seq for item in items if item.what == "record" and item.seq is not None]
    if not seqs:
        return {}
    rows = session.connection().execute(
        columns_of(_TABLE.c.epoch, _TABLE.c.seq, _TABLE.c.raw, _TABLE.c.evidence, _TABLE.c.reason).where(
            _TABLE.c.device_id == device_id,
            _TABLE.c.what == "record",
            _TABLE.c.seq.between(min(seqs), max(seqs)),
        )
    )
    return {(epoch, seq, bytes(raw)): (bool(evidence), why) for epoch, seq, raw, evidence, why in rows}


def _raise_to_evidence(session: Session, device_id: str, item: Item) -> None:
    """A record that was kept for less turned out to be all that is left of a thanked answer, or to be a fork."""
    mine = (_TABLE.c.device_id == device_id, _TABLE.c.epoch == item.epoch, _TABLE.c.seq == item.seq)
    session.connection().execute(
        update(_TABLE)
        .where(*mine, _TABLE.c.what == "record", _TABLE.c.raw == item.raw)
        .values(evidence=True, reason=item.reason[:_REASON_CHARACTERS])
    )


def _prune(session: Session, device_id: str, evidence: bool, limit: int) -> None:
    mine = (_TABLE.c.device_id == device_id, _TABLE.c.evidence.is_(evidence))
    connection = session.connection()
    oldest_kept = select(_TABLE.c.id).where(*mine).order_by(_TABLE.c.id.desc()).offset(limit).limit(1)
    beyond = connection.execute(oldest_kept).scalar()
    if beyond is not None:
        connection.execute(delete(_TABLE).where(*mine, _TABLE.c.id <= beyond))
