"""Where the squares of a heat map stand: hours down, weekdays across. Numbers in, geometry out, as charts.py.

A square is the bigger and the stronger the more it stands for, so that no colour has to be told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

ROW_PX = 24
HEAD_PX = 24
LEFT_PERCENT = 14  # room for the hours' texts
MOST_PX = 20  # side of the greatest square
LEAST_PX = 4
TONES = 4
DAYS = 7


@dataclass(frozen=True)
class Square:
    """One hour of one weekday; `x` in percent, `y` and `side` in pixels, `tone` 1 (faint) to TONES (strong)."""

    hour: int
    day: int
    value: int
    x: float
    y: float
    side: float
    tone: int


@dataclass(frozen=True)
class HeatMap:
    """Squares row by row; `hours`: (hour, y of its middle), `days`: (weekday, x). `rows`: figures for the table."""

    squares: tuple[Square, ...]
    hours: tuple[tuple[int, float], ...]
    days: tuple[tuple[int, float], ...]
    rows: tuple[tuple[int, tuple[int, ...]], ...]
    height: int
    most: int

    @property
    def sums(self) -> tuple[int, ...]:
        """Of each weekday."""
        return tuple(sum(values[day] for _, values in self.rows) for day in range(DAYS))


def heat_map(values: Mapping[tuple[int, int], int]) -> HeatMap | None:
    """The map of {(weekday, hour): how many}, from the first hour that has any to the last; None without any."""
    used = [hour for (_, hour), value in values.items() if value]
    if not used:
        return None
    most = max(values.values())
    hours = range(min(used), max(used) + 1)
    column = (100 - LEFT_PERCENT) / DAYS
    across = [round(LEFT_PERCENT + column * (day + 0.5), 2) for day in range(DAYS)]
    down = {hour: HEAD_PX + ROW_PX * (row + 0.5) for row, hour in enumerate(hours)}
    squares = [
        Square(
            hour,
            day,
            value,
            across[day],
            down[hour],
            round(max(LEAST_PX, MOST_PX * sqrt(value / most)), 1),
            min(TONES, 1 + int(TONES * value / most)),
        )
        for hour in hours
        for day in range(DAYS)
        if (value := values.get((day, hour), 0))
    ]
    return HeatMap(
        squares=tuple(squares),
        hours=tuple(down.items()),
        days=tuple(enumerate(across)),
        rows=tuple((hour, tuple(values.get((day, hour), 0) for day in range(DAYS))) for hour in hours),
        height=HEAD_PX + ROW_PX * len(hours),
        most=most,
    )
