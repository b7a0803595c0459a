"""How many presses a place had: sums of the kept counts, never of the answers themselves.

An answer is counted once, at the finest of hour, day and month that surely holds it. So a day's figure is the
sum of its hours and of what is known to the day only; what is known to the month, or not at all yet, is said
beside it.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_
from sqlmodel import Session, col, select

from fleet_server.answers.models import PressCount
from fleet_server.answers.placing import NOWHERE, UNKNOWN
from fleet_server.instants import HOUR_MS
from fleet_server.places.models import Installation
from fleet_server.places.periods import day_start, hours_until, month_start

BARS = {1: 24, 7: 7 * 24}  # days: hourly bars


@dataclass(frozen=True)
class Volume:
    """A number of presses: counted, filtered by rule, and how many of both came from simulated patients."""

    counted: int = 0
    filtered: int = 0
    simulated: int = 0


@dataclass(frozen=True)
class Bucket:
    """The presses of one hour (or day, or month) that began at `start`."""

    start: int
    counted: int
    filtered: int


@dataclass(frozen=True)
class PlaceVolumes:
    """A place's figures. `hours`: the last `days` days by the hour, oldest first.

    `day_only`: presses in those days whose hour is not known; `month_only`: of this month or the one before,
    whose day is not known; `unknown`: whose time is not known yet.
    """

    today: Volume
    yesterday: Volume
    week: Volume
    days: int
    hours: tuple[Bucket, ...]
    day_only: int
    month_only: int
    unknown: int


def presses_by_place(
    session: Session, place_ids: Select[tuple[int]], start: int, stop: int
) -> dict[int, Volume]:
    """Presses in [start, stop), two Finnish midnights, of each of these places that had any."""
    rows = session.exec(
        select(
            PressCount.place_id,
            func.sum(PressCount.counted),
            func.sum(PressCount.filtered),
            func.sum(PressCount.simulated),
        )
        .where(col(PressCount.place_id).in_(place_ids), _within(start, stop))
        .group_by(col(PressCount.place_id))
    )
    return {
        place: Volume(int(counted), int(filtered), int(simulated))
        for place, counted, filtered, simulated in rows
    }


def place_volumes(session: Session, place_id: int, *, days: int, now: int) -> PlaceVolumes:
    """All figures of one place's page; `days` is 1 or 7."""
    midnight, tomorrow = day_start(now), day_start(now, 1)
    starts = hours_until(now, BARS[days])
    by_hour = {
        start: (int(counted), int(filtered))
        for start, counted, filtered in session.exec(
            select(PressCount.start_at, func.sum(PressCount.counted), func.sum(PressCount.filtered))
            .where(
                PressCount.place_id == place_id,
                PressCount.grain == "hour",
                col(PressCount.start_at) >= starts[0],
                col(PressCount.start_at) < starts[-1] + HOUR_MS,
            )
            .group_by(col(PressCount.start_at))
        )
    }
    return PlaceVolumes(
        today=_volume(session, place_id, _within(midnight, tomorrow)),
        yesterday=_volume(session, place_id, _within(day_start(now, -1), midnight)),
        week=_volume(session, place_id, _within(day_start(now, -6), tomorrow)),
        days=days,
        hours=tuple(Bucket(start, *by_hour.get(start, (0, 0))) for start in starts),
        day_only=_volume(session, place_id, _of_grain("day", day_start(starts[0]))).counted,
        month_only=_volume(session, place_id, _of_grain("month", month_start(month_start(now) - 1))).counted,
        unknown=_unknown(session, place_id),
    )


def buckets(session: Session, place_id: int, *, grain: str, start: int, stop: int) -> list[Bucket]:
    """Presses by hour, day or month that begins in [start, stop), of those known so finely; no empty ones.

    A day holds its hours and what is known to the day only, a month all of its days.
    """
    begins = {"hour": lambda at: at, "day": day_start, "month": month_start}[grain]
    finer = ("hour", "day", "month")[: ("hour", "day", "month").index(grain) + 1]
    rows = session.exec(
        select(PressCount.start_at, func.sum(PressCount.counted), func.sum(PressCount.filtered))
        .where(
            PressCount.place_id == place_id,
            col(PressCount.grain).in_(finer),
            col(PressCount.start_at) >= start,
            col(PressCount.start_at) < stop,
        )
        .group_by(col(PressCount.start_at))
        .order_by(col(PressCount.start_at))
    )
    sums: dict[int, tuple[int, int]] = {}
    for at, counted, filtered in rows:
        bucket = begins(at)
        before = sums.get(bucket, (0, 0))
        sums[bucket] = (before[0] + int(counted), before[1] + int(filtered))
    return [Bucket(bucket, *figures) for bucket, figures in sums.items()]


def coarser(session: Session, place_id: int, *, grain: str, start: int, stop: int) -> dict[str, int]:
    """Counted presses known less finely than `grain`: of days and months in [start, stop), and `unknown`."""
    grains = ("hour", "day", "month", "unknown")
    sums = dict.fromkeys(grains[grains.index(grain) + 1 :], 0)
    at = col(PressCount.start_at)
    rows = session.exec(
        select(PressCount.grain, func.sum(PressCount.counted))
        .where(PressCount.place_id == place_id, col(PressCount.grain).in_(sums), at >= start, at < stop)
        .group_by(col(PressCount.grain))
    )
    return sums | {grain: int(counted) for grain, counted in rows} | {"unknown": _unknown(session, place_id)}


def _volume(session: Session, place_id: int, condition: ColumnElement[bool]) -> Volume:
    sums = session.exec(
        select(
            func.sum(PressCount.counted), func.sum(PressCount.filtered), func.sum(PressCount.simulated)
        ).where(PressCount.place_id == place_id, condition)
    ).one()
    return Volume(*(int(figure or 0) for figure in sums))


def _unknown(session: Session, place_id: int) -> int:
    """Counted presses of unknown time: of this place, or of none yet but from a device that stands here."""
    standing = select(Installation.device_id).where(
        Installation.place_id == place_id, col(Installation.to_at).is_(None)
    )
    nowhere = and_(col(PressCount.place_id) == NOWHERE, col(PressCount.device_id).in_(standing))
    counted = session.exec(
        select(func.sum(PressCount.counted)).where(
            PressCount.grain == UNKNOWN, or_(col(PressCount.place_id) == place_id, nowhere)
        )
    ).one()
    return int(counted or 0)


def _within(start: int, stop: int) -> ColumnElement[bool]:
    at = col(PressCount.start_at)
    return and_(or_(col(PressCount.grain) == "hour", col(PressCount.grain) == "day"), at >= start, at < stop)


def _of_grain(grain: str, since: int) -> ColumnElement[bool]:
    return and_(col(PressCount.grain) == grain, col(PressCount.start_at) >= since)
