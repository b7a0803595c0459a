"""The first of the results pages: units with their answers and NPS, each with its places below it when they are wanted.

A county has hundreds of places. Whoever reads more of them than a screen or two holds opens them unit by unit.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.accounts import county
from fleet_server.accounts.access import Person, visible_places, visible_units
from fleet_server.places.models import Place, Unit
from fleet_server.results import subjects
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.pages import Reader
from fleet_server.results.spans import period
from fleet_server.results.standing import Standing, standings
from fleet_server.web.deps import Now, ReadSession
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results", include_in_schema=False)
ALL = "all"
_AT_ONCE = 40  # so many places are listed without being asked for


@router.get("")
def front(
    request: Request,
    person: Reader,
    session: ReadSession,
    now: Now,
    opened: Annotated[str, Query(alias="open")] = "",
) -> Response:
    """The units and places that the reader may see, with their answers and NPS of the last 13 weeks.

    `open`: the unit whose places are listed, or `all`; of no account when the reader sees few places.
    """
    chosen = period("quarter", now)
    units = session.exec(
        select(Unit).where(col(Unit.id).in_(visible_units(person))).order_by(col(Unit.path))
    ).all()
    units = [unit for unit in units if subjects.reads(person, unit.path)]
    amounts = _amounts(session, person)
    folded = sum(amounts.values()) > _AT_ONCE
    places = _places(session, person, opened if folded else ALL)
    of_units = standings(session, UNIT, [unit.id or 0 for unit in units], chosen)
    of_places = standings(session, PLACE, [place.id or 0 for place in places], chosen)
    within: dict[int, list[Place]] = {}
    for place in places:
        within.setdefault(place.unit_id, []).append(place)
    rows: list[dict[str, Any]] = []
    least = min((unit.path.count("/") for unit in units), default=0)
    for unit in units:
        number, depth = unit.id or 0, unit.path.count("/") - least
        row = _row(unit_name(unit), f"units/{number}", depth, of_units.get(number))
        rows.append(row | {"unit": number, "places": amounts.get(number, 0), "open": number in within})
        for place in within.get(number, ()):
            of_place = of_places.get(place.id or 0)
            rows.append(_row(place.name, f"places/{place.id}", depth + 1, of_place, demo=place.demo))
    return render(
        request,
        "results/front.html",
        rows=rows,
        folded=folded,
        opened=opened,
        k=county.rules(session).least_respondents,
        national=subjects.coordinates_county(session, person),
    )


def _amounts(session: Session, person: Person) -> dict[int, int]:
    """{unit: how many places of its own the reader sees}."""
    query = select(Place.unit_id, func.count()).where(col(Place.id).in_(visible_places(person)))
    return dict(session.exec(query.group_by(col(Place.unit_id))).all())


def _places(session: Session, person: Person, opened: str) -> list[Place]:
    query = select(Place).where(col(Place.id).in_(visible_places(person))).order_by(col(Place.name))
    if opened == ALL:
        return list(session.exec(query))
    if not (opened.isascii() and opened.isdigit() and len(opened) < 10):
        return []
    return list(session.exec(query.where(Place.unit_id == int(opened))))


def _row(
    name: str, address: str, depth: int, standing: Standing | None, *, demo: bool = False
) -> dict[str, Any]:
    standing = standing or Standing()
    row: dict[str, Any] = {"name": name, "address": address, "depth": depth, "demo": demo, "unit": None}
    return row | {"answers": standing.answers, "nps": standing.nps}
