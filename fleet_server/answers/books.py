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
from fleet_server.refusals import N_

STALLED_MS = DAY_MS  # the protocol's bound: waiting unchanged for a day, with a link


class BookFault(str):
    """An English sentence that pages say in other languages: `text` with the `values`, and the `advice` what to do."""

    text: str
    values: dict[str, Any]
    advice: str

    def __new__(cls, text: str, advice: str, **values: Any) -> "BookFault":
        """The sentence `text % values`."""
        fault = super().__new__(cls, text % values)
        fault.text, fault.values, fault.advice = text, values, advice
        return fault


_CHECK = N_(
    "Leave the kiosk as it is, its flash is the evidence. Whoever runs the server: “fleet check” compares books and "
    "answers and names each difference."
)
_TWINS = N_(
    "Two kiosks write under one name, or one flash was copied: give each an identity of its own. What the second one "
    "sent lies in quarantine, so nothing is lost."
)
_STUCK = N_(
    "The answers are safe in the kiosk. Look at its crashes and at the quarantine below; keep its flash as it is until "
    "they have come."
)
_CROWD = N_(
    "A kiosk whose journal begins anew again and again has worn flash, or somebody else uses its name: exchange "
    "it, and keep the old one."
)


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
    faults: tuple[BookFault, ...]


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
    faults: list[BookFault]


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
    name = f"{row.epoch:08x}"
    imbalance = []
    if waiting < 0:
        text = N_("epoch %(epoch)s: %(booked)s records are booked, only %(next)s were written")
        imbalance.append(BookFault(text, _CHECK, epoch=name, booked=row.next - waiting, next=row.next))
    if row.received_answers > row.pressed:
        text = N_("epoch %(epoch)s: %(received)s answers received, only %(pressed)s pressed")
        imbalance.append(
            BookFault(text, _CHECK, epoch=name, received=row.received_answers, pressed=row.pressed)
        )
    most = row.received_answers + waiting + rejected + lost
    if row.pressed > most:
        text = N_(
            "epoch %(epoch)s: %(pressed)s pressed, only %(most)s are received, waiting, rejected or lost"
        )
        imbalance.append(BookFault(text, _CHECK, epoch=name, pressed=row.pressed, most=most))
    if row.received_answers != row.counted_answers + row.filtered_answers:
        text = N_(
            "epoch %(epoch)s: %(received)s answers received, but %(counted)s counted and %(filtered)s filtered"
        )
        imbalance.append(
            BookFault(
                text,
                _CHECK,
                epoch=name,
                received=row.received_answers,
                counted=row.counted_answers,
                filtered=row.filtered_answers,
            )
        )
    alarms = []
    if row.forks:
        text = N_(
            "epoch %(epoch)s: %(forks)s records came under a key that another record has (fork), see quarantine"
        )
        alarms.append(BookFault(text, _TWINS, epoch=name, forks=row.forks))
    if waiting > 0 and heard_at - row.progress_at >= STALLED_MS:
        text = N_(
            "epoch %(epoch)s: %(waiting)s records wait, and none was booked for a day although the kiosk is heard"
        )
        alarms.append(BookFault(text, _STUCK, epoch=name, waiting=waiting))
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
        text = N_("more than %(most)s epochs would be open: what names new ones is refused, see quarantine")
        faults.append(BookFault(text, _CROWD, most=MAX_OPEN))
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
