"""“You said, we did” of a unit or place: written, published and withdrawn by who leads there."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person
from fleet_server.handling import on_kiosks, said
from fleet_server.handling.models import SaidAndDid
from fleet_server.handling.reach import (
    Kind,
    Reader,
    leads,
    require_lead,
    subject_at,
    subject_of,
    text_of,
    title_of,
)
from fleet_server.refusals import Refused
from fleet_server.results.scores import Where
from fleet_server.results.subjects import Subject
from fleet_server.schedules.pages import tell
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write
from fleet_server.web.forms import messages, row_id
from fleet_server.web.i18n import language
from fleet_server.web.templating import render

router = APIRouter(prefix="/results", include_in_schema=False)


@router.get("/{kind}/{subject_id}/said-and-did")
def listed(
    request: Request,
    kind: Kind,
    subject_id: RowId,
    person: Reader,
    session: ReadSession,
    now: Now,
    done: str = "",
) -> Response:
    """All of a unit or place, published or not, and which kiosks show them."""
    subject = subject_of(session, person, kind, subject_id)
    found = said.of_subject(session, subject.where)
    kiosks = on_kiosks.kiosks_of(session, subject.where) if any(row.on_kiosks for row in found) else []
    return render(
        request,
        "handling/said_list.html",
        subject=subject,
        title=title_of(subject),
        rows=[
            (row, said.in_language(row, language()), said.languages_of(row), said.names_somebody(row))
            for row in found
        ],
        showing=on_kiosks.showing(session, kiosks, found, now=now),
        now=now,
        may_lead=leads(person, subject),
        done=done,
    )


@router.get("/{kind}/{subject_id}/said-and-did/new")
def new(
    request: Request, kind: Kind, subject_id: RowId, person: Reader, session: ReadSession, text: str = ""
) -> Response:
    """The form of a new one; `text`: the number of the released text that it answers."""
    subject = subject_of(session, person, kind, subject_id)
    require_lead(person, subject)
    return _form(request, session, person, subject, None, {"text": text, "on_kiosks": "yes"})


@router.post("/{kind}/{subject_id}/said-and-did/new")
async def write_new(request: Request, kind: Kind, subject_id: RowId, person: Reader, now: Now) -> Response:
    """Write one."""
    typed = await _typed(request)

    def save(session: Session) -> Subject:
        subject = subject_of(session, person, kind, subject_id)
        require_lead(person, subject)
        text_id = row_id(typed["text"])
        if text_id is not None:
            text_of(session, person, text_id)
        said.save(session, person, subject.where, None, typed, text_id=text_id, now=now)
        return subject

    try:
        subject = await write(request, save)
    except Refused as refused:
        errors = messages(refused)

        def again(session: Session) -> Response:
            subject = subject_of(session, person, kind, subject_id)
            return _form(request, session, person, subject, None, typed, errors)

        return await read(request, again)
    return _to_list(subject, "written")


@router.get("/said-and-did/{said_id}")
def one(request: Request, said_id: RowId, person: Reader, session: ReadSession) -> Response:
    """The form of one that is written already."""
    row, subject = _kept(session, person, said_id)
    return _form(request, session, person, subject, row, _kept_as_typed(row))


@router.post("/said-and-did/{said_id}")
async def change(request: Request, said_id: RowId, person: Reader, now: Now) -> Response:
    """Change one."""
    typed = await _typed(request)

    def save(session: Session) -> Subject:
        row, subject = _kept(session, person, said_id)
        said.save(session, person, subject.where, row, typed, now=now)
        if row.published_at is not None:
            _tell_kiosks(request, session, subject, now)
        return subject

    try:
        subject = await write(request, save)
    except Refused as refused:
        errors = messages(refused)

        def again(session: Session) -> Response:
            row, subject = _kept(session, person, said_id)
            return _form(request, session, person, subject, row, typed, errors)

        return await read(request, again)
    return _to_list(subject, "changed")


@router.post("/said-and-did/{said_id}/publish")
async def publish(request: Request, said_id: RowId, person: Reader, now: Now) -> Response:
    """Let everybody read it; what cannot be shown any more leads to its form."""

    def save(session: Session) -> Subject:
        row, subject = _kept(session, person, said_id)
        said.publish(session, person, row, now=now)
        _tell_kiosks(request, session, subject, now)
        return subject

    try:
        subject = await write(request, save)
    except Refused as refused:
        errors = messages(refused)

        def again(session: Session) -> Response:
            row, subject = _kept(session, person, said_id)
            return _form(request, session, person, subject, row, _kept_as_typed(row), errors)

        return await read(request, again)
    return _to_list(subject, "published")


@router.post("/said-and-did/{said_id}/withdraw")
def withdraw(request: Request, said_id: RowId, person: Reader, session: WriteSession, now: Now) -> Response:
    """Take it back from everybody else."""
    row, subject = _kept(session, person, said_id)
    said.withdraw(session, person, row, now=now)
    _tell_kiosks(request, session, subject, now)
    return _to_list(subject, "withdrawn")


@router.post("/said-and-did/{said_id}/delete")
def delete(
    request: Request,
    said_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Take it away."""
    row, subject = _kept(session, person, said_id)
    if not confirmed:
        return _to_list(subject, "")
    said.remove(session, person, row, now=now)
    _tell_kiosks(request, session, subject, now)
    return _to_list(subject, "deleted")


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(form.get(name, "")) for name in (*said.FIELDS, "text", "on_kiosks", "last_day")}


def _kept_as_typed(row: SaidAndDid) -> dict[str, str]:
    return {name: str(getattr(row, name)) for name in said.FIELDS} | {
        "text": str(row.text_id or ""),
        "on_kiosks": "yes" if row.on_kiosks else "",
        "last_day": said.last_day_of(row),
    }


def _tell_kiosks(request: Request, session: Session, subject: Subject, now: int) -> None:
    """Wish anew of the touch kiosks there; one that is away asks when it is back."""
    session.flush()
    kiosks = on_kiosks.kiosks_of(session, subject.where)
    tell(request, session, [device.id for device in kiosks], now)


def _to_list(subject: Subject, done: str) -> RedirectResponse:
    return RedirectResponse(f"{subject.address}/said-and-did?done={done}", 303)


def _kept(session: Session, person: Person, said_id: int) -> tuple[SaidAndDid, Subject]:
    row = session.get(SaidAndDid, said_id)
    if row is None:
        raise HTTPException(404)
    subject = subject_at(session, person, Where(row.scope, row.scope_id))
    require_lead(person, subject)
    return row, subject


def _form(
    request: Request,
    session: Session,
    person: Person,
    subject: Subject,
    row: SaidAndDid | None,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
) -> Response:
    text_id = row_id(typed.get("text", ""))
    text = text_of(session, person, text_id)[0].text if text_id is not None else ""
    return render(
        request,
        "handling/said.html",
        422 if errors else 200,
        subject=subject,
        title=title_of(subject),
        row=row,
        text=text,
        typed=typed,
        errors=errors or {},
        most=said.LONGEST,
    )
