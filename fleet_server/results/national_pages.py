"""The page of the national comparison file and the file itself, for who coordinates the whole county."""

from datetime import date
from typing import Annotated, Any

from babel.dates import format_skeleton
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.instants import local
from fleet_server.refusals import Refused
from fleet_server.results.export_pages import CSV, attachment
from fleet_server.results.national import (
    MOST_MONTHS,
    NationalGrain,
    month_of,
    national_csv,
    schema,
    whole_time,
    without_oid,
)
from fleet_server.results.pieces import month_after
from fleet_server.results.subjects import coordinates_county
from fleet_server.web.deps import Now, ReadSession
from fleet_server.web.forms import messages
from fleet_server.web.i18n import LOCALES, language
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results/national", include_in_schema=False)


def _coordinates_all(person: Annotated[Person, allow(Role.COORDINATOR)], session: ReadSession) -> Person:
    if not coordinates_county(session, person):
        raise HTTPException(404)
    return person


Coordinator = Annotated[Person, Depends(_coordinates_all)]


@router.get("")
def page(request: Request, person: Coordinator, session: ReadSession, now: Now) -> Response:
    """What the file holds, for which months it can be made, and which units it cannot name."""
    last = month_after(local(now).date(), -1)
    return _page(request, session, now, {"from": f"{month_after(last, -2):%Y-%m}", "to": f"{last:%Y-%m}"})


@router.get("/schema.json")
def table_schema(person: Coordinator) -> Response:
    """The file's columns for programs, as a Frictionless table schema."""
    return JSONResponse(schema())


@router.get("/file.csv")
def file(
    request: Request,
    person: Coordinator,
    session: ReadSession,
    now: Now,
    grain: NationalGrain = "month",
) -> Response:
    """The file of the months from `from` to `to`; the page again, with the reason, when they are none."""
    typed = {name: request.query_params.get(name, "").strip() for name in ("from", "to")} | {"grain": grain}
    try:
        time = whole_time(month_of(typed["from"], "from"), month_of(typed["to"], "to"))
    except Refused as refused:
        return _page(request, session, now, typed, messages(refused))
    content = national_csv(session, time, grain)
    return attachment(content, f"national-{typed['from']}-{typed['to']}-{grain}.csv", CSV)


def _page(
    request: Request, session: Session, now: int, typed: dict[str, str], errors: dict[str, str] | None = None
) -> Response:
    this = local(now).date()
    months = [month_after(this, -back) for back in range(MOST_MONTHS)]
    nameless = [(unit.id, unit_name(unit)) for unit in without_oid(session)]
    context: dict[str, Any] = {
        "months": [(f"{month:%Y-%m}", _month(month)) for month in months],
        "this_month": _month(this),
        "typed": {"grain": "month"} | typed,
        "errors": errors or {},
        "nameless": nameless,
        "k": county.rules(session).least_respondents,
    }
    return render(request, "results/national.html", 422 if errors else 200, **context)


def _month(day: date) -> str:
    """Its name in the language of the request: "March 2026"."""
    return format_skeleton("yMMMM", day, locale=LOCALES[language()])
