"""How many pressed in a unit or at a place: today beside what is usual, this week, over any days, and at what hours.

Volumes are open; what was answered is on other pages. A place's own page has its last hours and its misuse rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.devices.models import QR, Device
from fleet_server.instants import DAY_MS, HELSINKI, local, to_ms
from fleet_server.places import presses
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.places.periods import day_start
from fleet_server.places.presses import At
from fleet_server.places.tree import trail
from fleet_server.results.freshness import freshness
from fleet_server.results.pages import PlaceSubject, UnitSubject
from fleet_server.results.sources import channel_name, source_note
from fleet_server.results.spans import monday
from fleet_server.results.subjects import Subject
from fleet_server.web.deps import Now, ReadSession
from fleet_server.web.heat import heat_map
from fleet_server.web.i18n import _, language
from fleet_server.web.templating import render, weekday
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/results", include_in_schema=False)
DAYS = 28  # shown by default: each weekday as often as every other
MOST_DAYS = 3 * 366
_A_MONDAY = to_ms(datetime(2026, 1, 5, 12, tzinfo=HELSINKI))

DayText = Annotated[str, Query(max_length=20)]
From = Annotated[str, Query(alias="from", max_length=20)]
Part = Literal["", "today"]


@dataclass(frozen=True)
class Line:
    """A part's or a source's presses. `note`: channel and model of a device."""

    name: str
    address: str
    note: str
    today: int
    week: int
    chosen: int


@dataclass(frozen=True)
class Days:
    """The chosen days, Finnish midnights [start, stop); `errors` by field, with what was typed."""

    start: int
    stop: int
    typed: dict[str, str]
    errors: dict[str, str]


@router.get("/units/{unit_id}/volumes")
def unit_volumes(
    request: Request,
    subject: UnitSubject,
    session: ReadSession,
    now: Now,
    since: From = "",
    to: DayText = "",
    part: Part = "",
) -> Response:
    """A unit with all below it, and each of its parts."""
    return _page(request, session, subject, now, _days(since, to, now), part)


@router.get("/places/{place_id}/volumes")
def place_volumes(
    request: Request,
    subject: PlaceSubject,
    session: ReadSession,
    now: Now,
    since: From = "",
    to: DayText = "",
    part: Part = "",
) -> Response:
    """A place, and each device that stands or stood there."""
    return _page(request, session, subject, now, _days(since, to, now), part)


def _page(request: Request, session: Session, subject: Subject, now: int, days: Days, part: str) -> Response:
    at = At(place_id=subject.place.id) if subject.place else At(unit_id=subject.unit.id)
    tomorrow = day_start(now, 1)
    spans = ((day_start(now), tomorrow), (monday(day_start(now)), tomorrow), (days.start, days.stop))
    found = [presses.by_source(session, at, *span) for span in (spans[:2] if part else spans)]
    context: dict[str, Any] = {
        "subject": subject,
        "title": subject.place.name if subject.place else unit_name(subject.unit),
        "address": f"{subject.address}/volumes",
        "days": days,
        "figures": [sum(one.values()) for one in found[:2]],
        "usual": presses.today(session, at, now=now),
        "fresh": freshness(session, subject, now=now),
        "without_hour": presses.without_hour(session, at, days.start, days.stop),
    }
    if part:
        return render(request, "results/_today.html", **context)
    above = trail(session, subject.unit, language())
    sources = _devices(session, at, found) if subject.place else _channels(found)
    return render(
        request,
        "results/volumes.html",
        422 if days.errors else 200,
        trail=above if subject.place else above[:-1],
        heat=heat_map(presses.by_weekday(presses.by_hour(session, at, days.start, days.stop))),
        weekdays=[weekday(_A_MONDAY + day * DAY_MS) for day in range(7)],
        sources=sources,
        parts=[] if subject.place else _parts(session, subject.unit, spans),
        whole=sum(line.chosen for line in sources),
        **context,
    )


_Spans = tuple[tuple[int, int], ...]


def _devices(session: Session, at: At, found: Sequence[dict[str, int]]) -> list[Line]:
    """Those that pressed in the days, and those that stand there."""
    standing = select(Installation.device_id).where(
        Installation.place_id == at.place_id, col(Installation.to_at).is_(None)
    )
    wanted = {*(name for one in found for name in one), *session.exec(standing)}
    devices = session.exec(select(Device).where(col(Device.id).in_(wanted)).order_by(col(Device.name)))
    return [
        Line(
            _("Answers by phone") if device.channel == QR else device.name,
            "",
            source_note(device),
            *(one.get(device.id, 0) for one in found),
        )
        for device in devices
    ]


def _channels(found: Sequence[dict[str, int]]) -> list[Line]:
    names = sorted({name for one in found for name in one})
    return [Line(channel_name(name), "", "", *(one.get(name, 0) for one in found)) for name in names]


def _parts(session: Session, unit: Unit, spans: _Spans) -> list[Line]:
    """The units below, then the places of the unit itself; demo places are in no sum and not here."""
    units = session.exec(select(Unit).where(Unit.parent_id == unit.id)).all()
    places = session.exec(
        select(Place).where(Place.unit_id == unit.id, col(Place.demo).is_(False)).order_by(col(Place.name))
    ).all()
    of_units = [presses.of_units(session, [one.id or 0 for one in units], *span) for span in spans]
    of_places = [presses.of_places(session, [one.id or 0 for one in places], *span) for span in spans]
    lines = [
        Line(
            unit_name(one),
            f"/results/units/{one.id}/volumes",
            "",
            *(each.get(one.id or 0, 0) for each in of_units),
        )
        for one in sorted(units, key=lambda one: unit_name(one).casefold())
    ]
    return lines + [
        Line(
            one.name,
            f"/results/places/{one.id}/volumes",
            "",
            *(each.get(one.id or 0, 0) for each in of_places),
        )
        for one in places
    ]


def _days(since: str, to: str, now: int) -> Days:
    """The days that were typed; with faults the usual ones are shown and what was typed stays."""
    errors: dict[str, str] = {}
    today = day_start(now)
    usual = day_start(today, 1 - DAYS), today
    start = _midnight("from", since, usual[0], errors)
    last = _midnight("to", to, usual[1], errors)
    if not errors and last > today:
        errors["to"] = _("“%(value)s” has not come yet: the last day is today.") % {"value": to}
    if not errors and start > last:
        errors["from"] = _("“%(value)s” is after the last day.") % {"value": since or _iso(start)}
    if not errors and last - start > MOST_DAYS * DAY_MS:
        text = _("“%(value)s” is too long ago: three years are shown at most.")
        errors["from"] = text % {"value": since}
    typed = {"from": since or _iso(start), "to": to or _iso(last)}
    start, last = usual if errors else (start, last)
    return Days(start, day_start(last, 1), typed, errors)


def _midnight(name: str, typed: str, otherwise: int, errors: dict[str, str]) -> int:
    if not typed.strip():
        return otherwise
    try:
        day = Date.fromisoformat(typed.strip())
        if day.year < 2000:
            raise ValueError
    except ValueError:
        errors[name] = _("“%(value)s” is no date; write it as 2026-01-31.") % {"value": typed}
        return otherwise
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=HELSINKI))


def _iso(midnight: int) -> str:
    return local(midnight).date().isoformat()
