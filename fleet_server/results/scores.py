"""The one query layer of what was answered: every page, export, mail and API asks here.

It reads sums of whole blocks and nothing else, so that no two answers of it can be set against each other to learn what
fewer than k visitors said. It knows nothing of who asks: that is decided before, by accounts/access.py. Its time grows
with the days asked for, not with the answers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from fleet_server.answers import bulk
from fleet_server.places.models import Place, Unit
from fleet_server.results.models import VALUES, Score, WaitingAnswer

_SCORES = bulk.table_of(Score)
_SUMS = tuple(func.sum(_SCORES.c[name]) for name in ("answers", "cant_say", *VALUES))


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
    rows = session.connection().execute(
        select(_SCORES.c.series_id, _SCORES.c.source, *_SUMS)
        .where(_within(where, start, stop, with_filtered))
        .group_by(_SCORES.c.series_id, _SCORES.c.source)
    )
    return {(series, source): _figures(sums) for series, source, *sums in rows}


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
    rows = session.connection().execute(
        select(_SCORES.c.series_id, _SCORES.c.day, *_SUMS)
        .where(_within(where, start, stop, with_filtered))
        .group_by(_SCORES.c.series_id, _SCORES.c.day)
        .order_by(_SCORES.c.day)
    )
    found: dict[int, dict[int, Figures]] = {}
    for series, day, *sums in rows:
        periods = found.setdefault(series, {})
        period = begins(day)
        periods[period] = periods.get(period, NONE).plus(_figures(sums))
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


def _within(where: Where, start: int, stop: int, with_filtered: bool) -> ColumnElement[bool]:
    kinds = (False, True) if with_filtered else (False,)
    return (
        (_SCORES.c.scope == where.scope)
        & (_SCORES.c.scope_id == where.id)
        & _SCORES.c.filtered.in_(kinds)
        & (_SCORES.c.day >= start)
        & (_SCORES.c.day < stop)
    )


def _figures(sums: Iterable[Any]) -> Figures:
    answers, cant_say, *values = (int(one or 0) for one in sums)
    return Figures(answers, cant_say, tuple(values))
