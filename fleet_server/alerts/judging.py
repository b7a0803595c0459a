"""Whether what is watched for is so now: of scores by whole released blocks, of a silence by volumes.

It keeps nothing and tells nobody. What it finds says no more than a results page or a place's volumes say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.alerts.models import FALL, LOW, Watch
from fleet_server.places.periods import day_start
from fleet_server.results import intervals
from fleet_server.results.intervals import Estimate
from fleet_server.results.items import headline
from fleet_server.results.models import Series
from fleet_server.results.scores import Where, totals
from fleet_server.results.subjects import Subject

WEEKS_BEFORE = 13  # a quarter of own history: long enough to be sure of, short enough to be comparable
_POINTS = ("nps",)  # headlines in points; the others are shares, kept and shown in percent

Facts = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """`found`: {place id, or 0 for the subject itself: facts} of what is so now. `unknown`: nothing can be said now of
    these (None: of nothing at all), so what was said stands."""

    found: dict[int, Facts] = field(default_factory=dict)
    unknown: frozenset[int] | None = frozenset()


UNKNOWN = Judged(unknown=None)


def series_by_code(session: Session) -> dict[str, list[tuple[int, str]]]:
    """{code of a question: (id, type) of its series, newest first}."""
    found: dict[str, list[tuple[int, str]]] = {}
    for number, code, kind in session.exec(
        select(Series.id, Series.code, Series.type).order_by(col(Series.id).desc())
    ):
        found.setdefault(code, []).append((number or 0, kind))
    return found


def score(
    session: Session, watch: Watch, subject: Subject, known: dict[str, list[tuple[int, str]]], *, now: int
) -> Judged:
    """Of a watch for low scores or for a fall. Without answers in its weeks nothing can be said."""
    stop = day_start(now, 1)
    start = day_start(stop, -7 * watch.weeks)
    present = _newest(session, subject.where, known.get(watch.code, []), start, stop)
    if present is None:
        return UNKNOWN
    series, estimate = present
    facts: Facts = {"series": series[0], "start": start, "stop": stop} | _told(estimate)
    if watch.kind == LOW:
        below = estimate.high if watch.sure else estimate.value
        low = below < watch.threshold
        return Judged({0: facts | {"threshold": watch.threshold, "sure": watch.sure}} if low else {})
    assert watch.kind == FALL
    long_ago = day_start(start, -7 * WEEKS_BEFORE)
    before = _newest(session, subject.where, [series], long_ago, start)
    if before is None:
        return UNKNOWN
    fell = estimate.value < before[1].value and intervals.apart(estimate, before[1])
    return Judged({0: facts | {"before": _told(before[1]), "since": long_ago}} if fell else {})


def _newest(
    session: Session, where: Where, series: Sequence[tuple[int, str]], start: int, stop: int
) -> tuple[tuple[int, str], Estimate] | None:
    """The newest of these series with answers, and its headline as it is shown: points or percent."""
    found = totals(session, where, start, stop)
    for number, kind in series:
        estimate = headline(kind, found[number]) if number in found else None
        if estimate is not None:
            scale = 1 if kind in _POINTS else 100
            return (number, kind), Estimate(
                scale * estimate.value, scale * estimate.low, scale * estimate.high, estimate.n
            )
    return None


def _told(estimate: Estimate) -> Facts:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}
