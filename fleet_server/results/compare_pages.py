"""The page that sets a unit's parts beside each other: who is above or below the whole beyond chance.

It ranks nobody whose difference may be chance: see ranking.py.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.accounts import county
from fleet_server.places.models import Place, Unit
from fleet_server.places.tree import trail
from fleet_server.results.items import HEADLINES, text_of
from fleet_server.results.models import PLACE, UNIT, Series
from fleet_server.results.pages import UnitSubject
from fleet_server.results.ranking import Group, Part, rank
from fleet_server.results.scores import NONE, Figures, of_many, totals
from fleet_server.results.spans import Span, period
from fleet_server.web.deps import Now, ReadSession
from fleet_server.web.i18n import language
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results", include_in_schema=False)
Below = Literal["parts", "places"]


@dataclass(frozen=True)
class Row:
    """A part of the unit. `low`, `high`, `at`: its interval and figure on the drawn scale, percent from the left."""

    name: str
    address: str
    part: Part
    low: float
    high: float
    at: float


@router.get("/units/{unit_id}/compare")
def compare_below(
    request: Request,
    subject: UnitSubject,
    session: ReadSession,
    now: Now,
    span: Span = "quarter",
    below: Below = "parts",
    question: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """The units and places directly below a unit, or all places below it, by one question."""
    chosen = period(span, now)
    start, stop = chosen.starts[0], chosen.stop
    whole = totals(session, subject.where, start, stop)
    asked = _questions(session, whole)
    shown = next((one for one in asked if one.id == question), asked[0] if asked else None)
    units = [] if below == "places" else _units(session, subject.unit)
    places = _places(session, subject.unit, below)
    context: dict[str, Any] = {"groups": {}, "ranking": None, "silent": [], "scale": ()}
    if shown is not None:
        context = _context(session, shown, whole[shown.id or 0], units, places, start, stop)
    return render(
        request,
        "results/compare.html",
        subject=subject,
        title=unit_name(subject.unit),
        trail=trail(session, subject.unit, language())[:-1],
        span=span,
        below=below,
        nested=bool(units) if below == "parts" else bool(_units(session, subject.unit)),
        since=start,
        until=stop - 1,
        questions=[(one, text_of(one, language())) for one in asked],
        shown=shown,
        figure=HEADLINES[shown.type] if shown else "",
        k=county.rules(session).least_respondents,
        **context,
    )


def _questions(session: Session, whole: dict[int, Figures]) -> list[Series]:
    """Those with a headline, NPS first; newer wordings before older ones of a code."""
    rows = session.exec(
        select(Series).where(col(Series.id).in_(whole), col(Series.type).in_(HEADLINES))
    ).all()
    return sorted(rows, key=lambda one: (one.type != "nps", one.code, -(one.id or 0)))


def _units(session: Session, unit: Unit) -> list[Unit]:
    found = session.exec(select(Unit).where(Unit.parent_id == unit.id)).all()
    return sorted(found, key=lambda one: unit_name(one).casefold())


def _places(session: Session, unit: Unit, below: Below) -> list[Place]:
    query = select(Place).where(col(Place.demo).is_(False)).order_by(col(Place.name), col(Place.id))
    if below == "parts":
        return list(session.exec(query.where(Place.unit_id == unit.id)))
    units = select(col(Unit.id)).where(col(Unit.path).startswith(unit.path))
    return list(session.exec(query.where(col(Place.unit_id).in_(units))))


def _context(
    session: Session,
    series: Series,
    whole: Figures,
    units: list[Unit],
    places: list[Place],
    start: int,
    stop: int,
) -> dict[str, Any]:
    number = series.id or 0
    of_units = of_many(session, UNIT, [unit.id or 0 for unit in units], start, stop, series=[number])
    of_places = of_many(session, PLACE, [place.id or 0 for place in places], start, stop, series=[number])
    parts = [
        *((unit_name(one), f"units/{one.id}", of_units.get(one.id or 0)) for one in units),
        *((one.name, f"places/{one.id}", of_places.get(one.id or 0)) for one in places),
    ]
    ranking = rank(series.type, whole, [(figures or {}).get(number, NONE) for _, _, figures in parts])
    if ranking is None:
        return {"groups": {}, "ranking": None, "silent": [], "scale": ()}
    drawn = [ranking.whole, *(part.estimate for part in ranking.parts if part)]
    bottom, top = min(one.low for one in drawn), max(one.high for one in drawn)
    width = (top - bottom) or 1.0

    def across(value: float) -> float:
        return round(2 + 96 * (value - bottom) / width, 2)

    groups: dict[Group, list[Row]] = {"above": [], "alike": [], "below": []}
    silent: list[str] = []
    for (name, address, _), part in zip(parts, ranking.parts, strict=True):
        if part is None:
            silent.append(name)
            continue
        one = part.estimate
        groups[part.group].append(
            Row(name, address, part, across(one.low), across(one.high), across(one.value))
        )
    return {
        "groups": groups,
        "ranking": ranking,
        "silent": silent,
        "scale": (bottom, top, across(ranking.whole.value)),
    }
