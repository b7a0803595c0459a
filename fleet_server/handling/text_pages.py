"""The page of one text: how far it was handled, with a note; words blacked out; onto the reading list and off it."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from fleet_server.accounts.access import Person
from fleet_server.handling import blacking, finding, marking, reading_list
from fleet_server.handling.reach import Reader, back, leads, require_lead, text_of, title_of
from fleet_server.handling.texts_pages import theme_name
from fleet_server.refusals import Refused
from fleet_server.results import texts
from fleet_server.results.models import ReleasedText
from fleet_server.results.subjects import Subject
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import local_address, messages
from fleet_server.web.templating import render

router = APIRouter(prefix="/results/texts", include_in_schema=False)
Next = Annotated[str, Form()]


@router.get("/{text_id}")
def one(
    request: Request,
    text_id: RowId,
    person: Reader,
    session: ReadSession,
    next: str = "",  # noqa: A002
    done: str = "",
) -> Response:
    """One text with all that can be done with it."""
    row, subject = text_of(session, person, text_id)
    return _page(request, session, person, row, subject, next, done=done)


@router.post("/{text_id}/mark")
def mark(
    request: Request,
    text_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    state: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    next: Next = "",  # noqa: A002
) -> Response:
    """Say how far it was handled."""
    row, subject = text_of(session, person, text_id)
    try:
        marking.mark_text(session, person, row, state, note, now=now)
    except Refused as refused:
        typed = {"state": state, "note": note}
        errors = messages(refused)
        return _page(request, session, person, row, subject, next, typed=typed, errors=errors)
    address = next or f"{subject.address}/texts"
    return back(address, f"text-{text_id}", done="marked", at=now, text=text_id)


@router.post("/{text_id}/black-out")
def black_out(
    request: Request,
    text_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    word: Annotated[list[int] | None, Form(max_length=1_000)] = None,
    seen: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
    next: Next = "",  # noqa: A002
) -> Response:
    """Black out words of it for good."""
    row, subject = text_of(session, person, text_id)
    require_lead(person, subject)
    words = set(word or [])
    try:
        blacking.black_out(session, person, row, words, seen=seen, confirmed=bool(confirmed), now=now)
    except Refused as refused:
        errors = messages(refused)
        kept = words if seen == blacking.mark(row.text) else set()
        return _page(request, session, person, row, subject, next, errors=errors, words=kept)
    return back(f"/results/texts/{text_id}", done="blacked", next=local_address(next) if next else "")


@router.post("/{text_id}/reading-list")
def onto_reading_list(
    text_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    on: Annotated[str, Form()] = "",
    next: Next = "",  # noqa: A002
) -> Response:
    """Onto the person's reading list, or off it."""
    _row, subject = text_of(session, person, text_id)
    if on:
        reading_list.add(session, person, text_id, now=now)
    else:
        reading_list.take_off(session, person, [text_id], now=now)
    done = "listed" if on else "unlisted"
    return back(next or f"{subject.address}/texts", f"text-{text_id}", done=done, text=text_id)


def _page(
    request: Request,
    session: Session,
    person: Person,
    row: ReleasedText,
    subject: Subject,
    next_address: str,
    *,
    done: str = "",
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    words: set[int] | None = None,
) -> Response:
    this: ColumnElement[bool] = col(ReleasedText.id) == row.id
    shown = finding.shown(session, [text for text, _place in texts.chosen(session, this)])[0]
    state: dict[str, Any] = {"state": marking.READ, "note": ""}
    if shown.handled:
        state = {"state": shown.handled.state, "note": shown.handled.note}
    return render(
        request,
        "handling/text.html",
        422 if errors else 200,
        subject=subject,
        title=title_of(subject),
        shown=shown,
        next=local_address(next_address) if next_address else f"{subject.address}/texts",
        states=marking.STATES,
        most=marking.LONGEST_NOTE,
        typed=typed or state,
        errors=errors or {},
        on_list=row.id in reading_list.texts_of(session, person),
        may_lead=leads(person, subject),
        parts=blacking.parts(row.text),
        seen=blacking.mark(row.text),
        words=words or set(),
        done=done,
        theme_name=theme_name,
    )
