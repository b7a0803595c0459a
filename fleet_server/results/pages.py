"""The results pages: what was answered in a unit or at a place, for whoever leads or coordinates there.

They decide nothing about what may be shown: scores.py knows whole blocks only.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from babel.dates import format_skeleton
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.accounts import county
from fleet_server.accounts.access import Person, allow, may, visible_places, visible_units
from fleet_server.accounts.models import Role
from fleet_server.instants import local
from fleet_server.places.models import Place, Unit
from fleet_server.places.periods import day_start, month_start
from fleet_server.places.tree import trail
from fleet_server.results import texts
from fleet_server.results.items import Item, beside, items
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.scores import Where, withheld
from fleet_server.web.charts import LineChart, Mark, Sample, line_chart
from fleet_server.web.deps import Now, ReadSession, RowId
from fleet_server.web.forms import said
from fleet_server.web.i18n import LOCALES, language
from fleet_server.web.templating import date, number, render
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results", include_in_schema=False)
Reader = Annotated[Person, allow(Role.SUPERVISOR, Role.COORDINATOR)]
Span = Literal["month", "quarter", "year"]
Search = Annotated[str, Query(max_length=100)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
TEXTS_A_PAGE = 10
_WEEKS = {"month": 4, "quarter": 13}


@dataclass(frozen=True)
class Period:
    """Whole weeks or months up to now. `starts`: Finnish midnights; `stop`: the midnight that is to come."""

    starts: list[int]
    stop: int
    monthly: bool

    def begins(self, day: int) -> int:
        """The start of the period in which a Finnish midnight lies."""
        return month_start(day) if self.monthly else _monday(day)


def period(span: Span, now: int) -> Period:
    """The last 4 or 13 weeks from Monday on, or the last 12 months, the present one included."""
    stop = day_start(now, 1)
    if span == "year":
        starts = [month_start(now)]
        while len(starts) < 12:
            starts.insert(0, month_start(starts[0] - 1))
        return Period(starts, stop, monthly=True)
    monday = _monday(day_start(now))
    starts = [day_start(monday, -7 * back) for back in range(_WEEKS[span] - 1, -1, -1)]
    return Period(starts, stop, monthly=False)


def before(span: Span, chosen: Period) -> tuple[int, int]:
    """The time just before a period, as long as it."""
    start = chosen.starts[0]
    if span == "year":
        earlier = start
        for _ in range(12):
            earlier = month_start(earlier - 1)
        return earlier, start
    return day_start(start, -7 * _WEEKS[span]), start


def _monday(day: int) -> int:
    return day_start(day, -local(day).weekday())


@router.get("")
def front(request: Request, person: Reader, session: ReadSession, now: Now) -> Response:
    """The units and places that the reader may see, with their answers and NPS of the last 13 weeks."""
    chosen = period("quarter", now)
    units = session.exec(
        select(Unit).where(col(Unit.id).in_(visible_units(person))).order_by(col(Unit.path))
    ).all()
    units = [unit for unit in units if _reads(person, unit.path)]
    places = session.exec(
        select(Place).where(col(Place.id).in_(visible_places(person))).order_by(col(Place.name))
    ).all()
    rows: list[dict[str, Any]] = []
    least = min((unit.path.count("/") for unit in units), default=0)
    for unit in units:
        depth = unit.path.count("/") - least
        rows.append(
            {"name": unit_name(unit), "address": f"units/{unit.id}", "depth": depth, "demo": False}
            | _line(session, Where(UNIT, unit.id or 0), chosen)
        )
        for place in places:
            if place.unit_id == unit.id:
                rows.append(
                    {
                        "name": place.name,
                        "address": f"places/{place.id}",
                        "depth": depth + 1,
                        "demo": place.demo,
                    }
                    | _line(session, Where(PLACE, place.id or 0), chosen)
                )
    return render(request, "results/front.html", rows=rows, k=county.rules(session).least_respondents)


def _line(session: Session, where: Where, chosen: Period) -> dict[str, Any]:
    shown = items(
        session, where, [chosen.starts[0]], lambda _: chosen.starts[0], stop=chosen.stop, language=language()
    )
    score = next((item for item in shown if item.series.type == "nps"), None)
    return {"answers": max((item.figures.answers for item in shown), default=0), "nps": score}


@router.get("/units/{unit_id}")
def unit_results(
    request: Request,
    unit_id: RowId,
    person: Reader,
    session: ReadSession,
    now: Now,
    span: Span = "quarter",
    filtered: Literal["", "with"] = "",
    words: Search = "",
    page: PageNumber = 1,
) -> Response:
    """What was answered in a unit and all below it."""
    unit = session.get(Unit, unit_id)
    if unit is None or not _reads(person, unit.path):
        raise HTTPException(404)
    return _page(
        request,
        session,
        Where(UNIT, unit_id),
        now,
        span,
        bool(filtered),
        (words.strip(), page),
        title=unit_name(unit),
        address=f"/results/units/{unit_id}",
        trail=trail(session, unit, language())[:-1],
        above=_above(session, unit.parent_id),
        waiting=withheld(session, unit.path),
    )


@router.get("/places/{place_id}")
def place_results(
    request: Request,
    place_id: RowId,
    person: Reader,
    session: ReadSession,
    now: Now,
    span: Span = "quarter",
    filtered: Literal["", "with"] = "",
    words: Search = "",
    page: PageNumber = 1,
) -> Response:
    """What was answered at a place."""
    place = session.get(Place, place_id)
    unit = session.get(Unit, place.unit_id) if place else None
    if place is None or unit is None or not _reads(person, unit.path):
        raise HTTPException(404)
    return _page(
        request,
        session,
        Where(PLACE, place_id),
        now,
        span,
        bool(filtered),
        (words.strip(), page),
        title=place.name,
        address=f"/results/places/{place_id}",
        trail=trail(session, unit, language()),
        above=_above(session, place.unit_id),
        waiting=withheld(session, unit.path, place_id),
        demo=place.demo,
    )


def _above(session: Session, unit_id: int | None) -> Unit | None:
    """The unit to compare with. Its figures are sums of many; who may see a part may know how the whole does."""
    return session.get(Unit, unit_id) if unit_id is not None else None


def _reads(person: Person, unit_path: str) -> bool:
    return may(person, Role.SUPERVISOR, unit_path) or may(person, Role.COORDINATOR, unit_path)


def _page(
    request: Request,
    session: Session,
    where: Where,
    now: int,
    span: Span,
    with_filtered: bool,
    searched: tuple[str, int],
    above: Unit | None,
    **more: Any,
) -> Response:
    chosen = period(span, now)

    def of(where: Where, starts: list[int], stop: int) -> list[Item]:
        begins = chosen.begins if len(starts) > 1 else lambda _day: starts[0]
        return items(
            session, where, starts, begins, stop=stop, language=language(), with_filtered=with_filtered
        )

    shown = [item for item in of(where, chosen.starts, chosen.stop) if item.series.type != "text"]
    earlier = before(span, chosen)
    then = of(where, [earlier[0]], earlier[1])
    around = of(Where(UNIT, above.id or 0), [chosen.starts[0]], chosen.stop) if above else []
    words, page = searched
    found, written = texts.read(
        session,
        where,
        chosen.starts[0],
        chosen.stop,
        search=words,
        with_filtered=with_filtered,
        limit=TEXTS_A_PAGE,
        offset=(page - 1) * TEXTS_A_PAGE,
    )
    context: dict[str, Any] = {"demo": False} | more
    context |= {
        "items": [(item, _course(item, chosen), beside(item, then), beside(item, around)) for item in shown],
        "above": unit_name(above) if above else "",
        "span": span,
        "since": chosen.starts[0],
        "until": chosen.stop - 1,
        "with_filtered": with_filtered,
        "k": county.rules(session).least_respondents,
        "said": said,
        "words": words,
        "texts": written,
        "texts_found": found,
        "page": page,
        "pages": -(-found // TEXTS_A_PAGE),
        "has_places": where.scope == UNIT,
    }
    return render(request, "results/results.html", **context)


def _course(item: Item, chosen: Period) -> LineChart | None:
    samples = [
        Sample(
            date(point.start),
            point.headline.value if point.headline else None,
            point.headline.low if point.headline else None,
            point.headline.high if point.headline else None,
        )
        for point in item.course
    ]
    if sum(sample.mean is not None for sample in samples) < 2:
        return None
    step = 100 / len(samples)
    skeleton = "MMM" if chosen.monthly else "Md"
    marks = [
        Mark(step * (index + 0.5), format_skeleton(skeleton, local(point.start), locale=LOCALES[language()]))
        for index, point in enumerate(item.course)
        if index % (1 if len(samples) <= 6 else 3) == 0
    ]
    if item.series.type == "nps":
        return line_chart(samples, marks, lambda value: number(round(value)))
    return line_chart(samples, marks, lambda value: f"{number(round(100 * value))} %")
