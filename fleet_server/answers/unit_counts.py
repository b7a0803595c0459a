"""Keeps the presses of units: sums of the counts of their places, in the transaction that changes those.

It counts nothing itself. Invariant: a unit has, by channel and bucket, what the real places in it and below it have.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlmodel import Session, col

from fleet_server.answers import bulk
from fleet_server.answers.models import PressCount, UnitPressCount
from fleet_server.answers.placing import UNKNOWN
from fleet_server.db import among
from fleet_server.devices.models import Device
from fleet_server.places.models import Place, Unit

_UNITS, _COUNTS = bulk.table_of(UnitPressCount), bulk.table_of(PressCount)
_COLUMNS = tuple(_UNITS.columns.keys())
_PATHS = (
    select(col(Place.id), col(Unit.path))
    .join(Unit, col(Place.unit_id) == col(Unit.id))
    .where(col(Place.demo).is_(False))
)
_PATHS_OF = _PATHS.where(among(col(Place.id), "ids"))
_CHANNELS_OF = select(col(Device.id), col(Device.channel)).where(among(col(Device.id), "ids"))
_ROWS = (
    select(
        _COUNTS.c.place_id, col(Device.channel), _COUNTS.c.grain, _COUNTS.c.start_at,
        func.sum(_COUNTS.c.counted), func.sum(_COUNTS.c.filtered),
    )
    .join(Device, _COUNTS.c.device_id == col(Device.id))
    .where(_COUNTS.c.grain != UNKNOWN)
    .group_by(_COUNTS.c.place_id, col(Device.channel), _COUNTS.c.grain, _COUNTS.c.start_at)
)  # fmt: skip

_Key = tuple[int, int, str, str]  # unit, start, grain, channel
_Sums = dict[_Key, tuple[int, int]]


def add(connection: Connection, counts: Sequence[tuple[Any, ...]]) -> None:
    """Add to the units what rows of PressCount (in the order of its columns) add to their places."""
    if not counts:
        return
    _lock(connection, "ROW EXCLUSIVE")
    places = {"ids": json.dumps(sorted({row[0] for row in counts}))}
    devices = {"ids": json.dumps(sorted({row[1] for row in counts}))}
    units = {int(place or 0): _ids(path) for place, path in connection.execute(_PATHS_OF, places)}
    channels = {device: channel for device, channel in connection.execute(_CHANNELS_OF, devices)}  # noqa: C416
    rows = (
        (place, channels[device], grain, start, counted, filtered)
        for place, device, grain, start, counted, filtered, _ in counts
        if place in units and grain != UNKNOWN
    )
    _write(connection, _summed(rows, units))


def hang(session: Session, place_ids: Collection[int], before: str, after: str) -> None:
    """These places count for the units on the path `after` from now on, no more for those on `before` alone."""
    old, new = set(_ids(before)), set(_ids(after))
    connection = session.connection()
    _lock(connection, "EXCLUSIVE")
    wanted = {"ids": json.dumps(sorted(place_ids))}
    real = {int(place or 0) for place, _ in connection.execute(_PATHS_OF, wanted)}
    rows = [
        row for row in connection.execute(_ROWS.where(among(_COUNTS.c.place_id, "ids")), wanted)
        if row[0] in real
    ]  # fmt: skip
    less = _summed(rows, dict.fromkeys(real, tuple(old - new)))
    more = _summed(rows, dict.fromkeys(real, tuple(new - old)))
    _write(connection, more | {key: (-counted, -filtered) for key, (counted, filtered) in less.items()})


def differing(session: Session) -> int:
    """How many buckets of units are not what their places say. Its time grows with the counts: for `fleet check`."""
    kept = {
        (row.unit_id, row.start_at, row.grain, row.channel): (row.counted, row.filtered)
        for row in session.connection().execute(select(_UNITS))
        if row.counted or row.filtered
    }
    return len(dict(kept.items() ^ _real(session).items()))


def recount(session: Session) -> int:
    """Make them anew from the counts of the places, where they are not what those say; how many were wrong."""
    connection = session.connection()
    _lock(connection, "EXCLUSIVE")
    wrong = differing(session)
    if wrong:
        connection.execute(delete(_UNITS))
        _write(connection, _real(session))
    return wrong


def _lock(connection: Connection, mode: str) -> None:
    """On PostgreSQL: who books looks up units only when nobody hangs a place elsewhere, and the other way round.

    Bookings do not wait for each other. SQLite has one writer anyway.
    """
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"LOCK TABLE unit_press_count IN {mode} MODE")


def _real(session: Session) -> _Sums:
    connection = session.connection()
    units = {int(place or 0): _ids(path) for place, path in connection.execute(_PATHS)}
    rows = (tuple(row) for row in connection.execute(_ROWS) if row[0] in units)
    return {key: sums for key, sums in _summed(rows, units).items() if any(sums)}


def _ids(path: str) -> tuple[int, ...]:
    return tuple(int(part) for part in path.split("/") if part)


def _summed(rows: Iterable[Any], units: dict[int, tuple[int, ...]]) -> _Sums:
    counted: Counter[_Key] = Counter()
    filtered: Counter[_Key] = Counter()
    for place, channel, grain, start, more, left_out in rows:
        for unit in units[place]:
            counted[unit, start, grain, channel] += int(more)
            filtered[unit, start, grain, channel] += int(left_out)
    return {key: (amount, filtered[key]) for key, amount in counted.items()}


def _write(connection: Connection, sums: _Sums) -> None:
    """In the order of their keys: two transactions that book at once take the rows' locks in the same order."""
    rows = list(_sorted(sums))
    bulk.upsert(connection, _UNITS, _COLUMNS, rows, add=("counted", "filtered"))


def _sorted(sums: _Sums) -> Iterator[tuple[Any, ...]]:
    for key in sorted(sums):
        if any(sums[key]):
            yield (*key, *sums[key])
