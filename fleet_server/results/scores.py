"""The one query layer of what was answered: every page, export, mail and API asks here.

It reads sums of whole blocks and nothing else, so that no two answers of it can be set against each other to learn what
fewer than k visitors said. It knows nothing of who asks: that is decided before, by accounts/access.py. Its time grows
with the days asked for, not with the answers; whole weeks and months have sums of their own.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, select, union_all
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
        sums = _sums(run.grain, with_filtered, ("series_id", "source"))
        for series, source, *figures in _rows(session, sums, run, where.scope, id=where.id):
            found[series, source] = found.get((series, source), NONE).plus(_figures(figures))
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
        sums = _sums(run.grain, with_filtered, (_time_of(run.grain), "series_id"))
        for at, series, *figures in _rows(session, sums, run, where.scope, id=where.id):
            periods = found.setdefault(series, {})
            period = begins(at)
            periods[period] = periods.get(period, NONE).plus(_figures(figures))
    return found


def most_answers(session: Session, scope: str, ids: Iterable[int], start: int, stop: int) -> dict[int, int]:
    """{id: answers to the question that most visitors answered} of many units or places at once."""
    parts = runs(start, stop, lambda _day: start)
    values: dict[str, Any] = {"scope": scope, "ids": json.dumps(sorted(ids))}
    for number, run in enumerate(parts):
        values |= {f"start{number}": run.start, f"stop{number}": run.stop}
    rows = session.connection().execute(_most(tuple(run.grain for run in parts)), values)
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
    wanted: dict[str, Any] = {"ids": json.dumps(sorted(ids))}
    if series is not None:
        wanted["series"] = sorted(series)
    keys = ("scope_id", "series_id")
    for run in runs(start, stop, lambda _day: start):
        sums = _sums(run.grain, with_filtered, keys, many=True, chosen=series is not None)
        for scope_id, number, *figures in _rows(session, sums, run, scope, **wanted):
            of_one = found.setdefault(scope_id, {})
            of_one[number] = of_one.get(number, NONE).plus(_figures(figures))
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


def _rows(session: Session, statement: Select[Any], run: Run, scope: str, **values: Any) -> Iterable[Any]:
    values |= {"scope": scope, "start": run.start, "stop": run.stop}
    return session.connection().execute(statement, values)


# Making such a statement takes SQLAlchemy longer than the database takes to answer it; each is made once.
@cache
def _sums(
    grain: str, with_filtered: bool, keys: tuple[str, ...], *, many: bool = False, chosen: bool = False
) -> Select[Any]:
    """The sums of a run, apart by `keys`, in their order: of the scope's `id` or of many `ids`; of chosen `series`."""
    table, within = _within(grain, with_filtered)
    within &= among(table.c.scope_id, "ids") if many else table.c.scope_id == bindparam("id")
    if chosen:
        within &= table.c.series_id.in_(bindparam("series", expanding=True))
    apart = [table.c[name] for name in keys]
    sums = [func.sum(table.c[name]) for name in ("answers", "cant_say", *VALUES)]
    return select(*apart, *sums).where(within).group_by(*apart).order_by(*apart)


@cache
def _most(grains: tuple[str, ...]) -> Select[Any]:
    """Of each of `ids` the answers of the series that has most of them, over runs of these grains."""
    parts = []
    for number, grain in enumerate(grains):
        table, within = _within(grain, False, str(number))
        named = select(table.c.scope_id, table.c.series_id, table.c.answers)
        parts.append(named.where(within, among(table.c.scope_id, "ids")))
    each = union_all(*parts).subquery()
    answers = func.sum(each.c.answers).label("answers")
    by_series = select(each.c.scope_id, answers).group_by(each.c.scope_id, each.c.series_id).subquery()
    return select(by_series.c.scope_id, func.max(by_series.c.answers)).group_by(by_series.c.scope_id)


def _within(grain: str, with_filtered: bool, number: str = "") -> tuple[Table, ColumnElement[bool]]:
    """The table in which a run of this grain is found, and the condition: `scope`, from `start` to before `stop`."""
    table = _SCORES if grain == DAY else _SPANS
    begin = table.c[_time_of(grain)]
    within = (
        (table.c.scope == bindparam("scope"))
        & (table.c.filtered.in_((False, True)) if with_filtered else table.c.filtered.is_(False))
        & (begin >= bindparam(f"start{number}"))
        & (begin < bindparam(f"stop{number}"))
    )
    return table, within if grain == DAY else within & (_SPANS.c.grain == grain)


def _time_of(grain: str) -> str:
    return "day" if grain == DAY else "start"


def _figures(sums: Iterable[Any]) -> Figures:
    answers, cant_say, *values = (int(one or 0) for one in sums)
    return Figures(answers, cant_say, tuple(values))
