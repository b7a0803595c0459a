"""The page on which a draft is translated: its languages side by side, what is missing, what its source left behind.

It knows no spreadsheet (sheet_pages.py). Invariant: a field that was not altered makes no operation, so that a page
left open for an hour overwrites nothing.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.drafts import service, translating
from fleet_server.drafts.models import Draft
from fleet_server.drafts.texts import required_languages, stale, tidy
from fleet_server.drafts.texts_view import SHOWS, language_states, sections
from fleet_server.questions.types import LANGUAGES
from fleet_server.refusals import N_, Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write
from fleet_server.web.forms import messages
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/drafts", include_in_schema=False)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
MOST_FIELDS = 2000  # forty questions with their labels and all words in six languages are 1 600
_DONE = {
    "saved": N_("The changes were saved."),
    "nothing": N_("Nothing was changed."),
    "sheet": N_("The texts of the sheet were taken over."),
    "languages": N_("The languages of the draft were changed."),
}


@dataclass
class Outcome:
    """What became of a save: `done` is a key of _DONE when all of it holds."""

    done: str = ""
    conflicts: list[service.Conflict] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


@router.get("/{draft_id}/texts")
def texts(
    request: Request,
    draft_id: RowId,
    person: Coordinator,
    session: ReadSession,
    show: Annotated[str, Query()] = "all",
    done: Annotated[str, Query()] = "",
) -> Response:
    """All texts of a draft, or what is missing or stale of them."""
    return texts_page(request, session, draft_id, show=show, done=done)


@router.post("/{draft_id}/texts")
async def save(request: Request, draft_id: RowId, person: Coordinator, now: Now) -> Response:
    """Keep what was altered; with `keep`, call one translation right for the source as it is now."""
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        given = {name: value for name, value in form.items() if isinstance(value, str)}
    show = given.pop("show", "all")
    revision = number(given.pop("revision", ""))
    keep = given.pop("keep", "")
    typed = {name: tidy(value) for name, value in given.items()}
    altered: dict[str, str] = {}

    def do(session: Session) -> Outcome:
        draft = draft_of(session, draft_id)
        shown = service.body_at(session, draft, revision)
        altered.update(translating.altered(shown, typed))
        wanted = translating.wanted(shown, service.body(draft), typed, [keep] if keep else [])
        return apply(request, session, person, draft_id, wanted, revision, now=now)

    try:
        outcome = await write(request, do)
    except Refused as refused:
        outcome = Outcome(errors=messages(refused))
    return await answer(request, draft_id, outcome, show=show, typed=altered)


@router.post("/{draft_id}/texts/languages")
def change_languages(
    request: Request,
    draft_id: RowId,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    revision: Annotated[int, Form(ge=0)],
    add: Annotated[str, Form()] = "",
    remove: Annotated[str, Form()] = "",
) -> Response:
    """Ask in one language more or less. The texts of one that leaves stay with the draft, should it come back."""
    draft = draft_of(session, draft_id)
    languages = list(service.body(draft)["languages"])
    wanted = [language for language in languages if language != remove]
    if add in LANGUAGES and add not in wanted:
        wanted.append(add)
    errors: dict[str, str] = {}
    outcome = Outcome("nothing")
    if not wanted:
        errors = {"remove": _("A draft needs one language at least.")}
    elif wanted != languages:
        try:
            op = {"do": "set", "path": "languages", "to": wanted}
            outcome = apply(request, session, person, draft_id, [op], revision, now=now)
            outcome.done = outcome.done and "languages"
        except Refused as refused:
            errors = messages(refused)
    if errors or outcome.conflicts:
        return texts_page(
            request, session, draft_id, conflicts=outcome.conflicts, errors=errors, status_code=409
        )
    return RedirectResponse(f"/drafts/{draft_id}/texts?done={outcome.done}", 303)


def apply(
    request: Request,
    session: Session,
    person: Person,
    draft_id: int,
    wanted: list[dict[str, Any]],
    revision: int,
    *,
    now: int,
) -> Outcome:
    """Do operations as this person; others who look at the draft are told once it is committed."""
    if not wanted:
        return Outcome("nothing")
    applied = service.apply(session, person, draft_id, wanted, revision, now=now)
    after_commit(session, lambda: request.app.state.changes.notify(f"draft:{draft_id}"))
    return Outcome("" if applied.conflicts else "saved", applied.conflicts)


async def answer(
    request: Request,
    draft_id: int,
    outcome: Outcome,
    *,
    show: str = "all",
    typed: dict[str, str] | None = None,
) -> Response:
    """The page again: by a redirect when all was done, else with what was not."""
    if outcome.done:
        show = show if show in SHOWS else "all"
        return RedirectResponse(f"/drafts/{draft_id}/texts?show={show}&done={outcome.done}", 303)
    return await read(
        request,
        lambda session: texts_page(
            request,
            session,
            draft_id,
            show=show,
            conflicts=outcome.conflicts,
            errors=outcome.errors,
            typed=typed if outcome.errors else None,
            status_code=422 if outcome.errors else 409,
        ),
    )


def texts_page(
    request: Request,
    session: Session,
    draft_id: int,
    *,
    show: str = "all",
    done: str = "",
    conflicts: list[service.Conflict] | None = None,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    status_code: int = 200,
) -> Response:
    """The page; `typed` stays in its fields, `errors` are by path."""
    draft = draft_of(session, draft_id)
    body = service.body(draft)
    old = stale(session, draft)
    show = show if show in SHOWS else "all"
    editable = draft.state in service.EDITABLE
    states = language_states(body, old, required_languages(session))
    return render(
        request,
        "drafts/texts.html",
        status_code=status_code,
        draft=draft,
        show=show,
        editable=editable,
        sections=sections(body, old, show=show, editable=editable, typed=typed or {}),
        states=states,
        counts={
            "missing": sum(state.missing for state in states),
            "stale": sum(state.stale for state in states),
        },
        addable=[(code, _(name)) for code, name in LANGUAGES.items() if code not in body["languages"]],
        conflicts=conflicts or [],
        errors=errors or {},
        done=_(_DONE[done]) if done in _DONE else "",
    )


def draft_of(session: Session, draft_id: int) -> Draft:
    """The draft, or no page."""
    draft = service.get(session, draft_id)
    if draft is None:
        raise HTTPException(404, f"draft {draft_id} does not exist")
    return draft


def number(typed: str) -> int:
    """A revision from a form."""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise HTTPException(422, "revision must be a number")
    return int(typed)
