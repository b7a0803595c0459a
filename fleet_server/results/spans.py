"""The times that results are shown for: whole weeks or months up to now, in Finland's time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from fleet_server.instants import DAY_MS, HELSINKI, local, to_ms
from fleet_server.places.periods import day_start, month_start
from fleet_server.results.models import MONTH, WEEK

Span = Literal["month", "quarter", "year"]
_WEEKS = {"month": 4, "quarter": 13}
_MONTHS = 12


@dataclass(frozen=True)
class Period:
    """Whole weeks or months up to now. `starts`: Finnish midnights; `stop`: the midnight that is to come."""

    starts: list[int]
    stop: int
    monthly: bool

    def begins(self, day: int) -> int:
        """The start of the week or month in which a Finnish midnight lies."""
        return month_start(day) if self.monthly else monday(day)


def period(span: Span, now: int) -> Period:
    """The last 4 or 13 weeks from Monday on, or the last 12 months, the present one included."""
    stop = day_start(now, 1)
    if span == "year":
        starts = [month_start(now)]
        while len(starts) < _MONTHS:
            starts.insert(0, month_start(starts[0] - 1))
        return Period(starts, stop, monthly=True)
    this = monday(day_start(now))
    starts = [day_start(this, -7 * back) for back in range(_WEEKS[span] - 1, -1, -1)]
    return Period(starts, stop, monthly=False)


def before(span: Span, chosen: Period) -> Period:
    """The time just before a period, as long as it, not told apart."""
    start = chosen.starts[0]
    if span == "year":
        earlier = start
        for _ in range(_MONTHS):
            earlier = month_start(earlier - 1)
    else:
        earlier = day_start(start, -7 * _WEEKS[span])
    return Period([earlier], start, chosen.monthly)


class Run(NamedTuple):
    """Days, whole weeks or whole months in a row, [start, stop)."""

    grain: str
    start: int
    stop: int


DAY = "day"
_LONGEST_MS = 12 * 366 * DAY_MS  # longer than anything is kept or shown; beyond it there is no need for speed


def runs(start: int, stop: int, begins: Callable[[int], int]) -> list[Run]:
    """[start, stop) as few runs of months, weeks and days, none of which lies in two of the periods of `begins`."""
    if stop - start > _LONGEST_MS:
        return [Run(DAY, start, stop)]
    found: list[Run] = []
    at = start
    while at < stop:
        grain, after = DAY, min(stop, day_start(at, 1))
        for longer, begin, end in _around(at):
            if begin == at and end <= stop and begins(at) == begins(day_start(end, -1)):
                grain, after = longer, end
                break
        if found and found[-1].grain == grain:
            found[-1] = found[-1]._replace(stop=after)
        else:
            found.append(Run(grain, at, after))
        at = after
    return found


@lru_cache(maxsize=4096)
def _around(at: int) -> tuple[tuple[str, int, int], ...]:
    """The month and the week in which an instant lies."""
    month, week = month_start(at), monday(day_start(at))
    return (MONTH, month, month_start(month + 45 * DAY_MS)), (WEEK, week, day_start(week, 7))


@lru_cache(maxsize=4096)
def monday(day: int) -> int:
    """The Finnish midnight of the week's Monday; `day`: a Finnish midnight."""
    return day_start(day, -local(day).weekday())


def as_of(until: date | None, now: int) -> int:
    """The last instant of a day in Finland, for figures as of then; `now` without a day, and never later than now."""
    if until is None or not 2000 <= until.year < 2200:
        return now
    midnight = to_ms(datetime(until.year, until.month, until.day, tzinfo=HELSINKI))
    return min(now, day_start(midnight, 1) - 1)
