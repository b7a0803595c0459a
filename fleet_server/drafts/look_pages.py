"""Looking at a draft: every screen of it, a walk through its flow, and what it changes against the version before.

The screens, the walk and the comparison are those of published sets; here they get a body without a number. That
somebody looked, or walked to the thank-you, is noted for exactly this content.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.accounts.service import names
from fleet_server.drafts import looking, seen, service
from fleet_server.drafts.looking import as_set
from fleet_server.drafts.models import Draft
from fleet_server.drafts.publish import to_see
from fleet_server.questions import service as questions
from fleet_server.questions.compare_pages import comparison_page
from fleet_server.questions.models import QuestionSet
from fleet_server.screens.gallery import gallery_of, png_of
from fleet_server.screens.walk_pages import beginning, stepped, thanked, walk_page, walk_picture
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/drafts", include_in_schema=False)

Coordinator = Annotated[Person, allow(Role.COORDINATOR)]


@router.get("/{draft_id}/preview")
def preview(
    request: Request,
    draft_id: RowId,
    _person: Coordinator,
    session: ReadSession,
    model: Annotated[str, Query(max_length=20)] = "",
    language: Annotated[str, Query(max_length=3)] = "",
    mode: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Every screen of the draft, and who has looked at which model's."""
    return _preview(request, session, draft_id, model, language, mode)


@router.post("/{draft_id}/preview")
def looked(
    request: Request,
    draft_id: RowId,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    content: Annotated[str, Form(max_length=64)] = "",
    model: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """“I have looked at these screens”: noted when they still are what the draft says."""
    draft = _draft(session, draft_id)
    hindered = looking.look(session, person, draft, content=content, model=model, now=now)
    if hindered == "changed":
        return _preview(request, session, draft_id, model, "", "", changed=True, status_code=409)
    if hindered:
        return _preview(request, session, draft_id, model, "", "", status_code=422)
    return RedirectResponse(f"/drafts/{draft_id}/preview?model={model}#looked", status_code=303)


@router.get("/{draft_id}/preview/{model}/{key}.png")
def picture(
    draft_id: RowId,
    model: Annotated[str, Path(pattern="^[a-z0-9]{1,20}$")],
    key: Annotated[str, Path(pattern="^[a-z0-9-]{1,30}$")],
    _person: Coordinator,
    session: ReadSession,
    language: Annotated[str, Query(max_length=3)],
    mode: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """One screen; a draft changes, so no browser keeps it."""
    png = png_of(as_set(_draft(session, draft_id)), model, key, language, mode)
    return Response(png, media_type="image/png")


@router.get("/{draft_id}/walk")
def walk(
    request: Request,
    draft_id: RowId,
    _person: Coordinator,
    session: ReadSession,
    language: Annotated[str, Query(max_length=3)] = "",
    kind: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The draft's resting screen, or the first one of a kind of visitor."""
    draft = _draft(session, draft_id)
    body = as_set(draft)
    return walk_page(request, body, beginning(body, language, kind), **_walk_context(draft))


@router.post("/{draft_id}/walk")
async def walk_on(
    request: Request,
    draft_id: RowId,
    person: Coordinator,
    now: Now,
    walk: Annotated[str, Form(max_length=6_000)] = "",
    do: Annotated[str, Form(max_length=100)] = "",
    x: Annotated[int | None, Form(alias="touch.x")] = None,
    y: Annotated[int | None, Form(alias="touch.y")] = None,
) -> Response:
    """One touch further; coming to the thank-you page is noted."""
    draft = await read(request, lambda session: _draft(session, draft_id))
    body = as_set(draft)
    further = stepped(request, body, walk, do, x, y)
    came = thanked(request, body, further)
    if came:
        content = service.content_hash(draft)
        await write(
            request, lambda session: seen.note(session, content, "touch", person.actor, walked=True, now=now)
        )
    return walk_page(request, body, further, **_walk_context(draft) | {"noted": came})


@router.get("/{draft_id}/walk.png")
def walk_screen(
    request: Request,
    draft_id: RowId,
    _person: Coordinator,
    session: ReadSession,
    walk: Annotated[str, Query(max_length=6_000)] = "",
) -> Response:
    """The screen to which a walk has come."""
    return walk_picture(request, as_set(_draft(session, draft_id)), walk)


@router.get("/{draft_id}/compare")
def compare(request: Request, draft_id: RowId, _person: Coordinator, session: ReadSession) -> Response:
    """What the draft changes against the version that it was made from."""
    draft = _draft(session, draft_id)
    row = session.get(QuestionSet, draft.previous) if draft.previous is not None else None
    if row is None:
        raise HTTPException(404, f"draft {draft_id} was made from no question set")
    return comparison_page(
        request,
        questions.body_of(row),
        service.body(draft),
        old_name=f"{row.number} · {row.name} {row.version}",
        new_name=draft.name,
        crumbs=_crumbs(draft),
    )


def _preview(
    request: Request,
    session: Session,
    draft_id: int,
    model: str,
    language: str,
    mode: str,
    *,
    changed: bool = False,
    status_code: int = 200,
) -> Response:
    draft = _draft(session, draft_id)
    content = service.content_hash(draft)
    shown = gallery_of(as_set(draft), f"/drafts/{draft_id}/preview", draft.name, model, language, mode)
    looks = seen.previews(session, content)
    return render(
        request,
        "drafts/preview.html",
        status_code=status_code,
        draft=draft,
        crumbs=_crumbs(draft),
        content=content,
        changed=changed,
        looks=[
            (one, [row for row in looks if row.model == one and not row.walked]) for one in shown["models"]
        ],
        walks=[row for row in looks if row.walked],
        seen_models={row.model for row in looks if not row.walked},
        to_see=to_see(session, draft, shown["models"]),
        names=names(session),
        **shown,
    )


def _draft(session: Session, draft_id: int) -> Draft:
    draft = service.get(session, draft_id)
    if draft is None:
        raise HTTPException(404, f"draft {draft_id} does not exist")
    return draft


def _crumbs(draft: Draft) -> list[tuple[str, str]]:
    return [("/question-sets", _("Question sets")), (f"/drafts/{draft.id}", draft.name)]


def _walk_context(draft: Draft) -> dict[str, Any]:
    return {
        "base": f"/drafts/{draft.id}/walk", "name": draft.name, "crumbs": _crumbs(draft), "noted": False,
    }  # fmt: skip
