"""The pages of schedules: a week as a picture, made, changed and ended by coordinators; the county's choice of eves."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import (
    WHOLE_COUNTY,
    Person,
    SignedIn,
    allow,
    may,
    require,
    visible_places,
    visible_units,
)
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.devices import desired
from fleet_server.devices.models import KIOSK, Device
from fleet_server.instants import local
from fleet_server.places import choosing
from fleet_server.places import service as places
from fleet_server.places.hours import DAYS, read_week, week_text
from fleet_server.places.models import Place
from fleet_server.places.tree import unit_name
from fleet_server.questions.models import QuestionSet
from fleet_server.refusals import Refused
from fleet_server.schedules import planning, service, strip
from fleet_server.schedules.holidays import EVES, choose_eves, eves_of, holidays
from fleet_server.schedules.models import Schedule
from fleet_server.schedules.reading import HOLIDAYS, LAST_MS, choice_of, fault_of, weekly_of
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write
from fleet_server.web.forms import messages, row_id, said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render
from provisioning.models import MODELS

router = APIRouter(include_in_schema=False, prefix="/schedules")
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
FIELDS = ("name", "set_number", "first_day", "last_day", "holidays", *DAYS)


@router.get("")
def schedules(
    request: Request, person: SignedIn, session: ReadSession, now: Now, week: str = "", done: str = ""
) -> Response:
    """All schedules, and what is asked when in the week of the date `week`."""
    monday = _monday(week, now)
    this = _monday("", now)
    year = local(now).date()
    return render(
        request,
        "schedules/list.html",
        schedules=_rows(session, now),
        groups=strip.week(session, person, monday, person.language, now=now),
        monday=monday,
        week_number=monday.isocalendar().week,
        back=f"{max(monday - timedelta(days=7), this)}" if monday > this else "",
        on=f"{monday + timedelta(days=7)}",
        is_now=monday == this,
        now_at=now,
        holidays=[
            (strip.midnight(day), name)
            for day, name in holidays(
                year, year + timedelta(days=365), eves_of(session), person.language
            ).items()
        ],
        eves=EVES,
        eves_chosen=eves_of(session),
        may_change=may(person, Role.COORDINATOR),
        may_choose_eves=may(person, Role.COORDINATOR, WHOLE_COUNTY),
        done=done,
    )


@router.post("/eves")
def save_eves(
    request: Request,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    eve: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Which eves count as holidays, in the whole county."""
    require(person, WHOLE_COUNTY, Role.COORDINATOR)
    choose_eves(session, person, eve or [], now=now)
    tell(request, session, service.by_holidays(session, now=now), now)
    return RedirectResponse("/schedules?done=eves", 303)


@router.get("/new")
def new(request: Request, person: Coordinator, session: ReadSession, now: Now, set: str = "") -> Response:  # noqa: A002
    """The form of a new schedule; `set`: the number that is chosen in it already."""
    typed = {"set_number": set, "first_day": f"{local(now):%Y-%m-%d}", "holidays": "any"}
    return _form(request, session, person, None, typed, {kind: [] for kind in choosing.KINDS})


@router.get("/{schedule_id}")
def one(request: Request, schedule_id: RowId, person: SignedIn, session: ReadSession, now: Now) -> Response:
    """One schedule, to be changed by who keeps its places."""
    row = _row(session, schedule_id)
    typed = {
        "name": row.name,
        "set_number": str(row.set_number),
        "first_day": _day_text(row.from_at, 0),
        "last_day": _day_text(row.to_at, 1),
        "holidays": row.holidays,
        **week_text(json.dumps(weekly_of(row) or {})),
    }
    choice = choice_of(row) or {kind: [] for kind in choosing.KINDS}
    return _form(request, session, person, row, typed, choice)


@router.post("/new")
async def make(request: Request, person: Coordinator, now: Now) -> Response:
    """Make a schedule."""
    return await _save(request, person, None, now)


@router.post("/{schedule_id}")
async def change(request: Request, schedule_id: RowId, person: Coordinator, now: Now) -> Response:
    """Change a schedule."""
    return await _save(request, person, schedule_id, now)


@router.post("/{schedule_id}/end")
def end(
    request: Request, schedule_id: RowId, person: Coordinator, session: WriteSession, now: Now
) -> Response:
    """End a schedule now."""
    row = _kept(session, person, schedule_id)
    tell(request, session, service.end(session, person, row, now=now), now)
    return RedirectResponse("/schedules?done=ended", 303)


async def _save(request: Request, person: Person, schedule_id: int | None, now: int) -> Response:
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in FIELDS}
    choice: choosing.Choice = {
        kind: [
            value
            for text in form.getlist(kind)
            if (value := row_id(str(text)) if kind in ("units", "places") else str(text)) is not None
        ]
        for kind in choosing.KINDS
    }

    def save(session: Session) -> int:
        row = None if schedule_id is None else _kept(session, person, schedule_id)
        row, concerned = service.save(
            session,
            person,
            row,
            name=typed["name"],
            set_number=row_id(typed["set_number"]) or 0,
            choice=choice,
            first_day=typed["first_day"],
            last_day=typed["last_day"],
            weekly=read_week(typed),
            holidays=typed["holidays"],
            now=now,
        )
        tell(request, session, concerned, now)
        return row.from_at or now

    try:
        from_at = await write(request, save)
    except Refused as refused:
        errors = messages(refused)

        def again(session: Session) -> Response:
            row = None if schedule_id is None else _row(session, schedule_id)
            return _form(request, session, person, row, typed, choice, errors, 422)

        return await read(request, again)
    return RedirectResponse(f"/schedules?done=saved&week={local(max(from_at, now)):%Y-%m-%d}", 303)


def tell(request: Request, session: Session, concerned: Iterable[str], now: int) -> None:
    """Wish anew of these devices; sent once it is committed. Also for api/scheduling.py."""
    ids = sorted(concerned)
    sent = [desired.refresh(session, device_id, now=now) for device_id in ids]
    state = request.app.state

    def send() -> None:
        for message in sent:
            if message is not None and state.link is not None:
                state.link.send(*message)
        state.changes.notify(*(f"device:{device_id}" for device_id in ids))

    after_commit(session, send)


def _rows(session: Session, now: int) -> list[dict[str, Any]]:
    sets = {row.number: row.name for row in session.exec(select(QuestionSet))}
    return [
        {
            "row": row,
            "fault": said(fault_of(row)),
            "days": [_shown_instant(row.from_at), _shown_instant(row.to_at)],
            "set_name": sets.get(row.set_number, ""),
            "devices": len(service.concerns(session, row)),
            "week": {day: text for day, text in week_text(json.dumps(weekly_of(row) or {})).items() if text},
            "holidays": _(HOLIDAYS.get(row.holidays, row.holidays)),
        }
        for row in planning.unended(session, now=now)
    ]


def _form(
    request: Request,
    session: Session,
    person: Person,
    row: Schedule | None,
    typed: dict[str, str],
    choice: choosing.Choice,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    sets = session.exec(
        select(QuestionSet).where(col(QuestionSet.archived_at).is_(None)).order_by(col(QuestionSet.number))
    )
    units = places.all_units(session, visible_units(person))
    stands = session.exec(select(Place).where(col(Place.id).in_(visible_places(person))).order_by(Place.name))
    models = sorted(set(session.exec(select(Device.model).where(Device.channel == KIOSK))))
    return render(
        request,
        "schedules/form.html",
        status,
        row=row,
        typed=typed,
        errors=errors or {},
        sets=[(one.number, f"{one.number} · {one.name}") for one in sets],
        choices=[
            (
                "units",
                _("Units, with all below them"),
                [(one.id, unit_name(one, person.language)) for one in units],
            ),
            ("labels", _("Labels of places"), [(one, one) for one in choosing.all_labels(session, person)]),
            (
                "models",
                _("Models"),
                [(one, one) for one in models if one in MODELS and MODELS[one].screen != "none"],
            ),
            ("places", _("Places"), [(one.id, one.name) for one in stands]),
        ],
        chosen=choice,
        days=DAYS,
        holidays=[(key, _(text)) for key, text in HOLIDAYS.items()],
        may_change=row is None or (row.ended_at is None and service.keeps(session, person, choice_of(row))),
    )


def _shown_instant(at: int | None) -> int | None:
    return at if at is not None and 0 <= at < LAST_MS else None


def _day_text(at: int | None, before: int) -> str:
    at = _shown_instant(at)
    return "" if at is None else f"{local(at - before):%Y-%m-%d}"


def _row(session: Session, schedule_id: int) -> Schedule:
    row = session.get(Schedule, schedule_id)
    if row is None:
        raise HTTPException(404)
    return row


def _kept(session: Session, person: Person, schedule_id: int) -> Schedule:
    """A schedule that goes on and whose places this person looks after."""
    row = _row(session, schedule_id)
    if not service.keeps(session, person, choice_of(row)):
        require(person, WHOLE_COUNTY, Role.COORDINATOR)
    if row.ended_at is not None:
        raise HTTPException(404)
    return row


def _monday(typed: str, now: int) -> date:
    """The Monday of the week of a date, not before this week's nor more than two years ahead."""
    today = local(now).date()
    try:
        day = min(max(date.fromisoformat(typed), today), today + timedelta(days=730))
    except ValueError:
        day = today
    return day - timedelta(days=day.weekday())
