"""The last page of a draft: what is left to do, who approves it, what it breaks, and the button that publishes it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts import county, names
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.drafts import approval, publish, service, texts
from fleet_server.drafts.models import Draft
from fleet_server.drafts.publish import NotPublished, Step
from fleet_server.drafts.wording import STATE_NAMES, faults, page_of, without_name
from fleet_server.questions.compare import CLASS_NAMES
from fleet_server.questions.models import QuestionSet
from fleet_server.refusals import Refused
from fleet_server.screens.check import ScreenFault
from fleet_server.web.deps import Now, ReadSession, RowId, read, write
from fleet_server.web.forms import messages, said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render, render_block

router = APIRouter(prefix="/drafts/{draft_id}/publish", include_in_schema=False)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
Revision = Annotated[int, Form(ge=0, lt=2**31)]


@router.get("")
def page(
    request: Request,
    draft_id: RowId,
    person: Coordinator,
    session: ReadSession,
    now: Now,
    part: str = "",
    since: str = "",
) -> Response:
    """Everything that stands in the way, and what is done about it here. `part=news`: whether another one has
    changed the draft since it was as `since` says."""
    if part == "news":
        draft = _draft(session, draft_id)
        return render_block(
            request, "drafts/publish.html", "news",
            draft=draft, changed=since != _as_it_is(draft), state=_(STATE_NAMES[draft.state]),
        )  # fmt: skip
    return _page(request, session, person, draft_id, now)


@router.post("")
async def do_publish(
    request: Request,
    draft_id: RowId,
    person: Coordinator,
    now: Now,
    revision: Revision,
    breaks_confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Make the question set; with any fault nothing is made, and all of them are shown."""

    def look(session: Session) -> None:  # lays it out, which nobody else should wait for
        publish.readiness(session, _draft(session, draft_id), now=now)

    def make(session: Session) -> None:
        publish.publish(
            session, person, draft_id, revision=revision, breaks_confirmed=bool(breaks_confirmed), now=now
        )

    await read(request, look)
    try:
        await write(request, make)
    except NotPublished as refused:
        found = refused.faults
        return await read(
            request, lambda session: _page(request, session, person, draft_id, now, refused=found)
        )
    request.app.state.changes.notify("drafts", f"draft:{draft_id}")
    return RedirectResponse(f"/drafts/{draft_id}/publish", 303)


@router.post("/ask")
async def ask(request: Request, draft_id: RowId, person: Coordinator, now: Now) -> Response:
    """Ask for a second person's approval."""
    return await _step(
        request, person, draft_id, now, lambda session: approval.ask(session, person, draft_id, now=now)
    )


@router.post("/approve")
async def approve(
    request: Request, draft_id: RowId, person: Coordinator, now: Now, revision: Revision
) -> Response:
    """Approve what was looked at."""
    return await _step(
        request,
        person,
        draft_id,
        now,
        lambda session: approval.approve(session, person, draft_id, revision, now=now),
    )


@router.post("/send-back")
async def send_back(
    request: Request, draft_id: RowId, person: Coordinator, now: Now, comment: Annotated[str, Form()] = ""
) -> Response:
    """Open it again, with a comment."""
    return await _step(
        request,
        person,
        draft_id,
        now,
        lambda session: approval.send_back(session, person, draft_id, comment, now=now),
    )


async def _step(
    request: Request, person: Person, draft_id: int, now: int, do: Callable[[Session], Draft]
) -> Response:
    def step(session: Session) -> None:
        _draft(session, draft_id)
        do(session)

    try:
        await write(request, step)
    except Refused as refused:
        errors = messages(refused)
        return await read(
            request, lambda session: _page(request, session, person, draft_id, now, errors=errors)
        )
    request.app.state.changes.notify("drafts", f"draft:{draft_id}")
    return RedirectResponse(f"/drafts/{draft_id}/publish", 303)


def _draft(session: Session, draft_id: int) -> Draft:
    draft = service.get(session, draft_id)
    if draft is None:
        raise HTTPException(404, f"draft {draft_id} does not exist")
    return draft


def _with_places(draft: Draft, found: list[str]) -> list[tuple[str, str]]:
    """Each fault in the reader's language, with the address at which it is put right ('' when there is none)."""
    body = service.body(draft)
    fields = {fault.text: page_of(fault.path, body) for fault in faults(body)}
    shown = []
    for fault in found:
        place = fields.get(fault, "")
        if isinstance(fault, Step):
            place = fault.page
        elif isinstance(fault, ScreenFault) and fault.key:
            place = f"/preview?model={fault.model}&language={fault.language}#misfits"
        shown.append((without_name(said(fault), draft.name), f"/drafts/{draft.id}{place}" if place else ""))
    return shown


def _as_it_is(draft: Draft) -> str:
    return f"{draft.state}-{draft.revision}"


def _page(
    request: Request,
    session: Session,
    person: Person,
    draft_id: int,
    now: int,
    *,
    refused: list[str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    draft = _draft(session, draft_id)
    done = session.get(QuestionSet, draft.published_number) if draft.published_number is not None else None
    ready = publish.readiness(session, draft, now=now)
    previous = session.get(QuestionSet, draft.previous) if draft.previous is not None else None
    obstacle = approval.obstacle(session, draft, person)
    comparison = ready.comparison
    return render(
        request,
        "drafts/publish.html",
        422 if refused or errors else 200,
        draft=draft,
        as_it_is=_as_it_is(draft),
        changed=False,
        version=service.body(draft).get("version", ""),
        number=ready.number,
        previous=previous,
        published=done,
        faults=_with_places(draft, ready.faults),
        refused=_with_places(draft, refused or []),
        unseen=ready.unseen,
        changes=[_(CLASS_NAMES[name]) for name in comparison.classes] if comparison else [],
        breaks={code: [said(reason) for reason in reasons] for code, reasons in ready.breaks.items()},
        second_person=county.rules(session).second_person,
        obstacle=said(obstacle) if obstacle else "",
        history=approval.history(session, draft_id),
        second=approval.sent_back(session, draft),
        stale=len(texts.stale(session, draft)),
        names=names.of_people(session),
        errors=errors or {},
    )
