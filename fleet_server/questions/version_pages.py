"""The list of question sets by family, and what is done with a version: copy, continue, label, archive, restore."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.accounts import names
from fleet_server.accounts.access import Person, SignedIn, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.devices.models import Device
from fleet_server.drafts import service as drafts
from fleet_server.drafts.wording import STATE_NAMES
from fleet_server.questions import versions
from fleet_server.questions.compare import CLASS_NAMES
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.uses import uses_of
from fleet_server.refusals import Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/question-sets", include_in_schema=False)

Coordinator = Annotated[Person, allow(Role.COORDINATOR)]


@router.get("")
def sets(request: Request, person: SignedIn, session: ReadSession, archived: bool = False) -> Response:
    """All families with their versions and drafts; or what was put away."""
    running = dict(
        session.exec(
            select(Device.running_set, func.count())
            .where(col(Device.id).in_(visible_devices(person)))
            .group_by(col(Device.running_set))
        ).all()
    )
    own_drafts = [] if archived else [row for row in versions.open_drafts(session) if row.family is None]
    return render(
        request,
        "questions/list.html",
        families=versions.families(session, archived=archived),
        drafts=own_drafts,
        running=running,
        archived=archived,
        draft_states={name: _(text) for name, text in STATE_NAMES.items()},
        names=names.of_people(session),
        class_names={name: _(text) for name, text in CLASS_NAMES.items()},
        may_edit=may(person, Role.COORDINATOR),
    )


@router.get("/{number}/manage")
def manage(request: Request, number: RowId, _person: Coordinator, session: ReadSession, now: Now) -> Response:
    """What can be done with one version; archiving is confirmed here."""
    return _manage(request, session, number, now)


@router.post("/{number}/copy")
def copy(request: Request, number: RowId, person: Coordinator, session: WriteSession, now: Now) -> Response:
    """A new set's draft that begins with what this one says."""
    return _draft_of(request, session, person, number, continues=False, now=now)


@router.post("/{number}/continue")
def go_on(request: Request, number: RowId, person: Coordinator, session: WriteSession, now: Now) -> Response:
    """The draft of this set's next version."""
    return _draft_of(request, session, person, number, continues=True, now=now)


@router.post("/{number}/archive")
def archive(
    request: Request,
    number: RowId,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    sure: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Put a version away, if that was confirmed and nothing needs it."""
    if sure != "yes":
        return RedirectResponse(f"/question-sets/{number}/manage#archive", status_code=303)
    try:
        versions.archive(session, person, number, now=now)
    except Refused as refused:
        return _manage(request, session, number, now, messages(refused), status_code=422)
    return RedirectResponse("/question-sets?archived=true", status_code=303)


@router.post("/{number}/restore")
def restore(
    request: Request, number: RowId, person: Coordinator, session: WriteSession, now: Now
) -> Response:
    """Take a version out of the archive."""
    try:
        versions.restore(session, person, number, now=now)
    except Refused as refused:
        return _manage(request, session, number, now, messages(refused), status_code=422)
    return RedirectResponse("/question-sets", status_code=303)


@router.post("/{number}/label")
def label(
    request: Request,
    number: RowId,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    label: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Give a version a label."""
    try:
        versions.label(session, person, number, label, now=now)
    except Refused as refused:
        return _manage(request, session, number, now, messages(refused), typed=label, status_code=422)
    return RedirectResponse(f"/question-sets/{number}/manage", status_code=303)


def _draft_of(
    request: Request, session: Session, person: Person, number: int, *, continues: bool, now: int
) -> Response:
    row = _row(session, number)
    name = row.name if continues else _("Copy of %(name)s") % {"name": row.name}
    try:
        draft = drafts.new(session, person, name[:200], copy_of=number, continues=continues, now=now)
    except Refused as refused:
        return _manage(request, session, number, now, messages(refused), status_code=422)
    return RedirectResponse(f"/drafts/{draft.id}", status_code=303)


def _manage(
    request: Request,
    session: Session,
    number: int,
    now: int,
    errors: dict[str, str] | None = None,
    *,
    typed: str | None = None,
    status_code: int = 200,
) -> Response:
    row = _row(session, number)
    siblings = session.exec(
        select(QuestionSet).where(QuestionSet.family == row.family, QuestionSet.number != number)
    )
    return render(
        request,
        "questions/manage.html",
        status_code=status_code,
        set=row,
        siblings=sorted(siblings, key=lambda one: one.number, reverse=True),
        uses=uses_of(session, number, now=now),
        errors=errors or {},
        typed={"label": row.label if typed is None else typed},
    )


def _row(session: Session, number: int) -> QuestionSet:
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    return row
