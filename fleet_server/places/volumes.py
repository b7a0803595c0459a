"""How many presses a place had: sums of the kept counts, never of the answers themselves.

An answer is counted once, at the finest of hour, day and month that surely holds it. So a day's figure is the
sum of its hours and of what is known to the day only; what is known to the month, or not at all yet, is said
beside it. A press that a misuse rule filters is in no figure, unless the reader asks for all.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_
from sqlmodel import Session, col, select

from fleet_server.answers.models import FilterCount, PressCount
from fleet_server.answers.placing import NOWHERE, UNKNOWN
from fleet_server.answers.rules import NAMES
from fleet_server.devices.models import QR, Device
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
    """The presses of one hour (or day, or month) that began at `start`; `rules`: why some are filtered.

    `phone`: how many of `counted` came over the place's QR code.
    """

    start: int
    counted: int
    filtered: int
    rules: dict[str, int] = field(default_factory=dict)
    phone: int = 0


@dataclass(frozen=True)
class PlaceVolumes:
    """A place's figures. `hours`: the last `days` days by the hour, oldest first.

    `with_filtered`: the sums hold filtered presses, too; `hours` always name both.
    `phone_today`, `phone_week`: answers among `today` and `week` that came over the place's QR code.
    `day_only`: presses in those days whose hour is not known; `month_only`: of this month or the one before,
    whose day is not known; `unknown`: whose time is not known yet.
    """

    today: Volume
    yesterday: Volume
    week: Volume
    phone_today: int
    phone_week: int
    days: int
    hours: tuple[Bucket, ...]
    day_only: int
    month_only: int
    unknown: int
    with_filtered: bool


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


def presses_by_channel(session: Session, start: int, stop: int) -> dict[tuple[int, str], int]:
    """{(place, channel): counted presses} of whole months [start, stop), two Finnish midnights."""
    at = col(PressCount.start_at)
    rows = session.exec(
        select(PressCount.place_id, Device.channel, func.sum(PressCount.counted))
        .join(Device, col(Device.id) == col(PressCount.device_id))
        .where(col(PressCount.grain).in_(("hour", "day", "month")), at >= start, at < stop)
        .group_by(col(PressCount.place_id), col(Device.channel))
    )
    return {(place, channel): int(counted) for place, channel, counted in rows if counted}


def place_volumes(
    session: Session, place_id: int, *, days: int, now: int, with_filtered: bool = False
) -> PlaceVolumes:
    """All figures of one place's page; `days` is 1 or 7."""

    def volume(condition: ColumnElement[bool], rules: ColumnElement[bool]) -> Volume:
        sums = _volume(session, place_id, condition)
        if not with_filtered or not sums.filtered:
            return sums
        simulated = session.exec(
            select(func.sum(FilterCount.simulated)).where(FilterCount.place_id == place_id, rules)
        ).one()
        return Volume(sums.counted + sums.filtered, sums.filtered, sums.simulated + int(simulated or 0))

    def between(start: int, stop: int) -> Volume:
        return volume(_within(start, stop), _within(start, stop, FilterCount))

    def coarse(grain: str, since: int) -> int:
        return volume(_of_grain(grain, since), _of_grain(grain, since, FilterCount)).counted

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
        today=between(midnight, tomorrow),
        yesterday=between(day_start(now, -1), midnight),
        week=between(day_start(now, -6), tomorrow),
        phone_today=_by_phone(session, place_id, _within(midnight, tomorrow), with_filtered),
        phone_week=_by_phone(session, place_id, _within(day_start(now, -6), tomorrow), with_filtered),
        days=days,
        hours=tuple(Bucket(start, *by_hour.get(start, (0, 0))) for start in starts),
        day_only=coarse("day", day_start(starts[0])),
        month_only=coarse("month", month_start(month_start(now) - 1)),
        unknown=_unknown(session, place_id, with_filtered),
        with_filtered=with_filtered,
    )


def filtered_by_rule(session: Session, place_id: int, start: int, stop: int) -> dict[str, int]:
    """{rule: answers that it filtered} of [start, stop), two Finnish midnights; every rule, 0 where none."""
    rows = session.exec(
        select(FilterCount.rule, func.sum(FilterCount.answers))
        .where(FilterCount.place_id == place_id, _within(start, stop, FilterCount))
        .group_by(col(FilterCount.rule))
    )
    return dict.fromkeys(NAMES, 0) | {rule: int(answers) for rule, answers in rows}


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
    by_rule = session.exec(
        select(FilterCount.start_at, FilterCount.rule, func.sum(FilterCount.answers))
        .where(
            FilterCount.place_id == place_id,
            col(FilterCount.grain).in_(finer),
            col(FilterCount.start_at) >= start,
            col(FilterCount.start_at) < stop,
            FilterCount.answers != 0,
        )
        .group_by(col(FilterCount.start_at), col(FilterCount.rule))
    )
    by_phone = session.exec(
        select(PressCount.start_at, func.sum(PressCount.counted))
        .where(
            PressCount.place_id == place_id,
            col(PressCount.device_id).in_(_phones_of(place_id)),
            col(PressCount.grain).in_(finer),
            col(PressCount.start_at) >= start,
            col(PressCount.start_at) < stop,
        )
        .group_by(col(PressCount.start_at))
    )
    sums: dict[int, tuple[int, int]] = {}
    phone: dict[int, int] = {}
    for at, counted in by_phone:
        phone[begins(at)] = phone.get(begins(at), 0) + int(counted)
    rules: dict[int, dict[str, int]] = {}
    for at, counted, filtered in rows:
        bucket = begins(at)
        before = sums.get(bucket, (0, 0))
        sums[bucket] = (before[0] + int(counted), before[1] + int(filtered))
    for at, rule, answers in by_rule:
        named = rules.setdefault(begins(at), {})
        named[rule] = named.get(rule, 0) + int(answers)
    return [
        Bucket(bucket, *figures, rules.get(bucket, {}), phone.get(bucket, 0))
        for bucket, figures in sums.items()
    ]


def coarser(
    session: Session, place_id: int, *, grain: str, start: int, stop: int, with_filtered: bool = False
) -> dict[str, int]:
    """Counted presses known less finely than `grain`: of days and months in [start, stop), and `unknown`."""
    grains = ("hour", "day", "month", "unknown")
    sums = dict.fromkeys(grains[grains.index(grain) + 1 :], 0)
    at = col(PressCount.start_at)
    rows = session.exec(
        select(PressCount.grain, func.sum(_figure(with_filtered)))
        .where(PressCount.place_id == place_id, col(PressCount.grain).in_(sums), at >= start, at < stop)
        .group_by(col(PressCount.grain))
    )
    unknown = _unknown(session, place_id, with_filtered)
    return sums | {grain: int(counted) for grain, counted in rows} | {"unknown": unknown}


def _figure(with_filtered: bool) -> ColumnElement[int]:
    counted = col(PressCount.counted)
    return counted + col(PressCount.filtered) if with_filtered else counted + 0


def _phones_of(place_id: int) -> Any:
    """Id of the journal of this place's phones, if there is one."""
    return (
        select(Device.id)
        .join(Installation, col(Installation.device_id) == col(Device.id))
        .where(Installation.place_id == place_id, Device.channel == QR)
    )


def _by_phone(session: Session, place_id: int, when: ColumnElement[bool], with_filtered: bool) -> int:
    figure = func.sum(_figure(with_filtered))
    phones = col(PressCount.device_id).in_(_phones_of(place_id))
    return int(session.exec(select(figure).where(PressCount.place_id == place_id, phones, when)).one() or 0)


def _volume(session: Session, place_id: int, condition: ColumnElement[bool]) -> Volume:
    sums = session.exec(
        select(
            func.sum(PressCount.counted), func.sum(PressCount.filtered), func.sum(PressCount.simulated)
        ).where(PressCount.place_id == place_id, condition)
    ).one()
    return Volume(*(int(figure or 0) for figure in sums))


def _unknown(session: Session, place_id: int, with_filtered: bool) -> int:
    """Counted presses of unknown time: of this place, or of none yet but from a device that stands here."""
    standing = select(Installation.device_id).where(
        Installation.place_id == place_id, col(Installation.to_at).is_(None)
    )
    nowhere = and_(col(PressCount.place_id) == NOWHERE, col(PressCount.device_id).in_(standing))
    counted = session.exec(
        select(func.sum(_figure(with_filtered))).where(
            PressCount.grain == UNKNOWN, or_(col(PressCount.place_id) == place_id, nowhere)
        )
    ).one()
    return int(counted or 0)


_Counts = type[PressCount] | type[FilterCount]


def _within(start: int, stop: int, table: _Counts = PressCount) -> ColumnElement[bool]:
    at = col(table.start_at)
    return and_(or_(col(table.grain) == "hour", col(table.grain) == "day"), at >= start, at < stop)


def _of_grain(grain: str, since: int, table: _Counts = PressCount) -> ColumnElement[bool]:
    return and_(col(table.grain) == grain, col(table.start_at) >= since)
