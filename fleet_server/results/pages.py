"""The results pages: what was answered in a unit or at a place, for whoever leads or coordinates there.

They decide nothing about what may be shown: scores.py knows whole blocks only.
"""

from datetime import date as date_type
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.handling import question_pages
from fleet_server.handling.marking import STATES
from fleet_server.places.tree import trail
from fleet_server.results import subjects, texts
from fleet_server.results.course_charts import course
from fleet_server.results.freshness import freshness
from fleet_server.results.scores import withheld
from fleet_server.results.sources import sources
from fleet_server.results.spans import Span, as_of
from fleet_server.results.subjects import Subject
from fleet_server.results.summary import summary
from fleet_server.web.deps import Now, ReadSession, RowId
from fleet_server.web.forms import said
from fleet_server.web.i18n import language
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results", include_in_schema=False)
Reader = Annotated[Person, allow(Role.SUPERVISOR, Role.COORDINATOR)]
NEWEST_TEXTS = 5


class Shown(BaseModel):
    """What of a subject's results is to be shown: the time, with or without filtered answers.

    `until`: the last day, as in the link of a weekly mail; else today.
    """

    span: Span = "quarter"
    until: date_type | None = None
    filtered: Literal["", "with"] = ""


Choice = Annotated[Shown, Depends()]


def unit_subject(unit_id: RowId, person: Reader, session: ReadSession) -> Subject:
    """The unit of the address, when it is the reader's to see."""
    return _readable(person, subjects.of_unit(session, unit_id))


def place_subject(place_id: RowId, person: Reader, session: ReadSession) -> Subject:
    """The place of the address, when it is the reader's to see."""
    return _readable(person, subjects.of_place(session, place_id))


UnitSubject = Annotated[Subject, Depends(unit_subject)]
PlaceSubject = Annotated[Subject, Depends(place_subject)]


def _readable(person: Person, subject: Subject | None) -> Subject:
    if subject is None or not subjects.reads(person, subject.unit.path):
        raise HTTPException(404)
    return subject


@router.get("/units/{unit_id}")
def unit_results(
    request: Request, subject: UnitSubject, session: ReadSession, now: Now, choice: Choice
) -> Response:
    """What was answered in a unit and all below it."""
    return _page(request, session, subject, now, choice)


@router.get("/places/{place_id}")
def place_results(
    request: Request, subject: PlaceSubject, session: ReadSession, now: Now, choice: Choice
) -> Response:
    """What was answered at a place."""
    return _page(request, session, subject, now, choice)


def _page(request: Request, session: Session, subject: Subject, now: int, choice: Shown) -> Response:
    now = as_of(choice.until, now)
    with_filtered = bool(choice.filtered)
    found = summary(session, subject, choice.span, now=now, language=language(), with_filtered=with_filtered)
    chosen = found.period
    texts_found, written = texts.read(
        session,
        subject.where,
        chosen.starts[0],
        chosen.stop,
        with_filtered=with_filtered,
        limit=NEWEST_TEXTS,
    )
    rules = county.rules(session)
    above = trail(session, subject.unit, language())
    return render(
        request,
        "results/results.html",
        subject=subject,
        title=subject.place.name if subject.place else unit_name(subject.unit),
        address=subject.address,
        trail=above if subject.place else above[:-1],
        above=unit_name(subject.above) if subject.above else "",
        lines=[(line, course(line.item, chosen)) for line in found.lines],
        waiting=withheld(session, subject.unit.path, subject.place.id if subject.place else None),
        span=choice.span,
        until_query=f"&until={choice.until}" if choice.until else "",
        since=chosen.starts[0],
        until=chosen.stop - 1,
        with_filtered=with_filtered,
        k=rules.least_respondents,
        public=f"/p/{subject.place.code}/results" if subject.place and rules.public_results else "",
        said=said,
        fresh=freshness(session, subject, now=now),
        came=sources(
            session, subject, chosen, [line.item for line in found.lines], with_filtered=with_filtered
        ),
        texts=written,
        texts_found=texts_found,
        visitors=max((line.item.figures.answers for line in found.lines), default=0),
        handled=question_pages.newest(session, subject.where, chosen.starts[0]),
        states=STATES,
    )
