"""Opening hours of places: a weekly table from a date on, until the next one; and what lies outside of them.

It knows no answers. Times are Finland's; a day that no table covers is open, for nothing is known of it.
"""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from fleet_server.instants import HELSINKI, local, to_ms
from fleet_server.refusals import N_, Faults, Refused

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 4  # a day: one more than any clinic has; keeps a mad table small
_SPAN = re.compile(
    r"([01]?[0-9]|2[0-4])(?:[.:]([0-5][0-9]))?\s*[-–]\s*([01]?[0-9]|2[0-4])(?:[.:]([0-5][0-9]))?"
)  # noqa: RUF001

Hours = tuple[tuple[int, str], ...]  # (from which instant on, weekly table as JSON or ''), oldest first


def outside(hours: Hours, from_at: int, to_at: int, grace_ms: int) -> bool:
    """Whether all of [from_at, to_at] (UTC ms) lies outside the opening hours, widened by `grace_ms` at both ends."""
    day, last = local(from_at - grace_ms).date(), local(to_at + grace_ms).date()
    while day <= last:
        midnight, after, spans = _day(hours, day)
        if spans is None:
            if midnight <= to_at and from_at < after:
                return False
        elif any(start - grace_ms <= to_at and from_at < stop + grace_ms for start, stop in spans):
            return False
        day += timedelta(days=1)
    return True


@lru_cache(maxsize=4096)
def _day(hours: Hours, day: date) -> tuple[int, int, tuple[tuple[int, int], ...] | None]:
    """A day's [midnight, midnight) and when it is open, UTC ms; None when no table holds."""
    midnight, after = _instant(day, 0), _instant(day, 24 * 60)
    table = ""
    for since, weekly in hours:
        if since <= midnight:
            table = weekly
    if not table:
        return midnight, after, None
    spans = json.loads(table)[DAYS[day.weekday()]]
    return (
        midnight,
        after,
        tuple((_instant(day, _minutes(start)), _instant(day, _minutes(stop))) for start, stop in spans),
    )


def _instant(day: date, minutes: int) -> int:
    later, rest = divmod(minutes, 24 * 60)
    day += timedelta(days=later)
    return to_ms(datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=HELSINKI))


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def read_week(typed: dict[str, str]) -> str:
    """The weekly table (JSON) of what was typed for each of DAYS: `8-16, 17.00-19.30`, or nothing when closed.

    '' when nothing was typed at all: no opening hours. Raises Refused, with the fault at the day's field.
    """
    faults = Faults()
    week = {day: _read_day(faults, day, typed.get(day, "")) for day in DAYS}
    faults.check()
    return json.dumps(week) if any(week.values()) else ""


def _read_day(faults: Faults, day: str, typed: str) -> list[list[str]]:
    spans: list[list[str]] = []
    for part in filter(None, (part.strip() for part in typed.split(","))):
        found = _SPAN.fullmatch(part)
        start, stop = (f"{int(found[n]):02}:{found[n + 1] or '00'}" for n in (1, 3)) if found else ("", "")
        if found is None or max(start, stop) > "24:00":
            faults.add(day, N_("“%(value)s” is not a time such as 8.00–16.00."), value=part)  # noqa: RUF001
        elif start >= stop:
            faults.add(day, N_("“%(value)s” ends before it begins."), value=part)
        elif spans and start < spans[-1][1]:
            faults.add(day, N_("“%(value)s” begins before the time ahead of it ends."), value=part)
        else:
            spans.append([start, stop])
    if len(spans) > MOST_SPANS:
        faults.add(day, N_("These are %(count)s times, at most %(most)s."), count=len(spans), most=MOST_SPANS)
    return spans


def week_text(weekly: str) -> dict[str, str]:
    """What `read_week` reads, of a table: {day: text}."""
    week: dict[str, Sequence[Sequence[str]]] = json.loads(weekly) if weekly else {}
    return {
        day: ", ".join("–".join(_shown(clock) for clock in span) for span in week.get(day, ()))  # noqa: RUF001
        for day in DAYS
    }


def _shown(clock: str) -> str:
    return clock.replace(":", ".").removeprefix("0")


def read_date(typed: str) -> int:
    """The Finnish midnight of a typed date (`2026-03-02`), UTC ms. Raises Refused, with the fault at `from_date`."""
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        day = date.min
    if not 2020 <= day.year < 2100:
        raise Refused(
            {"from_date": (N_("“%(value)s” is not a date from 2020 on."), {"value": typed.strip()[:20]})}
        )
    return _instant(day, 0)
