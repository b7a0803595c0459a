"""The headlines of many units and places side by side, in a fixed number of queries. It ranks nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.results.intervals import Estimate
from fleet_server.results.items import headline
from fleet_server.results.models import Series
from fleet_server.results.scores import Figures, of_many
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
    found = of_many(session, scope, ids, chosen.starts[0], chosen.stop)
    series = {row.id or 0: row for row in session.exec(select(Series).where(col(Series.type) == "nps"))}
    return {scope_id: _standing(figures, series) for scope_id, figures in found.items()}


def _standing(figures: dict[int, Figures], nps: dict[int, Series]) -> Standing:
    newest = max((series for series in figures if series in nps), default=None)
    lead = Lead(nps[newest], headline("nps", figures[newest])) if newest is not None else None
    return Standing(max((one.answers for one in figures.values()), default=0), lead)
