"""The one query layer of what was answered: every page, export, mail and API asks here.

It reads sums of whole blocks and nothing else, so that no two answers of it can be set against each other to learn what
fewer than k visitors said. It knows nothing of who asks: that is decided before, by accounts/access.py. Its time grows
with the days asked for, not with the answers; whole weeks and months have sums of their own.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, func, select, union_all
from sqlmodel import Session, col

from fleet_server.answers import bulk
from fleet_server.db import among
from fleet_server.places.models import Place, Unit
from fleet_server.results.models import VALUES, Score, ScoreSpan, WaitingAnswer
from fleet_server.results.spans import DAY, Run, runs

_SCORES, _SPANS = bulk.table_of(Score), bulk.table_of(ScoreSpan)


class Figures(NamedTuple):
    """`answers`: visitors, `cant_say` of them; `values[v]`: how many chose value (of a choice: option) v."""

    answers: int
    cant_say: int
    values: tuple[int, ...]

    @property
    def said(self) -> int:
        """Those who did say: the denominator of shares and scores."""
        return self.answers - self.cant_say

    def plus(self, other: "Figures") -> "Figures":
        """Both together."""
        values = tuple(a + b for a, b in zip(self.values, other.values, strict=True))
        return Figures(self.answers + other.answers, self.cant_say + other.cant_say, values)

    def counts(self, values: Iterable[int]) -> dict[int, int]:
        """{value: answers} of these values."""
        return {value: self.values[value] for value in values}


NONE = Figures(0, 0, (0,) * len(VALUES))


@dataclass(frozen=True)
class Where:
    """Whose results: of a place, of a unit with all below it, or what everybody may see of a place.

    `scope`: PLACE, UNIT or PUBLIC of results/models.py.
    """

    scope: str
    id: int


def totals(
    session: Session, where: Where, start: int, stop: int, *, with_filtered: bool = False
) -> dict[int, Figures]:
    """{series: figures} of blocks that count for a day of [start, stop), two Finnish midnights."""
    found: dict[int, Figures] = {}
    for (series, _), figures in by_source(session, where, start, stop, with_filtered=with_filtered).items():
        found[series] = found.get(series, NONE).plus(figures)
    return found


def by_source(
    session: Session, where: Where, start: int, stop: int, *, with_filtered: bool = False
) -> dict[tuple[int, str], Figures]:
    """{(series, source): figures}; sources are devices of a place, channels of a unit, "" of what is public."""
    found: dict[tuple[int, str], Figures] = {}
    for run in runs(start, stop, lambda _day: start):
        table, _, within = _within(run, where.scope, with_filtered)
        rows = session.connection().execute(
            select(table.c.series_id, table.c.source, *_sums(table))
            .where(within, table.c.scope_id == where.id)
            .group_by(table.c.series_id, table.c.source)
        )
        for series, source, *sums in rows:
            found[series, source] = found.get((series, source), NONE).plus(_figures(sums))
    return found


def over_time(
    session: Session,
    where: Where,
    start: int,
    stop: int,
    begins: Callable[[int], int],
    *,
    with_filtered: bool = False,
) -> dict[int, dict[int, Figures]]:
    """{series: {start of a period: figures}}, periods without any left out; `begins` gives a midnight its period's."""
    found: dict[int, dict[int, Figures]] = {}
    for run in runs(start, stop, begins):
        table, begin, within = _within(run, where.scope, with_filtered)
        rows = session.connection().execute(
            select(table.c.series_id, begin, *_sums(table))
            .where(within, table.c.scope_id == where.id)
            .group_by(table.c.series_id, begin)
            .order_by(begin)
        )
        for series, at, *sums in rows:
            periods = found.setdefault(series, {})
            period = begins(at)
            periods[period] = periods.get(period, NONE).plus(_figures(sums))
    return found


def most_answers(session: Session, scope: str, ids: Iterable[int], start: int, stop: int) -> dict[int, int]:
    """{id: answers to the question that most visitors answered} of many units or places at once."""
    parts = []
    for run in runs(start, stop, lambda _day: start):
        table, _, within = _within(run, scope, with_filtered=False)
        parts.append(
            select(table.c.scope_id, table.c.series_id, table.c.answers).where(
                within, among(table.c.scope_id, "ids")
            )
        )
    each = union_all(*parts).subquery()
    answers = func.sum(each.c.answers).label("answers")
    by_series = select(each.c.scope_id, answers).group_by(each.c.scope_id, each.c.series_id).subquery()
    rows = session.connection().execute(
        select(by_series.c.scope_id, func.max(by_series.c.answers)).group_by(by_series.c.scope_id),
        {"ids": json.dumps(sorted(ids))},
    )
    return {scope_id: int(most) for scope_id, most in rows}


def of_many(
    session: Session,
    scope: str,
    ids: Iterable[int],
    start: int,
    stop: int,
    *,
    series: Iterable[int] | None = None,
    with_filtered: bool = False,
) -> dict[int, dict[int, Figures]]:
    """{id: {series: figures}} of many units or places at once; those without any are left out.

    `series`: of these alone.
    """
    found: dict[int, dict[int, Figures]] = {}
    of_these = None if series is None else list(series)
    wanted = {"ids": json.dumps(sorted(ids))}
    for run in runs(start, stop, lambda _day: start):
        table, _, within = _within(run, scope, with_filtered)
        if of_these is not None:
            within &= table.c.series_id.in_(of_these)
        rows = session.connection().execute(
            select(table.c.scope_id, table.c.series_id, *_sums(table))
            .where(within, among(table.c.scope_id, "ids"))
            .group_by(table.c.scope_id, table.c.series_id),
            wanted,
        )
        for scope_id, number, *sums in rows:
            of_one = found.setdefault(scope_id, {})
            of_one[number] = of_one.get(number, NONE).plus(_figures(sums))
    return found


def withheld(session: Session, unit_path: str, place_id: int | None = None) -> int:
    """How many settled answers of a unit (or one place of it) wait for others before they are released."""
    query = select(func.count()).select_from(WaitingAnswer).where(col(WaitingAnswer.filtered).is_(False))
    if place_id is not None:
        query = query.where(col(WaitingAnswer.place_id) == place_id)
    else:
        below = select(col(Place.id)).where(col(Place.demo).is_(False), _below(unit_path))
        query = query.where(col(WaitingAnswer.place_id).in_(below))
    return int(session.connection().execute(query).scalar_one())


def _below(unit_path: str) -> ColumnElement[bool]:
    units = select(col(Unit.id)).where(col(Unit.path).startswith(unit_path))
    return col(Place.unit_id).in_(units)


def _within(run: Run, scope: str, with_filtered: bool) -> tuple[Table, Column[Any], ColumnElement[bool]]:
    """The table in which a run is found, its column of time, and the condition."""
    kinds = (False, True) if with_filtered else (False,)
    table, begin = (_SCORES, _SCORES.c.day) if run.grain == DAY else (_SPANS, _SPANS.c.start)
    within = (
        (table.c.scope == scope) & table.c.filtered.in_(kinds) & (begin >= run.start) & (begin < run.stop)
    )
    return table, begin, within if run.grain == DAY else within & (_SPANS.c.grain == run.grain)


def _sums(table: Table) -> tuple[ColumnElement[int], ...]:
    return tuple(func.sum(table.c[name]) for name in ("answers", "cant_say", *VALUES))


def _figures(sums: Iterable[Any]) -> Figures:
    answers, cant_say, *values = (int(one or 0) for one in sums)
    return Figures(answers, cant_say, tuple(values))
