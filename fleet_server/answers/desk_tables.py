"""The desk's statements and the rows that they give and take, each made once: what is fetched, what is written."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, or_, select, update
from sqlmodel import col

from fleet_server.answers import bulk
from fleet_server.answers.models import (
    ClockRun,
    FilterCount,
    JournalEpoch,
    LedgerRange,
    PressCount,
    Record,
)
from fleet_server.answers.states import EpochState, RunState
from fleet_server.db import among
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, OpeningHours

EPOCHS = bulk.table_of(JournalEpoch)
LEDGER = bulk.table_of(LedgerRange)
RUNS = bulk.table_of(ClockRun)
RECORDS = bulk.table_of(Record)
COUNTS = bulk.table_of(PressCount)
FILTERS = bulk.table_of(FilterCount)
_STAYS = bulk.table_of(Installation)
_HOURS = bulk.table_of(OpeningHours)

# NO KEY UPDATE: on PostgreSQL two transactions never book for the same device at once (SQLite has one writer anyway).
# Everything else is asked for after it: what is read in one statement with a lock may be from before the wait for it.
SELECT_DEVICES = (
    select(col(Device.id), col(Device.created_at), col(Device.virtual), col(Device.channel))
    .where(among(col(Device.id), "ids"))
    .order_by(col(Device.id))
    .with_for_update(key_share=True)
)


def _selects(which: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    """For some epochs of the devices: themselves with their newest runs, and the ends of their ledgers.

    Outer joins, so that SQLite goes from the few epochs to their rows, not through every run that a device ever had.
    """
    where = among(EPOCHS.c.device_id, "ids") & which
    ledger = (
        (EPOCHS.c.device_id == LEDGER.c.device_id)
        & (EPOCHS.c.epoch == LEDGER.c.epoch)
        & (LEDGER.c.stop >= EPOCHS.c.through)
    )
    newest_run = (
        (EPOCHS.c.device_id == RUNS.c.device_id)
        & (EPOCHS.c.epoch == RUNS.c.epoch)
        & (EPOCHS.c.last_boot == RUNS.c.boot)
    )
    return (
        select(EPOCHS, RUNS).select_from(EPOCHS.outerjoin(RUNS, newest_run)).where(where),
        select(LEDGER).select_from(EPOCHS.outerjoin(LEDGER, ledger)).where(where).order_by(LEDGER.c.start),
    )


_IS_OPEN = or_(EPOCHS.c.gone_at.is_(None), EPOCHS.c.through < EPOCHS.c.next)
SELECT_OPEN = _selects(_IS_OPEN)
SELECT_NAMED = _selects(among(EPOCHS.c.epoch, "numbers"))
SELECT_HIGHEST_AGES = (
    select(EPOCHS.c.device_id, func.max(EPOCHS.c.age))
    .where(among(EPOCHS.c.device_id, "ids"))
    .group_by(EPOCHS.c.device_id)
)
SELECT_ALL_RUNS = (
    select(RUNS, EPOCHS.c.age)
    .join(EPOCHS, (EPOCHS.c.device_id == RUNS.c.device_id) & (EPOCHS.c.epoch == RUNS.c.epoch))
    .where(RUNS.c.device_id == bindparam("device"))
)
# With the opening hours of each stay's place: a row for each table of hours that it ever had, or one without.
SELECT_STAYS = (
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


EPOCH_COLUMNS = tuple(EPOCHS.columns.keys())
EPOCH_WIDTH = len(EPOCH_COLUMNS)
RUN_COLUMNS = tuple(RUNS.columns.keys())
epoch_row: Callable[[EpochState], tuple[Any, ...]] = attrgetter(*EPOCH_COLUMNS)
run_row: Callable[[RunState], tuple[Any, ...]] = attrgetter(*RUN_COLUMNS)
RECORD_COLUMNS = tuple(name for name in RECORDS.columns.keys() if name != "block_id")  # noqa: SIM118
LEDGER_COLUMNS = tuple(LEDGER.columns.keys())
COUNT_COLUMNS = tuple(COUNTS.columns.keys())
FILTER_COLUMNS = tuple(FILTERS.columns.keys())


REFILTER = (
    update(EPOCHS)
    .where(EPOCHS.c.device_id == bindparam("d"), EPOCHS.c.epoch == bindparam("e"))
    .values(
        counted_answers=EPOCHS.c.counted_answers - bindparam("more"),
        filtered_answers=EPOCHS.c.filtered_answers + bindparam("more"),
    )
)
DELETE_RANGE = delete(LEDGER).where(
    LEDGER.c.device_id == bindparam("d"),
    LEDGER.c.epoch == bindparam("e"),
    LEDGER.c.start == bindparam("s"),
)
