"""What one transaction has on its desk: the epochs, runs, stays and ledgers of its devices, and what is to be written.

It decides nothing about answers. Everything is fetched for all devices of a transaction at once and written back at
once, so that a message costs no query of its own. Invariant: after `flush` the database says what the desk says.
"""

import json
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlmodel import Session, col

from fleet_server.answers import bulk, unit_counts
from fleet_server.answers.fingerprints import Fingerprints
from fleet_server.answers.generation import generation
from fleet_server.answers.ledger import NAMES, STATES, Ledger, Range
from fleet_server.answers.models import (
    ClockRun,
    FilterCount,
    JournalEpoch,
    LedgerRange,
    PressCount,
    Record,
)
from fleet_server.answers.states import DeviceState, EpochState, RunState
from fleet_server.db import FINGERPRINTS, among
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, OpeningHours

_EPOCHS = bulk.table_of(JournalEpoch)
_LEDGER = bulk.table_of(LedgerRange)
_RUNS = bulk.table_of(ClockRun)
_RECORDS = bulk.table_of(Record)
_COUNTS = bulk.table_of(PressCount)
_FILTERS = bulk.table_of(FilterCount)
_STAYS = bulk.table_of(Installation)
_HOURS = bulk.table_of(OpeningHours)

# NO KEY UPDATE: on PostgreSQL two transactions never book for the same device at once (SQLite has one writer anyway).
# Everything else is asked for after it: what is read in one statement with a lock may be from before the wait for it.
_SELECT_DEVICES = (
    select(col(Device.id), col(Device.created_at), col(Device.virtual), col(Device.channel))
    .where(among(col(Device.id), "ids"))
    .order_by(col(Device.id))
    .with_for_update(key_share=True)
)


def _selects(which: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    """For some epochs of the devices: themselves with their newest runs, and the ends of their ledgers.

    Outer joins, so that SQLite goes from the few epochs to their rows, not through every run that a device ever had.
    """
    where = among(_EPOCHS.c.device_id, "ids") & which
    ledger = (
        (_EPOCHS.c.device_id == _LEDGER.c.device_id)
        & (_EPOCHS.c.epoch == _LEDGER.c.epoch)
        & (_LEDGER.c.stop >= _EPOCHS.c.through)
    )
    newest_run = (
        (_EPOCHS.c.device_id == _RUNS.c.device_id)
        & (_EPOCHS.c.epoch == _RUNS.c.epoch)
        & (_EPOCHS.c.last_boot == _RUNS.c.boot)
    )
    return (
        select(_EPOCHS, _RUNS).select_from(_EPOCHS.outerjoin(_RUNS, newest_run)).where(where),
        select(_LEDGER)
        .select_from(_EPOCHS.outerjoin(_LEDGER, ledger))
        .where(where)
        .order_by(_LEDGER.c.start),
    )


_IS_OPEN = or_(_EPOCHS.c.gone_at.is_(None), _EPOCHS.c.through < _EPOCHS.c.next)
_SELECT_OPEN = _selects(_IS_OPEN)
_SELECT_NAMED = _selects(among(_EPOCHS.c.epoch, "numbers"))
_SELECT_HIGHEST_AGES = (
    select(_EPOCHS.c.device_id, func.max(_EPOCHS.c.age))
    .where(among(_EPOCHS.c.device_id, "ids"))
    .group_by(_EPOCHS.c.device_id)
)
_SELECT_ALL_RUNS = (
    select(_RUNS, _EPOCHS.c.age)
    .join(_EPOCHS, (_EPOCHS.c.device_id == _RUNS.c.device_id) & (_EPOCHS.c.epoch == _RUNS.c.epoch))
    .where(_RUNS.c.device_id == bindparam("device"))
)
# With the opening hours of each stay's place: a row for each table of hours that it ever had, or one without.
_SELECT_STAYS = (
    select(
        _STAYS.c.device_id,
        _STAYS.c.from_at,
        _STAYS.c.to_at,
        _STAYS.c.place_id,
        _HOURS.c.from_at,
        _HOURS.c.weekly,
    )
    .select_from(_STAYS.outerjoin(_HOURS, _STAYS.c.place_id == _HOURS.c.place_id))
    .where(among(_STAYS.c.device_id, "ids"))
    .order_by(_STAYS.c.from_at, _HOURS.c.from_at)
)


_EPOCH_COLUMNS = tuple(_EPOCHS.columns.keys())
_EPOCH_WIDTH = len(_EPOCH_COLUMNS)
_RUN_COLUMNS = tuple(_RUNS.columns.keys())
_epoch_row: Callable[[EpochState], tuple[Any, ...]] = attrgetter(*_EPOCH_COLUMNS)
_run_row: Callable[[RunState], tuple[Any, ...]] = attrgetter(*_RUN_COLUMNS)
RECORD_COLUMNS = tuple(name for name in _RECORDS.columns.keys() if name != "block_id")  # noqa: SIM118
_LEDGER_COLUMNS = tuple(_LEDGER.columns.keys())
_COUNT_COLUMNS = tuple(_COUNTS.columns.keys())
_FILTER_COLUMNS = tuple(_FILTERS.columns.keys())

CountKey = tuple[int, str, str, int]  # place id (0: none), device id, grain, start of the bucket


class Desk:
    """Open it for the devices of a transaction, change what is on it, `flush` before the transaction ends."""

    def __init__(self, session: Session, now: int) -> None:
        session.flush()
        self.session = session
        self.now = now
        self.connection: Connection = session.connection()
        self.fingerprints = Fingerprints(session.info.get(FINGERPRINTS, b""))
        self.devices: dict[str, DeviceState] = {}
        self.values: dict[tuple[int, int], frozenset[int] | None] = {}
        self.records: list[tuple[Any, ...]] = []
        self._counts: dict[CountKey, list[int]] = {}
        self._filtered: dict[tuple[int, str, str, int, str], list[int]] = {}
        self._refiltered: dict[tuple[str, int], int] = {}
        self._dirty_epochs: dict[tuple[str, int], EpochState] = {}
        self._dirty_runs: dict[tuple[str, int, int], RunState] = {}

    def open(self, device_ids: set[str], named: set[tuple[str, int]]) -> None:
        """Fetch these devices with their open epochs and the `named` ones (device, epoch); unknown ones are left out.

        A device's closed epochs grow in number for ever, so no others are fetched. Locks the devices on PostgreSQL.
        """
        ids = {"ids": json.dumps(sorted(device_ids))}
        for device_id, created_at, virtual, channel in self._rows(_SELECT_DEVICES, ids):
            self.devices[device_id] = DeviceState(device_id, created_at, virtual, channel)
        self._fetch(_SELECT_OPEN, ids)
        for device_id, age in self._rows(_SELECT_HIGHEST_AGES, ids):
            self.devices[device_id].highest_age = age
        missing = [key for key in named if key[0] in self.devices and not self._has(key)]
        if missing:
            devices, numbers = ({key[part] for key in missing} for part in (0, 1))
            values = {"ids": json.dumps(sorted(devices)), "numbers": json.dumps(sorted(numbers))}
            self._fetch(_SELECT_NAMED, values)
        for device_id, start, stop, place_id, hours_from, weekly in self._rows(_SELECT_STAYS, ids):
            device, stay = self.devices[device_id], (start, stop, place_id)
            if not device.stays or device.stays[-1] != stay:
                device.stays.append(stay)
                device.hours.pop(place_id, None)  # it stood there before: the same tables come again
            if weekly is not None:
                device.hours[place_id] = (*device.hours.get(place_id, ()), (hours_from, weekly))

    def _has(self, key: tuple[str, int]) -> bool:
        return key[1] in self.devices[key[0]].epochs

    def _rows(self, query: Executable, values: dict[str, str]) -> Sequence[Any]:
        """All at once, which costs half of one by one."""
        return self.connection.execute(query, values).all()

    def _fetch(self, selects: tuple[Select[Any], Select[Any]], values: dict[str, str]) -> None:
        fetched: dict[tuple[str, int], EpochState] = {}
        for row in self._rows(selects[0], values):
            epoch = EpochState(*row[:_EPOCH_WIDTH])
            epoch.ledger.loaded_from = epoch.through
            if not self._has((epoch.device_id, epoch.epoch)):
                self.devices[epoch.device_id].epochs[epoch.epoch] = epoch
                fetched[epoch.device_id, epoch.epoch] = epoch
                if row[_EPOCH_WIDTH] is not None:
                    self._put(RunState(*row[_EPOCH_WIDTH:]))
        tails: dict[tuple[str, int], list[Range]] = {}
        for device_id, number, start, stop, state in self._rows(selects[1], values):
            if (device_id, number) in fetched:
                tails.setdefault((device_id, number), []).append((start, stop, STATES[state]))
        for key, ranges in tails.items():
            fetched[key].ledger = Ledger(ranges, fetched[key].through)

    def _put(self, state: RunState) -> RunState:
        self.devices[state.device_id].epochs[state.epoch].runs[state.boot] = state
        return state

    def generation(self) -> int:
        """The server's generation; made when the database has none yet."""
        return generation(self.session, now=self.now)

    def new_epoch(self, device: DeviceState, number: int) -> EpochState:
        """An epoch that was not heard of before; it is on the desk, and written only once it is `touch`ed."""
        now = self.now
        return EpochState(
            device.id, number, device.highest_age + 1, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, "", now, now, now, None, False
        )  # fmt: skip

    def touch(self, epoch: EpochState) -> None:
        """This epoch changed."""
        device = self.devices[epoch.device_id]
        device.epochs[epoch.epoch] = epoch
        device.highest_age = max(device.highest_age, epoch.age)
        self._dirty_epochs[epoch.device_id, epoch.epoch] = epoch

    def has_closed(self, device: DeviceState, low: int, high: int) -> bool:
        """Whether an epoch that is not on the desk has an age between these two (both excluded)."""
        ages = _EPOCHS.c.age.between(low + 1, high - 1)
        found = self.connection.execute(select(_EPOCHS.c.epoch).where(self._closed(device), ages).limit(1))
        return found.first() is not None

    def shift_closed(self, device: DeviceState, age: int, by: int) -> None:
        """Make the epochs that are not on the desk and are younger than `age` younger still."""
        younger = update(_EPOCHS).where(self._closed(device), _EPOCHS.c.age > age)
        self.connection.execute(younger.values(age=_EPOCHS.c.age + by))
        device.highest_age += by

    def _closed(self, device: DeviceState) -> ColumnElement[bool]:
        return (_EPOCHS.c.device_id == device.id) & _EPOCHS.c.epoch.not_in(list(device.epochs))

    def touch_run(self, run: RunState) -> None:
        """This run changed."""
        self._dirty_runs[run.device_id, run.epoch, run.boot] = run

    def ledger_from(self, epoch: EpochState, start: int) -> Ledger:
        """The epoch's ledger, complete from `start` on."""
        ledger = epoch.ledger
        if start < ledger.loaded_from:
            rows = self.connection.execute(
                select(_LEDGER.c.start, _LEDGER.c.stop, _LEDGER.c.state)
                .where(
                    _LEDGER.c.device_id == epoch.device_id,
                    _LEDGER.c.epoch == epoch.epoch,
                    _LEDGER.c.stop >= start,
                    _LEDGER.c.stop < ledger.loaded_from,
                )
                .order_by(_LEDGER.c.start)
            )
            ledger.extend_down([(a, b, STATES[state]) for a, b, state in rows], start)
        return ledger

    def run(self, epoch: EpochState, boot: int) -> RunState | None:
        """A run of this epoch, or None when nothing of it was received."""
        known = epoch.runs.get(boot)
        if known is None and boot < epoch.last_boot:
            row = self.connection.execute(
                select(_RUNS).where(
                    _RUNS.c.device_id == epoch.device_id, _RUNS.c.epoch == epoch.epoch, _RUNS.c.boot == boot
                )
            ).first()
            known = self._put(RunState(*row)) if row is not None else None
        return known

    def all_runs(self, device: DeviceState) -> list[RunState]:
        """Every run of a device, oldest first, those on the desk as they are there."""
        found: list[tuple[int, RunState]] = []
        for *columns, age in self._rows(_SELECT_ALL_RUNS, {"device": device.id}):
            run = RunState(*columns)
            epoch = device.epochs.get(run.epoch)
            if epoch is None:
                found.append((age, device.closed_runs.setdefault((run.epoch, run.boot), run)))
            elif run.boot not in epoch.runs:
                self._put(run)
        found += [(epoch.age, run) for epoch in device.epochs.values() for run in epoch.runs.values()]
        return [run for _, run in sorted(found, key=lambda pair: (pair[0], pair[1].boot))]

    def count(self, key: CountKey, counted: int, filtered: int, simulated: int) -> None:
        """Add to a bucket (negative: take away)."""
        bucket = self._counts.get(key)
        if bucket is None:
            self._counts[key] = [counted, filtered, simulated]
        else:
            bucket[0] += counted
            bucket[1] += filtered
            bucket[2] += simulated

    def count_filtered(self, key: CountKey, rule: str, answers: int, simulated: int) -> None:
        """Add to what a rule has filtered of a bucket (negative: take away)."""
        sums = self._filtered.setdefault((*key, rule), [0, 0])
        sums[0] += answers
        sums[1] += simulated

    def refilter(self, run: RunState, more: int) -> None:
        """So many more answers of this run's epoch are filtered now (negative: fewer), that were booked earlier."""
        epoch = self.devices[run.device_id].epochs.get(run.epoch)
        if epoch is not None:
            epoch.counted_answers -= more
            epoch.filtered_answers += more
            self.touch(epoch)
        else:
            key = run.device_id, run.epoch
            self._refiltered[key] = self._refiltered.get(key, 0) + more

    def flush_records(self) -> None:
        """Write the records taken in so far, so that queries see them."""
        bulk.insert(self.connection, _RECORDS, RECORD_COLUMNS, self.records)
        self.records = []

    def flush(self) -> None:
        """Write everything that changed."""
        epochs = list(self._dirty_epochs.values())
        bulk.upsert(self.connection, _EPOCHS, _EPOCH_COLUMNS, [_epoch_row(epoch) for epoch in epochs])
        self.flush_records()
        deleted: list[dict[str, Any]] = []
        changed: list[tuple[Any, ...]] = []
        for epoch in epochs:
            gone, new = epoch.ledger.changes()
            deleted += [{"d": epoch.device_id, "e": epoch.epoch, "s": start} for start in gone]
            changed += [
                (epoch.device_id, epoch.epoch, start, stop, NAMES[state]) for start, stop, state in new
            ]
        if deleted:
            self.connection.execute(_DELETE_RANGE, deleted)
        bulk.upsert(self.connection, _LEDGER, _LEDGER_COLUMNS, changed)
        runs = [_run_row(run) for run in self._dirty_runs.values()]
        bulk.upsert(self.connection, _RUNS, _RUN_COLUMNS, runs)
        counts = [(*key, *amounts) for key, amounts in self._counts.items() if any(amounts)]
        bulk.upsert(
            self.connection, _COUNTS, _COUNT_COLUMNS, counts, add=("counted", "filtered", "simulated")
        )
        unit_counts.add(self.connection, counts)
        if self._filtered:
            rules = [(*key, *sums) for key, sums in self._filtered.items() if any(sums)]
            bulk.upsert(self.connection, _FILTERS, _FILTER_COLUMNS, rules, add=("answers", "simulated"))
        changes = [{"d": d, "e": e, "more": more} for (d, e), more in self._refiltered.items() if more]
        if changes:
            self.connection.execute(_REFILTER, changes)
        self._dirty_epochs, self._dirty_runs, self._counts = {}, {}, {}
        self._filtered, self._refiltered = {}, {}


_REFILTER = (
    update(_EPOCHS)
    .where(_EPOCHS.c.device_id == bindparam("d"), _EPOCHS.c.epoch == bindparam("e"))
    .values(
        counted_answers=_EPOCHS.c.counted_answers - bindparam("more"),
        filtered_answers=_EPOCHS.c.filtered_answers + bindparam("more"),
    )
)
_DELETE_RANGE = delete(_LEDGER).where(
    _LEDGER.c.device_id == bindparam("d"),
    _LEDGER.c.epoch == bindparam("e"),
    _LEDGER.c.start == bindparam("s"),
)
