"""The texts of a draft out as a spreadsheet, and back in: first what would change, then, when the person says so, done.

It keeps nothing between the two: the page of what would change carries it. Invariant: with any fault in the sheet
nothing is done, and a text that was altered here while the sheet was away is replaced only when somebody ticks it.
"""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.drafts import ops, service
from fleet_server.drafts.sheet import Sheet, changes, read, to_xlsx, what
from fleet_server.drafts.texts import Body, Slot, slots, tidy
from fleet_server.drafts.texts_pages import Coordinator, Outcome, answer, apply, draft_of
from fleet_server.drafts.workbook import MAX_FILE_BYTES
from fleet_server.questions.types import LANGUAGES
from fleet_server.refusals import N_, Refused, Sentence
from fleet_server.web.deps import Now, ReadSession, RowId, write
from fleet_server.web.forms import messages, said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/drafts", include_in_schema=False)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Change:
    """One text that the sheet says otherwise. `moved`: its source was altered here since, `theirs`: it was itself."""

    index: int
    what: str
    code: str
    language: str
    name: str
    now: str
    then: str
    moved: bool
    theirs: bool


@router.get("/{draft_id}/texts.xlsx")
def sheet_out(draft_id: RowId, _person: Coordinator, session: ReadSession) -> Response:
    """The workbook for a translator."""
    draft = draft_of(session, draft_id)
    content = to_xlsx(service.body(draft), draft=draft_id, revision=draft.revision)
    name = re.sub(r"[^A-Za-z0-9]+", "-", draft.name).strip("-") or "draft"
    disposition = f'attachment; filename="{name}-{draft_id}.xlsx"'
    return Response(content, media_type=_XLSX, headers={"content-disposition": disposition})


@router.post("/{draft_id}/texts/sheet")
def sheet_in(
    request: Request,
    draft_id: RowId,
    _person: Coordinator,
    session: ReadSession,
    sheet: Annotated[UploadFile, File()],
) -> Response:
    """What a sheet that came back would change, or every fault of it. Nothing is done yet."""
    draft = draft_of(session, draft_id)
    found, faults = read(sheet.file.read(MAX_FILE_BYTES + 1))
    wanted: list[dict[str, Any]] = []
    base: Body = {}
    if found is not None:
        foreign = _foreign(found, draft_id, draft.revision)
        if foreign:
            faults = [foreign]
        else:
            base = service.body_at(session, draft, found.revision)
            wanted, more = changes(base, found)
            faults = faults + more
    listed = [] if faults else _listed(base, service.body(draft), wanted)
    return render(
        request,
        "drafts/sheet.html",
        status_code=422 if faults else 200,
        draft=draft,
        file_name=sheet.filename or "",
        faults=[said(fault) for fault in faults],
        changes=[change for change, _op in listed],
        ops=json.dumps([op for _change, op in listed], ensure_ascii=False),
    )


@router.post("/{draft_id}/texts/sheet/apply")
async def sheet_apply(
    request: Request,
    draft_id: RowId,
    person: Coordinator,
    now: Now,
    revision: Annotated[int, Form(ge=0)],
    wanted: Annotated[str, Form()],
    take: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Do the ticked ones of what the page before has shown."""

    def do(session: Session) -> Outcome:
        given = ops.read(wanted)
        _only_texts(service.body(draft_of(session, draft_id)), given)
        chosen = [given[index] for index in take or [] if 0 <= index < len(given)]
        outcome = apply(request, session, person, draft_id, chosen, revision, now=now)
        outcome.done = "sheet" if outcome.done == "saved" else outcome.done
        return outcome

    try:
        outcome = await write(request, do)
    except Refused as refused:
        outcome = Outcome(errors=messages(refused))
    return await answer(request, draft_id, outcome)


def _foreign(sheet: Sheet, draft_id: int, revision: int) -> Sentence | None:
    if sheet.draft != draft_id:
        return Sentence(
            N_("This sheet was made of draft %(value)s, not of this one (%(draft)s)."),
            value=sheet.draft,
            draft=draft_id,
        )
    if sheet.revision > revision:
        return Sentence(
            N_(
                "This sheet was made of revision %(value)s, and the draft has only %(draft)s. Make a new sheet."
            ),
            value=sheet.revision,
            draft=revision,
        )
    return None


def _listed(base: Body, now: Body, wanted: list[dict[str, Any]]) -> list[tuple[Change, dict[str, Any]]]:
    """What would change, each beside its operation; what says so already is no change."""
    before, present = _by_path(base), _by_path(now)
    source = now["languages"][0]
    listed: list[tuple[Change, dict[str, Any]]] = []
    for op in wanted:
        there = present.get(op["path"])
        if there is None:  # the question or the language is gone
            continue
        slot, language = there
        then_slot = before[op["path"]][0]
        text, says = op["to"] or "", slot.texts.get(language, "")
        if tidy(says) == text:
            continue
        change = Change(
            index=len(listed),
            what=what(slot),
            code=slot.code,
            language=language,
            name=_(LANGUAGES[language]),
            now=says,
            then=text,
            moved=then_slot.texts.get(source) != slot.texts.get(source),
            theirs=then_slot.texts.get(language) != slot.texts.get(language),
        )
        listed.append((change, op))
    return listed


def _by_path(body: Body) -> dict[str, tuple[Slot, str]]:
    return {
        slot.path(language): (slot, language)
        for slot in slots(body)
        if not slot.locked
        for language in body["languages"]
    }


def _only_texts(body: Body, given: list[dict[str, Any]]) -> None:
    """What the page before carried is a form like any other: nothing but texts of this draft is done by it."""
    known = _by_path(body)
    for op in given:
        if op["do"] != "set" or op["path"] not in known:
            text = N_("“%(value)s” is no text of this draft that can be translated.")
            raise Refused({"ops": (text, {"value": op["path"]})})
