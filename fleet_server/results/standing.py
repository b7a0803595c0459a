"""The headlines of many units and places side by side, in a fixed number of queries. It ranks nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.results.intervals import Estimate
from fleet_server.results.items import headline
from fleet_server.results.models import Series
from fleet_server.results.scores import Figures, most_answers, of_many
from fleet_server.results.spans import Period


@dataclass(frozen=True)
class Lead:
    """A question's headline, in the shape that the pages' macros take."""

    series: Series
    headline: Estimate | None


@dataclass(frozen=True)
class Standing:
    """`answers`: of the question that most visitors answered; `nps`: of the newest wording that has answers."""

    answers: int = 0
    nps: Lead | None = None


def standings(session: Session, scope: str, ids: Iterable[int], chosen: Period) -> dict[int, Standing]:
    """{id: standing} of these units or places; those without an answer in the period are left out."""
    numbers = list(ids)
    series = {row.id or 0: row for row in session.exec(select(Series).where(col(Series.type) == "nps"))}
    start, stop = chosen.starts[0], chosen.stop
    nps = of_many(session, scope, numbers, start, stop, series=series) if series else {}
    return {
        scope_id: Standing(answers, _lead(nps.get(scope_id, {}), series))
        for scope_id, answers in most_answers(session, scope, numbers, start, stop).items()
    }


def _lead(figures: dict[int, Figures], nps: dict[int, Series]) -> Lead | None:
    newest = max(figures, default=None)
    return Lead(nps[newest], headline("nps", figures[newest])) if newest is not None else None
