"""The page on which a place's opening hours are kept; presses outside of them are filtered, see answers/filters.py."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person
from fleet_server.answers.rules import CURRENT, VERSIONS
from fleet_server.db import after_commit
from fleet_server.instants import MINUTE_MS, local
from fleet_server.places import opening
from fleet_server.places.hours import DAYS, read_date, read_week, week_text
from fleet_server.places.keeping import Keeper, kept_place
from fleet_server.places.models import Place
from fleet_server.refusals import Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form()]


@router.get("/places/{place_id}/hours")
def hours_form(
    request: Request, place_id: RowId, person: Keeper, session: ReadSession, now: Now, done: str = ""
) -> Response:
    """The hours that hold now, to be changed from a date on, and all that held earlier or will."""
    place = kept_place(session, person, place_id)
    tables = opening.tables_of(session, place_id)
    in_force = next((row.weekly for row in tables if row.from_at <= now), "")
    typed = week_text(in_force) | {"from_date": f"{local(now):%Y-%m-%d}"}
    return _form(request, session, person, place, typed, done=bool(done))


@router.post("/places/{place_id}/hours")
def change_hours(
    request: Request,
    place_id: RowId,
    person: Keeper,
    session: WriteSession,
    now: Now,
    from_date: Typed = "",
    mon: Typed = "",
    tue: Typed = "",
    wed: Typed = "",
    thu: Typed = "",
    fri: Typed = "",
    sat: Typed = "",
    sun: Typed = "",
) -> Response:
    """Keep other hours from a date on."""
    place = kept_place(session, person, place_id)
    week = dict(zip(DAYS, (mon, tue, wed, thu, fri, sat, sun), strict=True))
    try:
        weekly, from_at = read_week(week), read_date(from_date)
    except Refused as refused:
        typed = week | {"from_date": from_date}
        return _form(request, session, person, place, typed, messages(refused), 422)
    opening.save_hours(session, person, place, from_at=from_at, weekly=weekly, now=now)
    after_commit(session, lambda: request.app.state.changes.notify(f"place:{place_id}"))
    return RedirectResponse(f"/places/{place_id}/hours?done=saved", 303)


def _form(
    request: Request,
    session: Session,
    person: Person,
    place: Place,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    status: int = 200,
    *,
    done: bool = False,
) -> Response:
    tables = [(row, week_text(row.weekly)) for row in opening.tables_of(session, place.id or 0)]
    grace = (VERSIONS[CURRENT].grace_ms or 0) // MINUTE_MS
    return render(
        request,
        "places/hours.html",
        status,
        place=place,
        typed=typed,
        errors=errors or {},
        tables=tables,
        days=DAYS,
        grace_minutes=grace,
        done=done,
    )
