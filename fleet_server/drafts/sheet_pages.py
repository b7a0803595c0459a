"""The texts of a draft out as a spreadsheet, and back in: first what would change, then, when the person says so, done.

It keeps nothing between the two: the page of what would change carries it. Invariant: with any fault in the sheet
nothing is done, and a text that was altered here while the sheet was away is replaced only when somebody ticks it.
"""

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.drafts import ops, service
from fleet_server.drafts.sheet import XLSX, to_xlsx
from fleet_server.drafts.sheet_back import by_path, come_back
from fleet_server.drafts.texts import Body
from fleet_server.drafts.texts_pages import Coordinator, Outcome, answer, apply, draft_of
from fleet_server.drafts.workbook import MAX_FILE_BYTES
from fleet_server.refusals import N_, Refused
from fleet_server.web.deps import Now, ReadSession, RowId, write
from fleet_server.web.forms import messages, said
from fleet_server.web.templating import render

router = APIRouter(prefix="/drafts", include_in_schema=False)


@router.get("/{draft_id}/texts.xlsx")
def sheet_out(draft_id: RowId, _person: Coordinator, session: ReadSession) -> Response:
    """The workbook for a translator."""
    draft = draft_of(session, draft_id)
    content = to_xlsx(service.body(draft), draft=draft_id, revision=draft.revision)
    name = re.sub(r"[^A-Za-z0-9]+", "-", draft.name).strip("-") or "draft"
    disposition = f'attachment; filename="{name}-{draft_id}.xlsx"'
    return Response(content, media_type=XLSX, headers={"content-disposition": disposition})


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
    listed, faults = come_back(session, draft, sheet.file.read(MAX_FILE_BYTES + 1))
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


def _only_texts(body: Body, given: list[dict[str, Any]]) -> None:
    """What the page before carried is a form like any other: nothing but texts of this draft is done by it."""
    known = by_path(body)
    for op in given:
        if op["do"] != "set" or op["path"] not in known:
            text = N_("“%(value)s” is no text of this draft that can be translated.")
            raise Refused({"ops": (text, {"value": op["path"]})})
