"""Releases answers in closed blocks: the one way by which what was answered comes to be seen.

An answer waits until k - 1 others to the same question, of the same device at the same place, wait with it; then they
are released together and added to the sums. Invariants: an answer is in one block at most and a block never changes,
whatever comes late, is corrected or filtered anew afterwards; every sum is a sum of whole blocks; answers that misuse
rules left out are released among themselves, so that figures with and without them differ by whole blocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from fleet_server.answers import bulk, wire
from fleet_server.answers.models import JournalEpoch, Record
from fleet_server.devices.models import Device
from fleet_server.instants import MINUTE_MS
from fleet_server.results.models import WaitingAnswer
from fleet_server.results.streams import COLUMNS, Desk

# The longest visit and the misuse rules' reach are over by then: what an answer is, is decided.
SETTLED_MS = 15 * MINUTE_MS
STEP_RECORDS = 5_000  # some 100 ms of the one writer

_RECORDS, _EPOCHS = bulk.table_of(Record), bulk.table_of(JournalEpoch)
_WAITING = bulk.table_of(WaitingAnswer)


@dataclass
class Released:
    """What a step came to. `more`: there is more to do at once. `places`: whose results changed."""

    blocks: int = 0
    answers: int = 0
    more: bool = False
    places: set[int] = field(default_factory=set)


def step(session: Session, *, k: int, now: int) -> Released:
    """Take in what was booked and is settled, and close what blocks there are; `k`: respondents a block, at least 1.

    To be called again, in a transaction of its own, as long as it says `more`.
    """
    taken, looked_at = _take_in(session, now)
    desk = Desk(session, k, now)
    desk.sort([*taken, *desk.undecided()])
    blocks = desk.close()
    return Released(
        blocks=len(blocks),
        answers=sum(block.answers for block in blocks),
        more=looked_at >= STEP_RECORDS,
        places={block.place_id for block in blocks},
    )


def wait_again(session: Session, device_id: str, epoch: int, seqs: Iterable[int]) -> None:
    """Answers that were booked behind the point up to which the epoch was taken in: replayed or harvested late."""
    session.add_all(WaitingAnswer(device_id=device_id, epoch=epoch, seq=seq) for seq in seqs)


def look_again(session: Session) -> None:
    """Sort out anew all that wait: k is another one now."""
    session.connection().execute(update(_WAITING).values(place_id=None, series_id=None, filtered=None))


def _take_in(session: Session, now: int) -> tuple[list[Any], int]:
    """New answers that are settled, and how many records were looked at."""
    run = session.connection().execute
    behind = run(
        select(_EPOCHS.c.device_id, _EPOCHS.c.epoch, _EPOCHS.c.taken_in, _EPOCHS.c.through)
        .where(_EPOCHS.c.taken_in < _EPOCHS.c.through)
        .order_by(_EPOCHS.c.device_id, _EPOCHS.c.epoch)
    ).all()
    taken: list[Any] = []
    looked_at = 0
    for device_id, epoch, start, through in behind:
        if looked_at >= STEP_RECORDS:
            break
        _lock(session, device_id)
        rows = run(
            select(*COLUMNS)
            .where(_RECORDS.c.device_id == device_id, _RECORDS.c.epoch == epoch)
            .where(_RECORDS.c.seq >= start, _RECORDS.c.seq < through)
            .order_by(_RECORDS.c.seq)
            .limit(STEP_RECORDS)
        ).all()
        looked_at += len(rows)
        stop = through if len(rows) < STEP_RECORDS else rows[-1].seq + 1
        for row in rows:
            if row.received_at > now - SETTLED_MS:
                stop = row.seq
                break
            if row.kind == wire.KIND_ANSWER:
                taken.append(row)
        if stop > start:
            run(
                update(_EPOCHS)
                .where(_EPOCHS.c.device_id == device_id, _EPOCHS.c.epoch == epoch)
                .values(taken_in=stop)
            )
    return taken, looked_at


def _lock(session: Session, device_id: str) -> None:
    """On PostgreSQL nobody books for this device meanwhile; SQLite has one writer anyway."""
    session.exec(
        select(col(Device.id)).where(col(Device.id) == device_id).with_for_update(key_share=True)  # type: ignore[call-overload]
    )
