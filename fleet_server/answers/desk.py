"""What one transaction has on its desk: the epochs, runs, stays and ledgers of its devices, and what is to be written.

It decides nothing about answers. Everything is fetched for all devices of a transaction at once and written back at
once, so that a message costs no query of its own. Invariant: after `flush` the database says what the desk says.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    select,
    update,
)
from sqlmodel import Session

from fleet_server.answers import bulk, unit_counts
from fleet_server.answers import desk_tables as tables
from fleet_server.answers.fingerprints import Fingerprints
from fleet_server.answers.generation import generation
from fleet_server.answers.ledger import NAMES, STATES, Ledger, Range
from fleet_server.answers.states import DeviceState, EpochState, RunState
from fleet_server.db import FINGERPRINTS

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
        for device_id, created_at, virtual, channel in self._rows(tables.SELECT_DEVICES, ids):
            self.devices[device_id] = DeviceState(device_id, created_at, virtual, channel)
        self._fetch(tables.SELECT_OPEN, ids)
        for device_id, age in self._rows(tables.SELECT_HIGHEST_AGES, ids):
            self.devices[device_id].highest_age = age
        missing = [key for key in named if key[0] in self.devices and not self._has(key)]
        if missing:
            devices, numbers = ({key[part] for key in missing} for part in (0, 1))
            values = {"ids": json.dumps(sorted(devices)), "numbers": json.dumps(sorted(numbers))}
            self._fetch(tables.SELECT_NAMED, values)
        for device_id, start, stop, place_id, hours_from, weekly in self._rows(tables.SELECT_STAYS, ids):
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
            epoch = EpochState(*row[: tables.EPOCH_WIDTH])
            epoch.ledger.loaded_from = epoch.through
            if not self._has((epoch.device_id, epoch.epoch)):
                self.devices[epoch.device_id].epochs[epoch.epoch] = epoch
                fetched[epoch.device_id, epoch.epoch] = epoch
                if row[tables.EPOCH_WIDTH] is not None:
                    self._put(RunState(*row[tables.EPOCH_WIDTH :]))
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
        ages = tables.EPOCHS.c.age.between(low + 1, high - 1)
        found = self.connection.execute(
            select(tables.EPOCHS.c.epoch).where(self._closed(device), ages).limit(1)
        )
        return found.first() is not None

    def shift_closed(self, device: DeviceState, age: int, by: int) -> None:
        """Make the epochs that are not on the desk and are younger than `age` younger still."""
        younger = update(tables.EPOCHS).where(self._closed(device), tables.EPOCHS.c.age > age)
        self.connection.execute(younger.values(age=tables.EPOCHS.c.age + by))
        device.highest_age += by

    def _closed(self, device: DeviceState) -> ColumnElement[bool]:
        return (tables.EPOCHS.c.device_id == device.id) & tables.EPOCHS.c.epoch.not_in(list(device.epochs))

    def touch_run(self, run: RunState) -> None:
        """This run changed."""
        self._dirty_runs[run.device_id, run.epoch, run.boot] = run

    def ledger_from(self, epoch: EpochState, start: int) -> Ledger:
        """The epoch's ledger, complete from `start` on."""
        ledger = epoch.ledger
        if start < ledger.loaded_from:
            rows = self.connection.execute(
                select(tables.LEDGER.c.start, tables.LEDGER.c.stop, tables.LEDGER.c.state)
                .where(
                    tables.LEDGER.c.device_id == epoch.device_id,
                    tables.LEDGER.c.epoch == epoch.epoch,
                    tables.LEDGER.c.stop >= start,
                    tables.LEDGER.c.stop < ledger.loaded_from,
                )
                .order_by(tables.LEDGER.c.start)
            )
            ledger.extend_down([(a, b, STATES[state]) for a, b, state in rows], start)
        return ledger

    def run(self, epoch: EpochState, boot: int) -> RunState | None:
        """A run of this epoch, or None when nothing of it was received."""
        known = epoch.runs.get(boot)
        if known is None and boot < epoch.last_boot:
            row = self.connection.execute(
                select(tables.RUNS).where(
                    tables.RUNS.c.device_id == epoch.device_id,
                    tables.RUNS.c.epoch == epoch.epoch,
                    tables.RUNS.c.boot == boot,
                )
            ).first()
            known = self._put(RunState(*row)) if row is not None else None
        return known

    def all_runs(self, device: DeviceState) -> list[RunState]:
        """Every run of a device, oldest first, those on the desk as they are there."""
        found: list[tuple[int, RunState]] = []
        for *columns, age in self._rows(tables.SELECT_ALL_RUNS, {"device": device.id}):
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
        bulk.insert(self.connection, tables.RECORDS, tables.RECORD_COLUMNS, self.records)
        self.records = []

    def flush(self) -> None:
        """Write everything that changed."""
        epochs = list(self._dirty_epochs.values())
        bulk.upsert(
            self.connection,
            tables.EPOCHS,
            tables.EPOCH_COLUMNS,
            [tables.epoch_row(epoch) for epoch in epochs],
        )
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
            self.connection.execute(tables.DELETE_RANGE, deleted)
        bulk.upsert(self.connection, tables.LEDGER, tables.LEDGER_COLUMNS, changed)
        runs = [tables.run_row(run) for run in self._dirty_runs.values()]
        bulk.upsert(self.connection, tables.RUNS, tables.RUN_COLUMNS, runs)
        counts = [(*key, *amounts) for key, amounts in self._counts.items() if any(amounts)]
        bulk.upsert(
            self.connection,
            tables.COUNTS,
            tables.COUNT_COLUMNS,
            counts,
            add=("counted", "filtered", "simulated"),
        )
        unit_counts.add(self.connection, counts)
        if self._filtered:
            rules = [(*key, *sums) for key, sums in self._filtered.items() if any(sums)]
            bulk.upsert(
                self.connection, tables.FILTERS, tables.FILTER_COLUMNS, rules, add=("answers", "simulated")
            )
        changes = [{"d": d, "e": e, "more": more} for (d, e), more in self._refiltered.items() if more]
        if changes:
            self.connection.execute(tables.REFILTER, changes)
        self._dirty_epochs, self._dirty_runs, self._counts = {}, {}, {}
        self._filtered, self._refiltered = {}, {}
