"""A note as a touch kiosk shows it, as a picture: before it is published as well as after."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import Response

from fleet_server.handling import kiosk_screen, on_kiosks, said
from fleet_server.handling.models import SaidAndDid
from fleet_server.handling.reach import Reader, subject_at
from fleet_server.results.scores import Where
from fleet_server.screens import drawing
from fleet_server.web.deps import ReadSession, RowId

router = APIRouter(prefix="/results", include_in_schema=False)


@router.get("/said-and-did/{said_id}/kiosk-{language}.png")
def picture(
    said_id: RowId,
    language: Annotated[str, Path(pattern="^(fi|sv|en)$")],
    person: Reader,
    session: ReadSession,
) -> Response:
    """The resting screen of a touch kiosk there, while the note is shown in this language."""
    row = session.get(SaidAndDid, said_id)
    if row is None:
        raise HTTPException(404)
    where = Where(row.scope, row.scope_id)
    subject_at(session, person, where)
    if language not in said.languages_of(row):
        raise HTTPException(404)
    note = on_kiosks.note_of(row, [language])
    page = kiosk_screen.page_of(note, language, on_kiosks.view_at(session, where))
    if not kiosk_screen.has_room(page):  # said beside the picture: what this kiosk asks leaves no room
        page = kiosk_screen.page_of(note, language, kiosk_screen.example_view())
    return Response(drawing.picture(page, kiosk_screen.MODEL), media_type="image/png")
