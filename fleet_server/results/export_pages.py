"""The files of a subject's results: workbook, CSV, open texts; for whoever reads its page. They change nothing."""

import re
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.results.export import Export, gathered, results_csv, texts_csv
from fleet_server.results.pages import Choice, PlaceSubject, Shown, UnitSubject
from fleet_server.results.pieces import Grain, Piece
from fleet_server.results.spans import period
from fleet_server.results.subjects import Subject
from fleet_server.results.workbook import to_xlsx
from fleet_server.web.deps import Now, ReadSession
from fleet_server.web.i18n import language
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results", include_in_schema=False)
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
File = Literal["results.xlsx", "results.csv", "texts.csv"]


@router.get("/units/{unit_id}/{file}")
def of_unit(subject: UnitSubject, session: ReadSession, now: Now, choice: Choice, file: File) -> Response:
    """A unit's file, of the time that its page shows."""
    return _file(session, subject, now, choice, file)


@router.get("/places/{place_id}/{file}")
def of_place(subject: PlaceSubject, session: ReadSession, now: Now, choice: Choice, file: File) -> Response:
    """A place's file."""
    return _file(session, subject, now, choice, file)


def attachment(content: bytes, name: str, media_type: str) -> Response:
    """An answer that a browser saves under this name."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _file(session: Session, subject: Subject, now: int, choice: Shown, file: File) -> Response:
    shown = period(choice.span, now)
    grain: Grain = "month" if shown.monthly else "week"
    export = gathered(
        session,
        subject,
        subject.place.name if subject.place else unit_name(subject.unit),
        Piece(shown.starts[0], shown.stop),
        grain,
        language(),
        with_filtered=bool(choice.filtered),
    )
    name = _name(export, file)
    if file == "results.xlsx":
        return attachment(to_xlsx(export, now=now), name, XLSX)
    return attachment(results_csv(export) if file == "results.csv" else texts_csv(export), name, CSV)


def _name(export: Export, file: str) -> str:
    """Names of units hold any letter; a header takes ASCII alone."""
    subject = f"{export.subject.where.scope}-{export.subject.where.id}"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", export.name).strip("-").lower()
    kind, _, ending = file.partition(".")
    days = f"{export.time.first.isoformat()}-{export.time.last.isoformat()}"
    return "-".join(part for part in (kind, subject, plain, days) if part) + f".{ending}"
