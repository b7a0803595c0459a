"""The forms in which a person chooses what is watched for her: made, changed, paused, removed, and that taken back."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person
from fleet_server.alerts import service
from fleet_server.alerts.models import FALL, LOW, SILENCE, Watch
from fleet_server.alerts.wording import question
from fleet_server.refusals import Refused
from fleet_server.results import choosing
from fleet_server.results.models import Series
from fleet_server.results.pages import Reader
from fleet_server.results.paper import title_of
from fleet_server.results.scores import totals
from fleet_server.results.spans import period
from fleet_server.results.subjects import Subject
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/results/alerts", include_in_schema=False)
KINDS = (LOW, FALL, SILENCE)
# Typed as it stands in a form before anybody typed: what most would choose.
USUAL: dict[str, str] = {
    "threshold": "50",
    "sure": "yes",
    "weeks": "4",
    "hours": "8",
    "mail": "yes",
    "code": "",
}


@router.get("/new")
def new(request: Request, person: Reader, session: ReadSession, now: Now, on: str = "") -> Response:
    """First which unit or place, then what of it."""
    subject = choosing.chosen(session, person, on)
    if subject is None:
        return render(request, "alerts/new.html", subject=None, options=choosing.options(session, person))
    return _form(request, session, subject, None, KINDS, {}, now=now)


@router.post("/new")
def make(
    request: Request,
    person: Reader,
    session: WriteSession,
    now: Now,
    on: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    threshold: Annotated[str, Form()] = "",
    sure: Annotated[str, Form()] = "",
    weeks: Annotated[str, Form()] = "",
    hours: Annotated[str, Form()] = "",
    mail: Annotated[str, Form()] = "",
) -> Response:
    """Watch something more."""
    subject = choosing.chosen(session, person, on)
    if subject is None or kind not in KINDS:
        raise HTTPException(404)
    typed = {"code": code, "threshold": threshold, "sure": sure, "weeks": weeks, "hours": hours, "mail": mail}
    try:
        service.save(session, person, subject, None, kind, typed, now=now)
    except Refused as refused:
        return _form(request, session, subject, None, KINDS, {kind: typed}, messages(refused), kind, now=now)
    return RedirectResponse("/results/alerts?done=saved", 303)


@router.get("/watches/{watch_id}")
def one(request: Request, watch_id: RowId, person: Reader, session: ReadSession, now: Now) -> Response:
    """One watch, to be changed."""
    watched = _watched(session, person, watch_id)
    row = watched.watch
    typed = {name: str(getattr(row, name)) for name in ("code", "threshold", "weeks", "hours")}
    typed |= {"sure": "yes" if row.sure else "", "mail": "yes" if row.mail else ""}
    return _form(request, session, watched.subject, row, (row.kind,), {row.kind: typed}, now=now)


@router.post("/watches/{watch_id}")
def change(
    request: Request,
    watch_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    code: Annotated[str, Form()] = "",
    threshold: Annotated[str, Form()] = "",
    sure: Annotated[str, Form()] = "",
    weeks: Annotated[str, Form()] = "",
    hours: Annotated[str, Form()] = "",
    mail: Annotated[str, Form()] = "",
) -> Response:
    """Change a watch."""
    watched = _watched(session, person, watch_id)
    row = watched.watch
    typed = {"code": code, "threshold": threshold, "sure": sure, "weeks": weeks, "hours": hours, "mail": mail}
    try:
        service.save(session, person, watched.subject, row, row.kind, typed, now=now)
    except Refused as refused:
        return _form(
            request, session, watched.subject, row, (row.kind,), {row.kind: typed}, messages(refused), row.kind,
            now=now,
        )  # fmt: skip
    return RedirectResponse("/results/alerts?done=saved", 303)


@router.post("/watches/{watch_id}/{what}")
def act(watch_id: RowId, what: str, person: Reader, session: WriteSession, now: Now) -> Response:
    """`pause`, `resume`, `remove`, or `restore` what was removed."""
    row = _watched(session, person, watch_id, removed=what == "restore").watch
    if what in ("pause", "resume"):
        service.pause(session, person, row, what == "pause", now=now)
    elif what == "remove":
        service.remove(session, person, row, now=now)
    elif what == "restore":
        service.restore(session, person, row, now=now)
    else:
        raise HTTPException(404)
    return RedirectResponse(f"/results/alerts?done={what}&watch={watch_id}#watches", 303)


def _watched(session: Session, person: Person, watch_id: int, *, removed: bool = False) -> service.Watched:
    watched = service.watch_of(session, person, watch_id)
    if watched is None or (watched.watch.removed_at is not None and not removed):
        raise HTTPException(404)
    return watched


def _form(
    request: Request,
    session: Session,
    subject: Subject,
    row: Watch | None,
    kinds: tuple[str, ...],
    typed: dict[str, dict[str, str]],
    errors: dict[str, str] | None = None,
    wrong: str = "",
    *,
    now: int,
) -> Response:
    listed = _questions(session, subject, now, row)
    first = next((one.code for one in listed if one.type == "nps"), listed[0].code if listed else "")
    forms: list[dict[str, Any]] = [
        {
            "kind": kind,
            "typed": typed.get(kind, USUAL | {"code": first}),
            "errors": (errors or {}) if kind == wrong else {},
        }
        for kind in kinds
    ]
    return render(
        request,
        "alerts/new.html",
        422 if errors else 200,
        subject=subject,
        on=choosing.value_of(subject),
        title=title_of(subject),
        row=row,
        forms=forms,
        questions=[(one.code, f"{one.code} · {question(one)}") for one in listed],
        weeks=[("1", _("the last week")), ("4", _("the last 4 weeks"))],
        mail_set_up=bool(request.app.state.settings.smtp_host),
    )


def _questions(session: Session, subject: Subject, now: int, row: Watch | None) -> list[Series]:
    """The questions with a score that were answered here within a year, and that of the watch."""
    year = period("year", now)
    answered = totals(session, subject.where, year.starts[0], year.stop)
    codes = {one.code for one in (session.get(Series, number) for number in answered) if one is not None}
    if row is not None and row.code:
        codes.add(row.code)
    found = service.questions(session, codes).values()
    return sorted(found, key=lambda one: (one.type != "nps", one.code))
