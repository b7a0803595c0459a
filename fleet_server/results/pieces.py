"""A time of whole days cut into weeks, months or quarters, as exports and programs ask for it. It knows no result.

Days are Finland's. A piece at either end is cut off where the time ends: a week that began before it is shorter.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from fleet_server.instants import HELSINKI, local, to_ms
from fleet_server.places.periods import day_start

Grain = Literal["week", "month", "quarter", "whole"]
FIRST_YEAR = 2000
LONGEST_DAYS = 3_660  # ten years: 523 weeks, each one query of a millisecond


@dataclass(frozen=True)
class Piece:
    """[start, stop), two Finnish midnights."""

    start: int
    stop: int

    @property
    def first(self) -> date:
        """Its first day."""
        return local(self.start).date()

    @property
    def last(self) -> date:
        """Its last day, which belongs to it."""
        return local(self.stop - 1).date()


def between(first: date, last: date) -> Piece:
    """From the first to the last day, both included. Raises ValueError that says what is wrong with `last`."""
    if not FIRST_YEAR <= first.year <= last.year + 1 <= 10_000 - FIRST_YEAR:
        raise ValueError(f"must be in the years from {FIRST_YEAR} on")
    if last < first:
        raise ValueError(f"must not be before the first day, which is {first.isoformat()}")
    if (last - first).days >= LONGEST_DAYS:
        raise ValueError(f"must be at most {LONGEST_DAYS} days after the first day")
    return Piece(midnight(first), midnight(last + timedelta(days=1)))


def cut(whole: Piece, grain: Grain) -> list[Piece]:
    """The pieces of a time, oldest first."""
    starts = [whole.start]
    while grain != "whole" and (following := _next(starts[-1], grain)) < whole.stop:
        starts.append(following)
    return [Piece(*ends) for ends in zip(starts, [*starts[1:], whole.stop], strict=True)]


def midnight(day: date) -> int:
    """The Finnish midnight at which a day begins."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=HELSINKI))


def month_after(day: date, months: int = 1) -> date:
    """The first of the month so many months after that of `day`."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def quarter_of(day: date) -> int:
    """1 to 4."""
    return (day.month + 2) // 3


def _next(start: int, grain: Grain) -> int:
    """The midnight at which the next week, month or quarter begins."""
    if grain == "week":
        return day_start(start, 7 - local(start).weekday())
    day = local(start).date()
    return midnight(month_after(day, 1 if grain == "month" else 3 - (day.month - 1) % 3))
