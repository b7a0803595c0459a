"""When and where an answer was given, as far as that is known: arithmetic on anchors, neighbours and installations.

An hour, a day or a place is only ever named when the whole interval lies in it: nothing is invented.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlmodel import Session, col, select

from fleet_server.instants import HELSINKI, HOUR_MS, local, to_ms
from fleet_server.places.models import Installation

TENTH_MS = 100
# A kiosk's crystal is good to 50 ppm over its temperatures; the kiosk's own clock reckons with 100 ppm as well.
# One tenth of a second at 100 ppm is a hundredth of a millisecond, the unit of `_doubt`.
_HUNDREDTHS = 100
# A clock record outside these years is refused: no kiosk was there before, and no counter lasts longer.
CLOCK_YEARS = range(2020, 2100)

HOUR, DAY, MONTH, UNKNOWN = "hour", "day", "month", "unknown"
NOWHERE = 0  # place_id in counts of what stood nowhere, or moved meanwhile

Interval = tuple[int, int]  # UTC ms, both ends included
Stay = tuple[int, int | None, int]  # installed [from, to or still), place id


class Anchor(NamedTuple):
    """At `uptime` (tenths of a second) it was `utc_ms`, give or take `uncertainty_ms`; `seq` of its clock record."""

    uptime: int
    seq: int
    utc_ms: int
    uncertainty_ms: int


def clock_fault(utc_ms: int) -> str | None:
    """Why a clock record cannot be right, or None."""
    if not _FIRST_CLOCK_MS <= utc_ms < _LAST_CLOCK_MS:
        return f"clock says {utc_ms} ms, outside {CLOCK_YEARS.start} to {CLOCK_YEARS.stop - 1}"
    return None


def _doubt(anchor: Anchor, uptime: int) -> int:
    return anchor.uncertainty_ms * _HUNDREDTHS + abs(uptime - anchor.uptime)


def usable(anchors: Iterable[Anchor]) -> list[Anchor]:
    """The anchors that are best somewhere, by uptime. One that another beats at its own uptime is best nowhere.

    Of those that are left, the best for any uptime is one of its two neighbours.
    """
    ordered = sorted(anchors)
    kept = _unbeaten(ordered)
    return [anchor for anchor in reversed(_unbeaten(ordered[::-1])) if anchor in kept]


def _unbeaten(ordered: Sequence[Anchor]) -> list[Anchor]:
    """Those that none of the earlier ones in this order beats."""
    kept: list[Anchor] = []
    leader: Anchor | None = None
    for anchor in ordered:
        if leader is None or (_doubt(anchor, anchor.uptime), anchor.seq) < (
            _doubt(leader, anchor.uptime),
            leader.seq,
        ):
            kept.append(anchor)
            leader = anchor
    return kept


def best(anchors: Sequence[Anchor], uptime: int) -> Anchor:
    """The anchor that gives this uptime the smallest interval; `anchors` as `usable` returns them, not empty."""
    at = bisect_right(anchors, uptime, key=lambda anchor: anchor.uptime)
    return min(anchors[max(at - 1, 0) : at + 1], key=lambda anchor: (_doubt(anchor, uptime), anchor.seq))


def interval(anchor: Anchor, uptime: int) -> Interval:
    """The UTC interval in which the counter showed `uptime`: clock uncertainty, drift and the counter's own step."""
    away = uptime - anchor.uptime
    middle = anchor.utc_ms + away * TENTH_MS
    reach = anchor.uncertainty_ms + TENTH_MS + -(-abs(away) // _HUNDREDTHS)
    return middle - reach, middle + reach


def bucket(when: Interval | None) -> tuple[str, int]:
    """(grain, start in UTC ms) of the finest local hour, day or month that holds the interval; else (unknown, 0)."""
    if when is None:
        return UNKNOWN, 0
    start, stop = when
    hour = start - start % HOUR_MS  # Finland's offset is whole hours, so local hours are UTC hours
    if stop < hour + HOUR_MS:
        return HOUR, hour
    for grain in (DAY, MONTH):
        first, after = bounds(grain, hour)
        if stop < after:
            return grain, first
    return UNKNOWN, 0


@lru_cache(maxsize=4096)
def bounds(grain: str, instant_ms: int) -> tuple[int, int]:
    """The local hour, day or month [start, stop) in which the instant lies, UTC ms."""
    if grain == HOUR:
        hour = instant_ms - instant_ms % HOUR_MS
        return hour, hour + HOUR_MS
    day = local(instant_ms).date()
    if grain == DAY:
        return _midnight(day.year, day.month, day.day), _midnight(*(day + timedelta(days=1)).timetuple()[:3])
    if grain == MONTH:
        year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
        return _midnight(day.year, day.month, 1), _midnight(year, month, 1)
    raise ValueError(f"grain {grain!r} has no bounds")


def _midnight(year: int, month: int, day: int) -> int:
    return to_ms(datetime(year, month, day, tzinfo=HELSINKI))


_FIRST_CLOCK_MS, _LAST_CLOCK_MS = _midnight(CLOCK_YEARS.start, 1, 1), _midnight(CLOCK_YEARS.stop, 1, 1)


def place_in(stays: Sequence[Stay], when: Interval | None) -> int | None:
    """The place of the stay that covers the whole interval, or None."""
    if when is None:
        return None
    for start, stop, place_id in stays:
        if start <= when[0] and (stop is None or when[1] < stop):
            return place_id
    return None


def place_of(session: Session, device_id: str, from_at: int, to_at: int) -> int | None:
    """The place at which a device stood during all of [from_at, to_at] (UTC ms), or None."""
    stays = session.exec(
        select(Installation.from_at, Installation.to_at, Installation.place_id)
        .where(Installation.device_id == device_id)
        .order_by(col(Installation.from_at))
    ).all()
    return place_in(list(stays), (from_at, to_at))
