"""Whether a period's figure stands out from the others of its course: control limits. Arithmetic alone.

A p-chart whose limits vary with n (D. C. Montgomery, Introduction to Statistical Quality Control, section 7.3): the
centre is the pooled figure of the earlier periods, all but the newest; the limits are three standard errors away. Of
the NPS the variance is that of a multinomial, as in intervals.py. Where the earlier periods differ from each other by
more than the chance of drawing answers, as they do with thousands a week, the limits are as much wider (D. B. Laney,
Improved Control Charts for Attributes, Quality Engineering 14, 2002). Rules, both of the Western Electric handbook: a
point beyond the limits; eight in a row on one side of the centre. Periods with too few answers for limits are left out.

All points are of one series: answers to another wording or scale have a course of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal, NamedTuple

from fleet_server.results.items import Item

EARLIER_PERIODS = 6  # fewer say too little of what is usual
RUN = 8
# n times the variance: below it the answers are too few for limits from the normal distribution, and for a side of the
# centre, too: of ten answers at 97 % most often all are good, so eight such weeks in a row lie above by chance.
_ENOUGH = 5
_RANGE_TO_SIGMA = 1.128  # expected range of two values in standard deviations

Side = Literal["", "above", "below"]


class Limits(NamedTuple):
    """Three standard errors around the centre, in the unit of the headline and within its scale."""

    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """Of one period. `limits` None: too few answers for some. `beyond` them; `run`: in eight or more on one side."""

    limits: Limits | None = None
    beyond: Side = ""
    run: Side = ""


@dataclass(frozen=True)
class Control:
    """The centre, and a verdict for each period of the course."""

    centre: float
    verdicts: tuple[Verdict, ...]

    @property
    def remarkable(self) -> bool:
        """Whether anything stands out."""
        return any(verdict.beyond or verdict.run for verdict in self.verdicts)


class _Measured(NamedTuple):
    at: int  # index of its period
    value: float  # of the headline
    n: int


def control(item: Item) -> Control | None:
    """The control limits of an item's course; None when too few earlier periods have answers, or all say the same, or
    no period has enough."""
    measured = [
        _Measured(at, point.headline.value, point.headline.n)
        for at, point in enumerate(item.course)
        if point.headline
    ]
    earlier = [one for one in measured if one.at < len(item.course) - 1]
    if len(earlier) < EARLIER_PERIODS:
        return None
    n = sum(one.n for one in earlier)
    centre = sum(one.value * one.n for one in earlier) / n
    variance, least, most = _scale(item, centre, {one.at for one in earlier})
    if variance <= 0:
        return None
    wider = _wider(earlier, centre, variance)
    unit = most * most  # the NPS counts in hundredths
    judged = [one for one in measured if one.n * variance >= _ENOUGH * unit]
    if not judged:
        return None
    verdicts = [Verdict()] * len(item.course)
    sides = _runs(judged, centre)
    for one in judged:
        reach = 3 * wider * sqrt(variance / one.n)
        limits = Limits(max(least, centre - reach), min(most, centre + reach))
        beyond: Side = "above" if one.value > limits.high else "below" if one.value < limits.low else ""
        verdicts[one.at] = Verdict(limits, beyond, sides[one.at])
    return Control(centre, tuple(verdicts))


def _scale(item: Item, centre: float, at: set[int]) -> tuple[float, float, float]:
    """Variance of one answer in the earlier periods, and the ends of the headline's scale."""
    if item.series.type != "nps":
        return centre * (1 - centre), 0.0, 1.0
    promoters = detractors = n = 0
    for index in at:
        values = item.course[index].figures.values
        promoters, detractors = promoters + sum(values[9:11]), detractors + sum(values[:7])
        n += sum(values)
    score = centre / 100
    return 10_000 * ((promoters + detractors) / n - score * score), -100.0, 100.0


def _wider(earlier: Sequence[_Measured], centre: float, variance: float) -> float:
    """Laney's factor, at least 1: how much more the periods differ than answers drawn at random would make them."""
    z = [(one.value - centre) / sqrt(variance / one.n) for one in earlier]
    moved = sum(abs(after - before) for before, after in pairwise(z)) / (len(z) - 1)
    return max(1.0, moved / _RANGE_TO_SIGMA)


def _runs(measured: Sequence[_Measured], centre: float) -> dict[int, Side]:
    """{index: the side} of those that stand in a run of eight or more; a point on the centre ends one."""
    found: dict[int, Side] = {one.at: "" for one in measured}
    run: list[int] = []
    last: Side = ""
    for one in measured:
        side: Side = "above" if one.value > centre else "below" if one.value < centre else ""
        if side != last:
            run = []
        run.append(one.at)
        last = side
        if side and len(run) >= RUN:
            for at in run:
                found[at] = side
    return found
