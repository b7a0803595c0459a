"""`/api/v1` for what a draft says: the library it chooses from, its texts by language, its screens, its history.

The same services and rules as the pages; nothing is decided here.
"""

import json
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.api import desk_shapes
from fleet_server.api import draft_shapes as shapes
from fleet_server.api.desk import After, Limit
from fleet_server.api.draft_rows import applied, comparison, draft_fields, draft_row
from fleet_server.api.shapes import FAULTS
from fleet_server.drafts import library, looking, seen, service, translating
from fleet_server.drafts.models import Draft
from fleet_server.drafts.publish import to_see
from fleet_server.drafts.sheet import XLSX, to_xlsx
from fleet_server.drafts.sheet_back import come_back
from fleet_server.drafts.texts import required_languages, slots, stale
from fleet_server.drafts.texts_view import language_states
from fleet_server.drafts.workbook import MAX_FILE_BYTES
from fleet_server.instants import utc
from fleet_server.questions import service as questions
from fleet_server.questions.compare import compare
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of
from fleet_server.refusals import N_, Hindered, Refused
from fleet_server.screens.check import screen_faults
from fleet_server.screens.gallery import gallery_of, png_of
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read

router = APIRouter(prefix="/api/v1", responses=FAULTS)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
Language = Annotated[str, Path(pattern="^[a-z]{2,3}$", examples=["sv"])]


@router.get("/library")
def items(person: Coordinator, session: ReadSession) -> shapes.Library:
    """The ready questions from which drafts choose, each in its newest version."""
    found = [shapes.Item.model_validate(item, from_attributes=True) for item in library.items(session)]
    return shapes.Library(items=found)


@router.get("/drafts/{draft_id}/history")
def history(
    person: Coordinator, session: ReadSession, draft_id: RowId, after: After = 0, limit: Limit = 100
) -> shapes.Edits:
    """Every edit: who, when, what."""
    draft_row(session, draft_id)
    rows = service.edits(session, draft_id, since=after)
    shown = [
        shapes.Edit(
            revision=row.revision, at=utc(row.at), by=row.by, ops=json.loads(row.op), undoes=row.undoes
        )
        for row in rows[:limit]
    ]
    return shapes.Edits(edits=shown, next=shown[-1].revision if len(rows) > limit else None)


@router.get("/drafts/{draft_id}/compare")
def compare_draft(person: Coordinator, session: ReadSession, draft_id: RowId) -> desk_shapes.Comparison:
    """What a draft changes against the question set that it was made from."""
    draft = draft_row(session, draft_id)
    row = session.get(QuestionSet, draft.previous) if draft.previous is not None else None
    if row is None:
        raise HTTPException(404, f"draft {draft_id} was made from no question set")
    return comparison(compare(questions.body_of(row), service.body(draft)))


@router.get("/drafts/{draft_id}/texts")
def languages(person: Coordinator, session: ReadSession, draft_id: RowId) -> shapes.Languages:
    """The languages of a draft, with what is missing in them and what its source has left behind."""
    draft = draft_row(session, draft_id)
    states = language_states(service.body(draft), stale(session, draft), required_languages(session))
    return shapes.Languages(
        revision=draft.revision,
        languages=[
            shapes.Language(
                language=one.code,
                is_source=one.source,
                required=one.required,
                missing=one.missing,
                stale=one.stale,
            )
            for one in states
        ],
    )


@router.get("/drafts/{draft_id}/texts/{language}")
def texts(person: Coordinator, session: ReadSession, draft_id: RowId, language: Language) -> shapes.Texts:
    """Everything that a draft says, in one of its languages, beside the source."""
    draft = draft_row(session, draft_id)
    body = _in_language(draft, language)
    source, old = body["languages"][0], stale(session, draft)
    found = [
        shapes.TextInLanguage(
            path=slot.path(language),
            kind=slot.kind,
            question=slot.code,
            source=slot.texts.get(source, ""),
            text=slot.texts.get(language, ""),
            ready=slot.kind == "word" and language in slot.texts and language not in slot.own,
            locked=slot.locked,
            stale_for=old.get(slot.path(language)),
            most=slot.limit,
        )
        for slot in slots(body)
    ]
    return shapes.Texts(revision=draft.revision, language=language, source_language=source, texts=found)


@router.put("/drafts/{draft_id}/texts/{language}")
def translate(
    request: Request,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    draft_id: RowId,
    language: Language,
    asked: shapes.Translation,
) -> desk_shapes.Applied:
    """Translate. Refused where the source says something else than at `revision`: look at it first."""
    draft = draft_row(session, draft_id)
    body = _in_language(draft, language)
    translating.check_paths(body, language, [*asked.texts, *asked.keep])
    if asked.revision > draft.revision:
        text = N_("Revision %(value)s is none of this draft.")
        raise Refused({"revision": (text, {"value": asked.revision})})
    shown = service.body_at(session, draft, asked.revision)
    wanted = translating.wanted(shown, body, asked.texts, asked.keep)
    done = service.apply(session, person, draft_id, wanted, asked.revision, now=now)
    return applied(request, session, draft_id, done)


@router.get("/drafts/{draft_id}/texts.xlsx", response_class=Response)
def sheet_out(person: Coordinator, session: ReadSession, draft_id: RowId) -> Response:
    """The texts as a spreadsheet for a translator."""
    draft = draft_row(session, draft_id)
    content = to_xlsx(service.body(draft), draft=draft_id, revision=draft.revision)
    return Response(content, media_type=XLSX)


@router.post(
    "/drafts/{draft_id}/texts.xlsx",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def sheet_in(request: Request, person: Coordinator, draft_id: RowId) -> shapes.SheetRead:
    """What a spreadsheet that came back would change; refused with every fault of it. Nothing is done yet."""
    data = (await request.body())[: MAX_FILE_BYTES + 1]

    def look(session: Session) -> shapes.SheetRead:
        draft = draft_row(session, draft_id)
        listed, faults = come_back(session, draft, data)
        if faults:
            raise Hindered(faults)
        return shapes.SheetRead(
            revision=draft.revision,
            changes=[
                shapes.SheetChange(
                    op=op,
                    now=change.now,
                    then=change.then,
                    source_changed=change.moved,
                    text_changed=change.theirs,
                )
                for change, op in listed
            ],
        )

    return await read(request, look)


@router.get("/drafts/{draft_id}/preview")
def preview(
    person: Coordinator,
    session: ReadSession,
    draft_id: RowId,
    model: Annotated[str, Query(max_length=20)] = "",
    language: Annotated[str, Query(max_length=3)] = "",
    mode: Annotated[
        str, Query(max_length=40, description="of a touchscreen: contrast, large, low, joined by commas")
    ] = "",
) -> shapes.Preview:
    """Every screen of a draft on one model in one language; without `model` and `language` on the first ones."""
    draft = draft_row(session, draft_id)
    body, content = looking.as_set(draft), service.content_hash(draft)
    shown = gallery_of(body, f"/api/v1/drafts/{draft_id}/preview", draft.name, model, language, mode)
    chosen = shown.get("model")
    faults = faults_of(body) or (screen_faults(body, chosen) if chosen else [])
    return shapes.Preview(
        revision=draft.revision,
        content=content,
        models=shown["models"],
        to_see=to_see(session, draft, shown["models"]),
        model=chosen,
        language=shown.get("code"),
        faults=[str(fault) for fault in faults],
        screens=[
            shapes.Screen(
                picture=one.address, question=one.question, texts=list(one.texts), misfits=list(one.misfits)
            )
            for one in shown.get("pictures", [])
        ],
        looks=[
            shapes.Look(model=row.model, walked=row.walked, by=row.by, at=utc(row.at))
            for row in seen.previews(session, content)
        ],
    )


@router.get("/drafts/{draft_id}/preview/{model}/{key}.png", response_class=Response)
def picture(
    person: Coordinator,
    session: ReadSession,
    draft_id: RowId,
    model: Annotated[str, Path(pattern="^[a-z0-9]{1,20}$")],
    key: Annotated[str, Path(pattern="^[a-z0-9-]{1,30}$")],
    language: Annotated[str, Query(max_length=3)],
    mode: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """One screen as a PNG; what has no room is framed."""
    png = png_of(looking.as_set(draft_row(session, draft_id)), model, key, language, mode)
    return Response(png, media_type="image/png")


@router.post("/drafts/{draft_id}/preview")
def looked(
    person: Coordinator, session: WriteSession, now: Now, draft_id: RowId, asked: shapes.Looked
) -> desk_shapes.Draft:
    """Note that all screens of this content were looked at on a model; without it nothing is published."""
    draft = draft_row(session, draft_id)
    hindered = looking.look(session, person, draft, content=asked.content, model=asked.model, now=now)
    if hindered == "changed":
        raise HTTPException(409, "the draft says something else by now; look at its preview anew")
    if hindered:
        text = N_("“%(value)s” is no model that can show this draft without a fault; see its preview.")
        raise Refused({"model": (text, {"value": asked.model})})
    return desk_shapes.Draft(**draft_fields(draft))


def _in_language(draft: Draft, language: str) -> dict[str, Any]:
    body = service.body(draft)
    if language not in body["languages"]:
        raise HTTPException(404, f"draft {draft.id} does not ask in {language}")
    return body
