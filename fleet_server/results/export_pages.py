"""The files of a subject's results: workbook, CSV, open texts; for whoever reads its page. They change nothing.

Invariant: no file with open texts leaves before the audit log says who took it, of what and by which filters.
"""

import re
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.accounts.access import Person
from fleet_server.results.export import Export, gathered, results_csv, texts_csv
from fleet_server.results.pages import Choice, PlaceSubject, Reader, Shown, UnitSubject
from fleet_server.results.pieces import Grain, Piece
from fleet_server.results.spans import period
from fleet_server.results.subjects import Subject
from fleet_server.results.taken import note
from fleet_server.results.workbook import to_xlsx
from fleet_server.web.deps import Now, read
from fleet_server.web.i18n import language
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results", include_in_schema=False)
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
File = Literal["results.xlsx", "results.csv", "texts.csv"]


@router.get("/units/{unit_id}/{file}")
async def of_unit(
    request: Request, subject: UnitSubject, person: Reader, now: Now, choice: Choice, file: File
) -> Response:
    """A unit's file, of the time that its page shows."""
    return await _file(request, subject, person, now, choice, file)


@router.get("/places/{place_id}/{file}")
async def of_place(
    request: Request, subject: PlaceSubject, person: Reader, now: Now, choice: Choice, file: File
) -> Response:
    """A place's file."""
    return await _file(request, subject, person, now, choice, file)


def attachment(content: bytes, name: str, media_type: str) -> Response:
    """An answer that a browser saves under this name."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


async def _file(
    request: Request, subject: Subject, person: Person, now: int, choice: Shown, file: File
) -> Response:
    def made(session: Session) -> tuple[Response, int]:
        export = _gathered(session, subject, now, choice)
        name = _name(export, file)
        if file == "results.csv":
            return attachment(results_csv(export), name, CSV), 0
        content = to_xlsx(export, now=now) if file == "results.xlsx" else texts_csv(export)
        return attachment(content, name, XLSX if file == "results.xlsx" else CSV), len(export.texts)

    response, texts = await read(request, made)
    filtered = choice.filtered == "with"
    await note(request, person, subject, now=now, file=file, span=choice.span, filtered=filtered, texts=texts)
    return response


def _gathered(session: Session, subject: Subject, now: int, choice: Shown) -> Export:
    shown = period(choice.span, now)
    grain: Grain = "month" if shown.monthly else "week"
    return gathered(
        session,
        subject,
        subject.place.name if subject.place else unit_name(subject.unit),
        Piece(shown.starts[0], shown.stop),
        grain,
        language(),
        with_filtered=bool(choice.filtered),
    )


def _name(export: Export, file: str) -> str:
    """Names of units hold any letter; a header takes ASCII alone."""
    subject = f"{export.subject.where.scope}-{export.subject.where.id}"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", export.name).strip("-").lower()
    kind, _, ending = file.partition(".")
    days = f"{export.time.first.isoformat()}-{export.time.last.isoformat()}"
    return "-".join(part for part in (kind, subject, plain, days) if part) + f".{ending}"
