"""How many pressed over any days, in a unit with all below it or at a place: sums of kept counts, never of answers.

It knows volumes only, and only counted presses: what misuse rules left out stands on a place's own page. A day's figure
is that of its hours and of what is known to the day only; what has no hour is in no hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select
from sqlmodel import Session, col

from fleet_server.answers import bulk
from fleet_server.answers.models import PressCount, UnitPressCount
from fleet_server.answers.placing import DAY, HOUR, MONTH, NOWHERE, UNKNOWN
from fleet_server.instants import HOUR_MS, local
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.places.periods import day_start, same_hours

USUAL_WEEKS = 8
_COUNTS, _UNITS = bulk.table_of(PressCount), bulk.table_of(UnitPressCount)


@dataclass(frozen=True)
class At:
    """Where: at a place, or in a unit with all below it; one of the two."""

    place_id: int | None = None
    unit_id: int | None = None

    @property
    def table(self) -> Any:
        """Whose counts these are."""
        return _UNITS if self.place_id is None else _COUNTS

    @property
    def here(self) -> ColumnElement[bool]:
        """The condition for its rows."""
        mine: ColumnElement[bool] = (
            _UNITS.c.unit_id == self.unit_id if self.place_id is None else _COUNTS.c.place_id == self.place_id
        )
        return mine


def by_source(session: Session, at: At, start: int, stop: int) -> dict[str, int]:
    """{device id (of a place) or channel (of a unit): presses} in [start, stop), two Finnish midnights."""
    source = at.table.c.device_id if at.place_id is not None else at.table.c.channel
    # As it is, SQLite would go through all years of the place for the sake of the devices' order.
    source = func.coalesce(source, literal_column("''"))
    query = select(source, func.sum(at.table.c.counted)).where(at.here, _dated(at.table, start, stop))
    rows = session.connection().execute(query.group_by(source))
    return {name: int(counted) for name, counted in rows}


def by_hour(session: Session, at: At, start: int, stop: int) -> dict[int, int]:
    """{start of an hour: presses} of those known to the hour; hours without any are left out."""
    hour = at.table.c.start_at
    query = select(hour, func.sum(at.table.c.counted)).where(at.here, at.table.c.grain == HOUR)
    rows = session.connection().execute(query.where(hour >= start, hour < stop).group_by(hour))
    return {int(begin): int(counted) for begin, counted in rows if counted}


def of_units(session: Session, ids: Iterable[int], start: int, stop: int) -> dict[int, int]:
    """{unit: presses in [start, stop)} of many units at once."""
    return _of_many(session, _UNITS, _UNITS.c.unit_id, ids, start, stop)


def of_places(session: Session, ids: Iterable[int], start: int, stop: int) -> dict[int, int]:
    """{place: presses in [start, stop)} of many places at once."""
    return _of_many(session, _COUNTS, _COUNTS.c.place_id, ids, start, stop)


def _of_many(
    session: Session, table: Any, key: ColumnElement[int], ids: Iterable[int], start: int, stop: int
) -> dict[int, int]:
    # `among` would keep PostgreSQL from the index, and there are but the few parts of one unit.
    query = select(key, func.sum(table.c.counted)).where(key.in_(sorted(ids)), _dated(table, start, stop))
    rows = session.connection().execute(query.group_by(key))
    return {int(number): int(counted) for number, counted in rows}


def without_hour(session: Session, at: At, start: int, stop: int) -> int:
    """Presses that are in no hour of [start, stop): known to the day or month only, or not known at all yet."""
    table = at.table
    dated = select(func.sum(table.c.counted)).where(
        at.here, table.c.grain.in_((DAY, MONTH)), table.c.start_at >= start, table.c.start_at < stop
    )
    places: Select[Any]
    if at.place_id is not None:
        places = select(col(Place.id)).where(col(Place.id) == at.place_id)
    else:
        units = select(col(Unit.id)).where(col(Unit.path).like(f"%/{at.unit_id}/%"))
        places = select(col(Place.id)).where(col(Place.unit_id).in_(units), col(Place.demo).is_(False))
    standing = select(col(Installation.device_id)).where(
        col(Installation.place_id).in_(places), col(Installation.to_at).is_(None)
    )
    # Two queries: one with OR would make PostgreSQL read all counts of the county.
    unknown = select(func.sum(_COUNTS.c.counted)).where(_COUNTS.c.grain == UNKNOWN)
    run = session.connection().execute
    return sum(
        int(run(query).scalar() or 0)
        for query in (
            dated,
            unknown.where(_COUNTS.c.place_id.in_(places)),
            unknown.where(_COUNTS.c.place_id == NOWHERE, _COUNTS.c.device_id.in_(standing)),
        )
    )


@dataclass(frozen=True)
class Usual:
    """So many presses, beside the same hours of as many earlier weeks: their median, least and most."""

    presses: int
    middle: float
    least: int
    most: int


@dataclass(frozen=True)
class Today:
    """`hours`: (start, figures) of today's hours that are over and had any, now or before; `whole`: of all of them.

    `weeks`: how many earlier weeks there are to compare with, 0 to USUAL_WEEKS; without any `hours` is empty.
    """

    whole: Usual | None
    hours: tuple[tuple[int, Usual], ...]
    weeks: int
    until: int


def today(session: Session, at: At, *, now: int) -> Today:
    """Today's whole hours beside what is usual there: the same hours of the same weekday in earlier weeks."""
    midnight, until = day_start(now), now - now % HOUR_MS
    hours = list(range(midnight, until, HOUR_MS))
    first = session.connection().execute(
        select(func.min(at.table.c.start_at)).where(at.here, at.table.c.grain == HOUR)
    )
    began = first.scalar()
    if not hours or began is None:
        return Today(None, (), 0, until)
    earlier = {hour: same_hours(hour, before=midnight, weeks=USUAL_WEEKS) for hour in hours}
    weeks = sum(day_start(each) >= day_start(int(began)) for each in earlier[hours[0]])
    if not weeks:
        return Today(None, (), 0, until)
    known = by_hour(session, at, min(earlier[hours[0]][weeks - 1], day_start(midnight, -7 * weeks)), until)
    table = {hour: [known.get(each, 0) for each in earlier[hour][:weeks]] for hour in hours}
    found = [(hour, _usual(known.get(hour, 0), before)) for hour, before in table.items()]
    sums = [sum(before[week] for before in table.values()) for week in range(weeks)]
    whole = _usual(sum(known.get(hour, 0) for hour in hours), sums)
    return Today(whole, tuple(one for one in found if one[1].presses or one[1].most), weeks, until)


def _usual(presses: int, before: list[int]) -> Usual:
    return Usual(presses, median(before), min(before), max(before))


def by_weekday(hours: dict[int, int]) -> dict[tuple[int, int], int]:
    """{(weekday, hour of the day): presses} of `by_hour`, by Finland's clock; Monday is 0."""
    found: dict[tuple[int, int], int] = {}
    for start, counted in hours.items():
        key = _weekday_hour(start)
        found[key] = found.get(key, 0) + counted
    return found


@lru_cache(maxsize=32_768)  # more than the hours of three years, the same for every place
def _weekday_hour(start: int) -> tuple[int, int]:
    moment = local(start)
    return moment.weekday(), moment.hour


def _dated(table: Any, start: int, stop: int) -> Any:
    return table.c.grain.in_((HOUR, DAY)) & (table.c.start_at >= start) & (table.c.start_at < stop)
