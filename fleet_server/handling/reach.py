"""Whose texts and notes a person may read, mark and write: what the pages of handling ask before anything else.

What a person may not read is not there: 404. Who reads may mark; only who leads there blacks out and publishes.
"""

from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import HTTPException
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from fleet_server.accounts.access import Person, allow, may, require
from fleet_server.accounts.models import Role
from fleet_server.results import subjects
from fleet_server.results.models import PLACE, ReleasedText
from fleet_server.results.scores import Where
from fleet_server.results.subjects import Subject
from fleet_server.web.forms import local_address
from fleet_server.web.units import unit_name

Reader = Annotated[Person, allow(Role.SUPERVISOR, Role.COORDINATOR)]
Kind = Literal["units", "places"]


def subject_of(session: Session, person: Person, kind: str, subject_id: int) -> Subject:
    """The unit or place of an address, when it is this person's to read."""
    of = {"units": subjects.of_unit, "places": subjects.of_place}.get(kind)
    subject = of(session, subject_id) if of else None
    if subject is None or not subjects.reads(person, subject.unit.path):
        raise HTTPException(404)
    return subject


def subject_at(session: Session, person: Person, where: Where) -> Subject:
    """The same by what is written in a table."""
    return subject_of(session, person, "places" if where.scope == PLACE else "units", where.id)


def text_of(session: Session, person: Person, text_id: int) -> tuple[ReleasedText, Subject]:
    """A released text and its place, when they are this person's to read."""
    row = session.get(ReleasedText, text_id)
    if row is None:
        raise HTTPException(404)
    return row, subject_of(session, person, "places", row.place_id)


def leads(person: Person, subject: Subject) -> bool:
    """Whether this person leads the unit."""
    return may(person, Role.SUPERVISOR, subject.unit.path)


def require_lead(person: Person, subject: Subject) -> None:
    """Raises NotAllowed unless they do."""
    require(person, subject.unit.path, Role.SUPERVISOR)


def title_of(subject: Subject) -> str:
    """The place's or unit's name in the language of the request."""
    return subject.place.name if subject.place else unit_name(subject.unit)


def back(address: str, fragment: str = "", **more: object) -> RedirectResponse:
    """To the page that a form came from, with what it is to say now in the query: `done`, `at`, `text`."""
    parts = urlsplit(local_address(address))
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("done", "at", "text")]
    query = urlencode([*kept, *((name, str(value)) for name, value in more.items())])
    return RedirectResponse(f"{parts.path}?{query}{'#' if fragment else ''}{fragment}", 303)
