"""The desk's pages of drafts: the list, the editor, its history, putting one away and taking it up again.

The editor is one form. Each of its buttons sends the whole form, so it works without a script and loses nothing that
was typed; the script sends the touched fields alone to the same address and gets the changed parts back.
"""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlmodel import Session
from starlette.datastructures import FormData

from fleet_server.accounts.access import Person, SignedIn, allow, may
from fleet_server.accounts.models import Role
from fleet_server.accounts.names import of_people
from fleet_server.db import after_commit
from fleet_server.drafts import form, ops, service, undoing
from fleet_server.drafts.library import by_code
from fleet_server.drafts.models import Draft, DraftEdit
from fleet_server.drafts.shown import Sent, context_of, lines
from fleet_server.drafts.wording import STATE_NAMES, anchor, told
from fleet_server.questions.service import all_sets
from fleet_server.refusals import N_, Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write
from fleet_server.web.forms import KEPT_FIELDS, messages, row_id, said
from fleet_server.web.i18n import _
from fleet_server.web.templating import clock, render, templates

router = APIRouter(include_in_schema=False, prefix="/drafts")
Typed = Annotated[str, Form()]
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]


@router.get("")
def drafts(request: Request, person: SignedIn, session: ReadSession, done: str = "") -> Response:
    """All drafts, those that were put away at the end."""
    rows = service.all_drafts(session)
    return render(
        request,
        "drafts/list.html",
        going=[row for row in rows if row.state in service.EDITABLE],
        dropped=[row for row in rows if row.state == "dropped"],
        names=of_people(session),
        states=STATE_NAMES,
        may_edit=may(person, Role.COORDINATOR),
        done={"dropped": _("The draft was dropped. It can be restored below.")}.get(done, ""),
    )


@router.get("/new")
def new_form(request: Request, person: Coordinator, session: ReadSession, copy_of: str = "") -> Response:
    """Name and beginning of a new draft."""
    return _new_form(request, session, {"copy_of": copy_of, "name": "", "how": "copy"}, {})


@router.post("/new")
def new(
    request: Request,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    name: Typed = "",
    copy_of: Typed = "",
    how: Typed = "copy",
) -> Response:
    """Make the draft and go on to edit it."""
    try:
        number = row_id(copy_of)
        if copy_of and number is None:
            raise Refused({"copy_of": (N_("There is no question set %(value)s."), {"value": copy_of[:60]})})
        continues = how == "continue" and number is not None
        draft = service.new(session, person, name, copy_of=number, continues=continues, now=now)
    except Refused as refused:
        sent = {"copy_of": copy_of, "name": name, "how": how}
        return _new_form(request, session, sent, messages(refused), 422)
    _tell(request, session, draft)
    return RedirectResponse(f"/drafts/{draft.id}", 303)


@router.get("/{draft_id}")
def draft(
    request: Request,
    draft_id: RowId,
    person: SignedIn,
    session: ReadSession,
    part: str = "",
    since: int | None = None,
) -> Response:
    """The editor, or for who may only read, what it says. `since`: and what others changed after that revision."""
    row = _found(session, draft_id)
    if part == "side":
        return Response(_block("side", context_of(request, session, person, row)), media_type="text/html")
    if part == "editor":
        return _parts(request, session, person, row, Sent(row.revision, structure=True), since or 0)
    return _page(request, session, person, row, Sent(row.revision), since)


@router.post("/{draft_id}")
async def save(request: Request, draft_id: RowId, person: Coordinator, now: Now) -> Response:
    """Keep what was typed since the form's revision, then do what its button says."""
    sent = await request.form(max_fields=KEPT_FIELDS)
    base = row_id(str(sent.get("revision", ""))) or 0
    by_script = request.headers.get("x-part") == "1"

    def keep(session: Session) -> Sent:
        return _keep(request, session, person, draft_id, sent, base, now)

    try:
        outcome = await write(request, keep)
    except Refused as refused:
        outcome = Sent(base, errors=messages(refused), typed=_texts(sent), structure=True)

    def answer(session: Session) -> Response:
        row = _found(session, draft_id)
        if by_script:
            return _parts(request, session, person, row, outcome, base)
        if outcome.errors or outcome.conflicts:
            status = 422 if outcome.errors else 409
            return _page(request, session, person, row, outcome, base, status)
        place = (
            anchor("questions/" + str(sent.get("do", "")).split(":")[1])
            if ":" in str(sent.get("do", ""))
            else ""
        )
        return RedirectResponse(f"/drafts/{draft_id}?since={base}#{place or 'saved'}", 303)

    return await read(request, answer)


@router.get("/{draft_id}/history")
def history(request: Request, draft_id: RowId, person: SignedIn, session: ReadSession) -> Response:
    """Every edit: who, when, what."""
    row = _found(session, draft_id)
    shown = lines(session, service.edits(session, draft_id))
    return render(request, "drafts/history.html", draft=row, lines=shown[::-1], names=of_people(session))


@router.get("/{draft_id}/drop")
def drop_form(request: Request, draft_id: RowId, person: Coordinator, session: ReadSession) -> Response:
    """Whether to drop it really."""
    return render(request, "drafts/drop.html", draft=_found(session, draft_id), names=of_people(session))


@router.post("/{draft_id}/drop")
def drop(request: Request, draft_id: RowId, person: Coordinator, session: WriteSession, now: Now) -> Response:
    """Put it away."""
    _found(session, draft_id)
    _tell(request, session, service.drop(session, person, draft_id, now=now))
    return RedirectResponse("/drafts?done=dropped", 303)


@router.post("/{draft_id}/restore")
def restore(
    request: Request, draft_id: RowId, person: Coordinator, session: WriteSession, now: Now
) -> Response:
    """Take it up again."""
    _found(session, draft_id)
    _tell(request, session, service.restore(session, person, draft_id, now=now))
    return RedirectResponse(f"/drafts/{draft_id}", 303)


def _keep(
    request: Request, session: Session, person: Person, draft_id: int, sent: FormData, base: int, now: int
) -> Sent:
    """The form as edits: first what was typed, then the button. What is refused stays in its field."""
    row = _found(session, draft_id)
    do = str(sent.get("do", ""))
    if base > row.revision:
        raise Refused({"revision": (N_("Revision %(value)s is none of this draft."), {"value": base})})
    since = service.edits(session, draft_id, since=base) if sent.get("again") else []
    if since and all(edit.by == person.actor for edit in since):
        base = row.revision  # the answer was lost, and this is what was sent then
        do = "" if sent.get("again") == "button" else do
    then = service.body_at(session, row, base)
    take = do.partition(":")[2] if do.startswith("take:") else ""
    wanted = [op for op in form.typed(sent, then) if not (take and ops.overlap(op["path"], take))]
    applied = service.apply(session, person, draft_id, wanted, base, now=now)
    found = Sent(applied.revision, conflicts=list(applied.conflicts))
    if do in ("undo", "redo"):
        step = undoing.undo if do == "undo" else undoing.redo
        edit = undoing.undoable(session, person, draft_id)[do == "redo"]
        applied = step(session, person, draft_id, now=now)
        found.back = _back(do, edit, done=not applied.conflicts)
    elif do:
        pressed = form.pressed(do, service.body(row), str(sent.get("new_type", "")), by_code(session))
        applied = service.apply(session, person, draft_id, pressed, row.revision, now=now)
    found.conflicts += [conflict for conflict in applied.conflicts if conflict not in found.conflicts]
    found.revision = applied.revision
    typed = _texts(sent)
    fields = {conflict.yours["path"] for conflict in found.conflicts}
    found.typed = {
        name: text for name, text in typed.items() if any(ops.overlap(name, path) for path in fields)
    }
    found.structure = bool(do or found.conflicts or sent.get("whole") or sent.get("again")) or any(
        _shapes(op) for op in wanted
    )
    _tell(request, session, row)
    return found


def _back(do: str, edit: DraftEdit | None, *, done: bool) -> str:
    """What taking back, or doing again, came to."""
    undo = do == "undo"
    if edit is None:
        return (
            _("There is nothing of yours to take back.")
            if undo
            else _("There is nothing of yours to do again.")
        )
    if not done:
        return _("Not taken back") if undo else _("Not done again")
    what = " · ".join(said(told(op)) for op in json.loads(edit.op if undo else edit.inverse)[:2])
    return (_("Taken back: %(what)s.") if undo else _("Done again: %(what)s.")) % {"what": what}


def _shapes(op: ops.Op) -> bool:
    """Whether the page looks another way after it, beyond what stands in the field."""
    path = str(op["path"])
    return path in ("languages", "button", "turns") or path.endswith(
        ("/type", "/when", "/labels", "/several")
    )


def _texts(sent: FormData) -> dict[str, str]:
    return {
        name: str(text)
        for name, text in sent.items()
        if name not in ("do", "revision", "new_type", "shown", "again", "whole")
    }


def _parts(
    request: Request, session: Session, person: Person, row: Draft, outcome: Sent, base: int
) -> Response:
    """What the script puts into the page; the editor alone when it looks another way now."""
    context = context_of(request, session, person, row, outcome, base)
    changed = outcome.structure or bool(outcome.errors) or bool(context["others"])
    state = _("Saved %(time)s") % {"time": clock(row.edited_at)}
    if outcome.back:
        saved = outcome.revision > base and not outcome.conflicts
        state = f"{outcome.back} {state}" if saved else outcome.back
    elif outcome.errors or outcome.conflicts:
        state = _("Not all of it is saved")
    elif context["others"]:
        state = _("%(name)s has changed this page") % {"name": context["others"][-1].by}
    return JSONResponse(
        {
            "revision": row.revision,
            "state": state,
            "held": sorted(outcome.typed),
            "editor": _block("editor", context) if changed else None,
            "side": _block("side", context),
        },
        422 if outcome.errors else 200,
    )


def _page(
    request: Request,
    session: Session,
    person: Person,
    row: Draft,
    outcome: Sent,
    since: int | None,
    status: int = 200,
) -> Response:
    return render(
        request, "drafts/draft.html", status, **context_of(request, session, person, row, outcome, since)
    )


def _block(name: str, context: dict[str, Any]) -> str:
    page = templates.get_template("drafts/draft.html")
    return "".join(page.blocks[name](page.new_context(context)))


def _found(session: Session, draft_id: int) -> Draft:
    row = service.get(session, draft_id)
    if row is None:
        raise HTTPException(404, _("There is no draft %(value)s.") % {"value": draft_id})
    return row


def _tell(request: Request, session: Session, row: Draft) -> None:
    after_commit(session, lambda: request.app.state.changes.notify(f"draft:{row.id}"))


def _new_form(
    request: Request, session: Session, typed: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    sets = [(row.number, f"{row.number} · {row.name} {row.version}") for row in all_sets(session)]
    return render(request, "drafts/new.html", status, typed=typed, errors=errors, sets=sets)
