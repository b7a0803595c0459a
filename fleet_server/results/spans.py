"""The times that results are shown for: whole weeks or months up to now, in Finland's time."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from fleet_server.instants import HELSINKI, local, to_ms
from fleet_server.places.periods import day_start, month_start

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

    def whole(self, _day: int) -> int:
        """The start of it all: for figures that are not told apart by time."""
        return self.starts[0]


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


def monday(day: int) -> int:
    """The Finnish midnight of the week's Monday; `day`: a Finnish midnight."""
    return day_start(day, -local(day).weekday())


def as_of(until: date | None, now: int) -> int:
    """The last instant of a day in Finland, for figures as of then; `now` without a day, and never later than now."""
    if until is None or not 2000 <= until.year < 2200:
        return now
    midnight = to_ms(datetime(until.year, until.month, until.day, tzinfo=HELSINKI))
    return min(now, day_start(midnight, 1) - 1)
