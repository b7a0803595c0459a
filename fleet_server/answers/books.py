"""The two books of each device and epoch, as of its last message: do they balance, and if not, why.

*Records*: each seq below the highest `next` heard is received, rejected, lost or waiting. *Answers*: the kiosk's own
counter of presses against what is booked. It reads the kept numbers only, never the answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as columns_of
from sqlmodel import Session, col, select

from fleet_server.answers import bulk
from fleet_server.answers.book import MAX_OPEN, TOO_MANY
from fleet_server.answers.models import JournalEpoch, LedgerRange, Quarantine, ServerState
from fleet_server.instants import DAY_MS

STALLED_MS = DAY_MS  # the protocol's bound: waiting unchanged for a day, with a link


@dataclass(frozen=True)
class EpochBooks:
    """One epoch. `pressed`, `received`, `counted`, `filtered` count answers; the others count records.

    `waiting` is what is not booked, whatever the kiosk says; `held`: the kiosk still holds this epoch.
    """

    epoch: int
    next: int
    pressed: int
    received: int
    counted: int
    filtered: int
    records_received: int
    waiting: int
    rejected: int
    lost: int
    refused: int
    held: bool
    last_heard_at: int
    balanced: bool
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Books:
    """A device: the sums of its epochs. `balanced` None: nothing was heard since this database was made or restored.

    `next`: records written so far; `refused`: presses that the full kiosk refused, visibly; `as_of`: UTC ms.
    """

    pressed: int
    received: int
    counted: int
    filtered: int
    records_received: int
    waiting: int
    rejected: int
    lost: int
    refused: int
    next: int
    as_of: int | None
    balanced: bool | None
    faults: list[str]


def of_device(session: Session, device_id: str) -> list[EpochBooks]:
    """The books of each epoch of a device, oldest first."""
    return _epochs(session, [device_id])[device_id]


def of_devices(session: Session, ids: Sequence[str]) -> dict[str, Books]:
    """The books of each of these devices, in a fixed number of queries."""
    since = session.exec(select(ServerState.since)).first() or 0
    crowded = _crowded(session, ids)
    return {
        device_id: _sum(epochs, since, crowded.get(device_id))
        for device_id, epochs in _epochs(session, ids).items()
    }


def _crowded(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """When something of these devices was last refused because it would have opened too many epochs."""
    rows = session.exec(
        select(Quarantine.device_id, func.max(Quarantine.at))
        .where(col(Quarantine.device_id).in_(ids), col(Quarantine.reason).startswith(TOO_MANY))
        .group_by(col(Quarantine.device_id))
    )
    return dict(rows.all())


def _epochs(session: Session, ids: Sequence[str]) -> dict[str, list[EpochBooks]]:
    classes: dict[tuple[str, int], dict[str, int]] = {}
    sums = session.exec(
        select(
            LedgerRange.device_id,
            LedgerRange.epoch,
            LedgerRange.state,
            func.sum(LedgerRange.stop - LedgerRange.start),
        )
        .where(col(LedgerRange.device_id).in_(ids))
        .group_by(col(LedgerRange.device_id), col(LedgerRange.epoch), col(LedgerRange.state))
    )
    for device_id, epoch, state, records in sums:
        classes.setdefault((device_id, epoch), {})[state] = int(records)
    found: dict[str, list[EpochBooks]] = {device_id: [] for device_id in ids}
    rows = session.connection().execute(
        columns_of(bulk.table_of(JournalEpoch))
        .where(col(JournalEpoch.device_id).in_(ids))
        .order_by(col(JournalEpoch.age))
    )
    heard: dict[str, int] = {}
    all_rows = rows.all()
    for row in all_rows:
        heard[row.device_id] = max(heard.get(row.device_id, 0), row.last_heard_at)
    for row in all_rows:
        found[row.device_id].append(
            _book(row, classes.get((row.device_id, row.epoch), {}), heard[row.device_id])
        )
    return found


def _book(row: Any, classes: dict[str, int], heard_at: int) -> EpochBooks:
    received, rejected, lost = (classes.get(state, 0) for state in ("received", "rejected", "lost"))
    waiting = row.next - received - rejected - lost
    name = f"epoch {row.epoch:08x}"
    imbalance = []
    if waiting < 0:
        imbalance.append(f"{name}: {row.next - waiting} records are booked, only {row.next} were written")
    if row.received_answers > row.pressed:
        imbalance.append(f"{name}: {row.received_answers} answers received, only {row.pressed} pressed")
    most = row.received_answers + waiting + rejected + lost
    if row.pressed > most:
        imbalance.append(
            f"{name}: {row.pressed} pressed, only {most} are received, waiting, rejected or lost"
        )
    if row.received_answers != row.counted_answers + row.filtered_answers:
        imbalance.append(
            f"{name}: {row.received_answers} answers received, but {row.counted_answers} counted "
            f"and {row.filtered_answers} filtered"
        )
    alarms = []
    if row.forks:
        alarms.append(
            f"{name}: {row.forks} records came under a key that another record has (fork), see quarantine"
        )
    if waiting > 0 and heard_at - row.progress_at >= STALLED_MS:
        alarms.append(
            f"{name}: {waiting} records wait, and none was booked for a day although the kiosk is heard"
        )
    return EpochBooks(
        epoch=row.epoch,
        next=row.next,
        pressed=row.pressed,
        received=row.received_answers,
        counted=row.counted_answers,
        filtered=row.filtered_answers,
        records_received=received,
        waiting=waiting,
        rejected=rejected,
        lost=lost,
        refused=row.refused_presses,
        held=row.gone_at is None and not row.by_server,
        last_heard_at=row.last_heard_at,
        balanced=not imbalance,
        faults=(*imbalance, *alarms),
    )


def _sum(epochs: Sequence[EpochBooks], since: int, crowded_at: int | None) -> Books:
    as_of = max((epoch.last_heard_at for epoch in epochs), default=None)
    heard = as_of is not None and as_of >= since
    faults = [fault for epoch in epochs for fault in epoch.faults]
    if crowded_at is not None and (as_of or 0) - crowded_at < STALLED_MS:
        faults.append(
            f"more than {MAX_OPEN} epochs would be open: what names new ones is refused, see quarantine"
        )
    return Books(
        pressed=sum(epoch.pressed for epoch in epochs),
        received=sum(epoch.received for epoch in epochs),
        counted=sum(epoch.counted for epoch in epochs),
        filtered=sum(epoch.filtered for epoch in epochs),
        records_received=sum(epoch.records_received for epoch in epochs),
        waiting=sum(epoch.waiting for epoch in epochs),
        rejected=sum(epoch.rejected for epoch in epochs),
        lost=sum(epoch.lost for epoch in epochs),
        refused=sum(epoch.refused for epoch in epochs),
        next=sum(epoch.next for epoch in epochs),
        as_of=as_of,
        balanced=all(epoch.balanced for epoch in epochs) if heard else None,
        faults=faults,
    )
