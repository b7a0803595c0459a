"""The page of a unit's or place's texts, found by words, theme and state; marking a page of them as read.

It changes nothing but marks: what is done with one text is on its own page (text_pages.py).
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session, col, select

from fleet_server.accounts import county
from fleet_server.accounts.access import WHOLE_COUNTY, may
from fleet_server.accounts.models import Role
from fleet_server.handling import finding, marking, reading_list, themes
from fleet_server.handling.finding import Wanted
from fleet_server.handling.models import Theme
from fleet_server.handling.reach import Kind, Reader, back, subject_of, text_of, title_of
from fleet_server.places.models import Place, Unit
from fleet_server.places.periods import day_start
from fleet_server.places.tree import trail
from fleet_server.refusals import N_
from fleet_server.results.spans import Span, period
from fleet_server.results.subjects import Subject
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import row_id
from fleet_server.web.i18n import language
from fleet_server.web.templating import render

router = APIRouter(prefix="/results", include_in_schema=False)
TEXTS_A_PAGE = 20
_KEPT = ("span", "filtered", "words", "theme", "state", "page")
CHOICES = {
    "": N_("All"),
    marking.UNREAD: N_("Not yet read"),
    **marking.STATES,
    finding.NAMES: N_("May name a person"),
}


class Filters(BaseModel):
    """Which texts are to be shown."""

    span: Span | Literal["kept"] = "quarter"
    filtered: Literal["", "with"] = ""
    words: str = Query("", max_length=100)
    theme: str = Query("", max_length=12)
    state: Literal["", "unread", "read", "discussed", "acted", "names"] = ""
    page: int = Query(1, ge=1, le=10_000)
    done: str = ""
    at: str = ""
    text: str = ""


@router.get("/{kind}/{subject_id}/texts")
def texts(
    request: Request,
    kind: Kind,
    subject_id: RowId,
    person: Reader,
    session: ReadSession,
    now: Now,
    filters: Annotated[Filters, Depends()],
) -> Response:
    """The texts of a unit with all below it, or of a place."""
    subject = subject_of(session, person, kind, subject_id)
    start, stop = _time(session, filters, now)
    wanted = Wanted(filters.words.strip(), row_id(filters.theme), filters.state, bool(filters.filtered))
    found = finding.find(session, subject.where, start, stop, wanted, limit=TEXTS_A_PAGE, page=filters.page)
    forgotten = marking.of_forgotten(session, _places(subject))
    above = trail(session, subject.unit, language())
    return render(
        request,
        "handling/texts.html",
        subject=subject,
        title=title_of(subject),
        trail=above if subject.place else above[:-1],
        address=f"{subject.address}/texts",
        chosen=filters,
        query=_query(filters),
        since=start,
        until=stop - 1,
        found=found,
        pages=-(-found.count // TEXTS_A_PAGE),
        states=marking.STATES,
        choices=CHOICES,
        on_list=reading_list.texts_of(session, person),
        may_keep_themes=may(person, Role.COORDINATOR, WHOLE_COUNTY),
        forgotten=[(row, session.get_one(Place, row.scope_id).name) for row in forgotten],
        theme_name=theme_name,
    )


def _time(session: Session, filters: Filters, now: int) -> tuple[int, int]:
    """Two Finnish midnights; `kept`: as long as the county keeps texts."""
    if filters.span != "kept":
        chosen = period(filters.span, now)
        return chosen.starts[0], chosen.stop
    return day_start(now, -county.rules(session).texts_kept_days), day_start(now, 1)


def theme_name(theme: Theme) -> str:
    """In the language of the request."""
    return themes.name_in(theme, language())


def _query(filters: Filters) -> Callable[..., str]:
    """Makes the address's query with some of the filters replaced; what is as it always is stays out of it."""
    usual = Filters.model_construct(span="quarter", filtered="", words="", theme="", state="", page=1)

    def query(**other: Any) -> str:
        values = {name: other.get(name, getattr(filters, name)) for name in _KEPT}
        return "?" + urlencode(
            {name: value for name, value in values.items() if value != getattr(usual, name)}
        )

    return query


@router.post("/{kind}/{subject_id}/texts/read")
def read_all(
    kind: Kind,
    subject_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    text: Annotated[list[int] | None, Form(max_length=TEXTS_A_PAGE)] = None,
    next: Annotated[str, Form()] = "/results",  # noqa: A002
) -> Response:
    """Mark those texts of a page as read that nobody read yet."""
    subject_of(session, person, kind, subject_id)
    rows = [text_of(session, person, one)[0] for one in sorted(set(text or []))]
    marked = marking.mark_all_read(session, person, rows, now=now)
    return back(next, done="all" if marked else "", at=now)


@router.post("/texts/undo")
def undo(
    person: Reader,
    session: WriteSession,
    now: Now,
    at: Annotated[int, Form(ge=0, le=2**53)],
    next: Annotated[str, Form()] = "/results",  # noqa: A002
) -> Response:
    """Take back what this person marked at this instant."""
    undone = marking.undo(session, person, at=at, now=now)
    return back(next, done="undone" if undone else "too-late")


def _places(subject: Subject) -> Any:
    if subject.place:
        return select(Place.id).where(col(Place.id) == subject.place.id)
    below = select(Unit.id).where(col(Unit.path).startswith(subject.unit.path))
    return select(Place.id).where(col(Place.unit_id).in_(below), col(Place.demo).is_(False))
