"""Compares what is kept beside the records (ledger, sums, runs, times, places, counts) with the records themselves.

`repair` writes what follows from the records. It never touches a record's own fields, and invents none: what an
answer was is known from the kiosk alone. Their time grows with the number of answers, so no page calls them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, insert, select, update
from sqlmodel import Session, col

from fleet_server.accounts import audit
from fleet_server.answers import bulk
from fleet_server.answers.ledger import NAMES, STATES, WAITING, Ledger
from fleet_server.answers.ledger_check import due_ledger, ledger_said
from fleet_server.answers.models import (
    ClockAnchor,
    ClockRun,
    FilterCount,
    JournalEpoch,
    LedgerRange,
    PressCount,
    Record,
)
from fleet_server.answers.rederive import PLACED_COLUMNS, Derived, EpochSums
from fleet_server.answers.rules import CURRENT
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation

_EPOCHS, _LEDGER, _RECORDS, _RUNS, _ANCHORS, _COUNTS, _BY_RULE = (
    bulk.table_of(model)
    for model in (JournalEpoch, LedgerRange, Record, ClockRun, ClockAnchor, PressCount, FilterCount)
)
_RUN_COLUMNS = (
    "first_seq", "last_seq", "last_uptime", "anchor_seq", "anchor_uptime", "anchor_utc_ms",
    "anchor_uncertainty_ms", "began_before", "ended_after", "from_at", "to_at", "press_seq", "press_uptime",
)  # fmt: skip
_ANCHOR_COLUMNS = ("uptime", "utc_ms", "uncertainty_ms")
_COUNT_COLUMNS = ("counted", "filtered", "simulated")
_BY_RULE_COLUMNS = ("answers", "simulated")
_SUM_COLUMNS = (
    "next", "through", "last_boot", "received_answers", "counted_answers", "filtered_answers", "refused_presses",
)  # fmt: skip

# An epoch whose row is missing is made the youngest; whatever only the kiosk knows comes with its next header.
_UNHEARD = {
    "waiting": 0, "header_next": 0, "forks": 0, "untold": "", "progress_at": 0, "first_heard_at": 0,
    "last_heard_at": 0, "gone_at": None, "by_server": False, "taken_in": 0, "coarse": 0,
}  # fmt: skip

Values = dict[str, Any]
Progress = Callable[[int], None]  # told how many more records were looked at


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` (anchor, record, sums, ledger, count, filtered or run) with this `key` is not what the records say.

    `changes`: what repairs it, as (table, key, values); values None: the row goes. None at all: nobody can.
    """

    device_id: str
    what: str
    key: str
    text: str
    changes: tuple[tuple[Table, Values, Values | None], ...] = ()

    def __str__(self) -> str:
        return f"{self.device_id}: {self.what} of {self.key}: {self.text}"


def differences(
    session: Session, device_id: str, progress: Progress = lambda _: None
) -> Iterator[Difference]:
    """Every difference, in no order that matters; none when all is well. Raises ValueError for an unknown device.

    Each one may be repaired before the next is asked for.
    """
    created_at = session.exec(select(col(Device.created_at)).where(col(Device.id) == device_id)).scalar()  # type: ignore[call-overload]
    if created_at is None:
        raise ValueError(f"device {device_id!r} is not registered")
    run = session.connection().execute
    epochs = {row.epoch: row for row in run(select(_EPOCHS).where(_EPOCHS.c.device_id == device_id))}
    stays = run(
        select(col(Installation.from_at), col(Installation.to_at), col(Installation.place_id))
        .where(col(Installation.device_id) == device_id)
        .order_by(col(Installation.from_at))
    ).all()
    ages = {number: row.age for number, row in epochs.items()}
    derived = Derived(session, device_id, created_at, ages, [tuple(stay) for stay in stays])  # type: ignore[misc]
    compare = _Rows(session, device_id)
    yield from compare("anchor", _ANCHORS, ("epoch", "boot", "seq"), _ANCHOR_COLUMNS, _anchors(derived))
    for epoch in sorted({*epochs, *derived.epochs(), *_with_ledger(session, device_id)}):
        sums = EpochSums()
        for piece in derived.place(epoch, sums):
            progress(len(piece))
            for record in piece:
                if record.kept != record.real or not record.intact:
                    yield from _of_record(device_id, epoch, record)
        age = max(ages.values(), default=-1) + 1
        yield from _of_epoch(session, device_id, epoch, epochs.get(epoch), age, sums)
    yield from compare(
        "count", _COUNTS, ("place_id", "grain", "start_at"), _COUNT_COLUMNS,
        {key: tuple(amounts) for key, amounts in derived.buckets.items()},
    )  # fmt: skip
    yield from compare(
        "filtered", _BY_RULE, ("place_id", "grain", "start_at", "rule"), _BY_RULE_COLUMNS,
        {key: tuple(amounts) for key, amounts in derived.by_rule.items()},
    )  # fmt: skip
    yield from compare("run", _RUNS, ("epoch", "boot"), _RUN_COLUMNS, _runs(derived), {"rules": CURRENT})


def repair(
    session: Session, device_id: str, *, now: int, progress: Progress = lambda _: None
) -> Iterator[Difference]:
    """Repair, within the session's transaction, what can be; yields every difference that was found, also those
    without `changes`, of which nothing was repaired. Writes what it did into the audit log. `now`: UTC ms."""
    # Nobody books for this device meanwhile (SQLite has one writer anyway).
    session.exec(select(col(Device.id)).where(col(Device.id) == device_id).with_for_update(key_share=True))  # type: ignore[call-overload]
    repaired: Counter[str] = Counter()
    for difference in differences(session, device_id, progress):
        for change in difference.changes:
            _write(session, *change)
        repaired[difference.what] += bool(difference.changes)
        yield difference
    if any(repaired.values()):
        done = {what: count for what, count in repaired.items() if count}
        audit.record(session, "fleet", "repair books", "device", device_id, after=done, now=now)


def faults(session: Session, device_id: str) -> list[str]:
    """Every difference as a line."""
    return [str(difference) for difference in differences(session, device_id)]


def _write(session: Session, table: Table, key: Values, values: Values | None) -> None:
    where = [table.c[name] == value for name, value in key.items()]
    run = session.connection().execute
    if values is None:
        run(delete(table).where(*where))
    elif run(update(table).where(*where).values(values)).rowcount == 0:
        run(insert(table).values(key | values))


class _Rows:
    """Compares the rows that a device has in a table with those that it must have."""

    def __init__(self, session: Session, device_id: str) -> None:
        self._session = session
        self._device_id = device_id

    def __call__(
        self,
        what: str,
        table: Table,
        keys: tuple[str, ...],
        columns: tuple[str, ...],
        real: Mapping[tuple[Any, ...], tuple[Any, ...]],
        unknown: Values | None = None,
    ) -> Iterator[Difference]:
        """`unknown`: what a row that is missing gets besides, since the records do not say it."""
        query = select(*(table.c[name] for name in keys + columns)).where(
            table.c.device_id == self._device_id
        )
        rows = self._session.connection().execute(query)
        kept = {tuple(row[: len(keys)]): tuple(row[len(keys) :]) for row in rows}
        if what in (
            "count",
            "filtered",
        ):  # an hour from which everything was moved away may stay as a row of zeros
            kept = {key: amounts for key, amounts in kept.items() if any(amounts)}
        for key in sorted(kept.keys() | real.keys()):
            there, due = kept.get(key), real.get(key)
            if there == due:
                continue
            named = dict(zip(keys, key, strict=True))
            values = None if due is None else dict(zip(columns, due, strict=True))
            if there is None and values is not None:
                values |= unknown or {}
            change = (table, {"device_id": self._device_id, **named}, values)
            yield Difference(self._device_id, what, _named(named), _said(columns, there, due), (change,))


def _named(key: Values) -> str:
    """A key as a person reads it: `epoch 0000004d, seq 7`."""
    return ", ".join(
        f"{name} {value:08x}" if name == "epoch" else f"{name} {value}" for name, value in key.items()
    )


def _said(columns: tuple[str, ...], kept: tuple[Any, ...] | None, real: tuple[Any, ...] | None) -> str:
    if kept is None:
        return "is missing"
    if real is None:
        return "is kept, but no record gives rise to it"
    parts = zip(columns, kept, real, strict=True)
    return "; ".join(
        f"{name} is kept as {there}, records say {due}" for name, there, due in parts if there != due
    )


def _anchors(derived: Derived) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {
        key: (anchor.uptime, anchor.utc_ms, anchor.uncertainty_ms) for key, anchor in derived.anchors.items()
    }


def _runs(derived: Derived) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {key: tuple(getattr(run, name) for name in _RUN_COLUMNS) for key, run in derived.runs.items()}


def _of_record(device_id: str, epoch: int, record: Any) -> Iterator[Difference]:
    named = {"epoch": epoch, "seq": record.seq}
    if record.kept != record.real:
        text = _said(PLACED_COLUMNS, record.kept, record.real)
        values = dict(zip(PLACED_COLUMNS, record.real, strict=True))
        change = (_RECORDS, {"device_id": device_id, **named}, values)
        yield Difference(device_id, "record", _named(named), text, (change,))
    if not record.intact:
        text = "its fields do not have the kiosk's checksum any more; what it said is not known"
        yield Difference(device_id, "record", _named(named), text)


def _with_ledger(session: Session, device_id: str) -> list[int]:
    query = select(_LEDGER.c.epoch).where(_LEDGER.c.device_id == device_id).distinct()
    return [epoch for (epoch,) in session.connection().execute(query)]


def _of_epoch(
    session: Session, device_id: str, epoch: int, row: Any, age: int, sums: EpochSums
) -> Iterator[Difference]:
    """Ledger and sums of one epoch."""
    named = {"epoch": epoch}
    key = {"device_id": device_id, **named}
    query = (
        select(_LEDGER.c.start, _LEDGER.c.stop, _LEDGER.c.state)
        .where(_LEDGER.c.device_id == device_id, _LEDGER.c.epoch == epoch)
        .order_by(_LEDGER.c.start)
    )
    kept = [
        (start, stop, STATES.get(state, WAITING))
        for start, stop, state in session.connection().execute(query)
    ]
    real = due_ledger(kept, sums)
    if kept != real:
        there, due = ({start: end for start, *end in ranges} for ranges in (kept, real))
        gone = tuple((_LEDGER, key | {"start": start}, None) for start in there if start not in due)
        new = tuple(
            (_LEDGER, key | {"start": start}, {"stop": stop, "state": NAMES[state]})
            for start, (stop, state) in due.items()
            if there.get(start) != [stop, state]
        )
        yield Difference(device_id, "ledger", _named(named), ledger_said(kept, real), gone + new)
    top = real[-1][1] if real else 0
    due_sums = (
        max(row.next if row else 0, row.header_next if row else 0, top), Ledger(real).through(0), sums.last_boot,
        sums.answers, sums.answers - sums.filtered, sums.filtered, sums.refused,
    )  # fmt: skip
    kept_sums = None if row is None else tuple(getattr(row, name) for name in _SUM_COLUMNS)
    if kept_sums != due_sums:
        values = dict(zip(_SUM_COLUMNS, due_sums, strict=True))
        if row is None:
            values |= _UNHEARD | {"age": age, "pressed": sums.answers}
        text = _said(_SUM_COLUMNS, kept_sums, due_sums)
        yield Difference(device_id, "sums", _named(named), text, ((_EPOCHS, key, values),))
