"""The overview (`/`) and a place's page: what comes in where, now, and whether the kiosks there are well.

Volumes only: how many pressed, never what. Everything starts from what the reader may see.
"""

from typing import Annotated, Any, Literal

from babel.dates import format_skeleton
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, visible_devices, visible_places
from fleet_server.devices.lines import device_lines
from fleet_server.devices.models import Device
from fleet_server.devices.views import stays
from fleet_server.instants import HOUR_MS, local
from fleet_server.phone.poster_pages import code_of
from fleet_server.places.misuse import misuse_at
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.places.tree import overview, trail
from fleet_server.places.volumes import Bucket, PlaceVolumes, place_volumes
from fleet_server.web.charts import BarChart, BarPoint, bar_chart
from fleet_server.web.deps import Now, ReadSession, RowId
from fleet_server.web.i18n import LOCALES, language
from fleet_server.web.templating import clock, date, number, render, weekday

router = APIRouter(include_in_schema=False)


@router.get("/")
def front(
    request: Request, person: SignedIn, session: ReadSession, now: Now, part: Literal["", "tree"] = ""
) -> Response:
    """All that the reader may see: sums, and the tree with places and devices. `part=tree`: only that."""
    template = "places/_overview.html" if part else "places/overview.html"
    return render(request, template, overview=overview(session, person, now=now))


@router.get("/places/{place_id}")
def place(
    request: Request,
    place_id: RowId,
    person: SignedIn,
    session: ReadSession,
    now: Now,
    days: Annotated[Literal["1", "7"], Query()] = "1",
    filtered: Literal["", "with"] = "",
    part: Literal["", "numbers", "devices"] = "",
) -> Response:
    """A place: its presses by the hour and the devices that stand or stood there."""
    row = _visible(session, person, place_id)
    unit = session.get_one(Unit, row.unit_id)
    context: dict[str, Any] = {
        "place": row,
        "unit": unit,
        "trail": trail(session, unit, person.language),
        "days": int(days),
        "with_filtered": bool(filtered),
        "phone": code_of(request, row),
    }
    if part in ("", "numbers"):
        volumes = place_volumes(session, place_id, days=int(days), now=now, with_filtered=bool(filtered))
        context |= {
            "volumes": volumes,
            "chart": hour_chart(volumes),
            "misuse": misuse_at(session, place_id, now=now),
        }
    if part in ("", "devices"):
        standing = select(Device).where(
            col(Device.id).in_(visible_devices(person)),
            col(Device.id).in_(
                select(Installation.device_id).where(
                    Installation.place_id == place_id, col(Installation.to_at).is_(None)
                )
            ),
        )
        context |= {
            "devices": device_lines(session, session.exec(standing.order_by(col(Device.name)))),
            "stays": stays(session, Installation.place_id == place_id),
            "seen": set(session.scalars(visible_devices(person))),
        }
    return render(request, f"places/_{part}.html" if part else "places/place.html", **context)


def hour_chart(volumes: PlaceVolumes) -> BarChart:
    """The place's hours as bars, with texts in the reader's language."""
    mark = _hour_mark if volumes.days == 1 else _day_mark
    points = [
        BarPoint(
            name=f"{weekday(hour.start)} {date(hour.start)} {_span(hour.start)}",
            counted=hour.counted + (hour.filtered if volumes.with_filtered else 0),
            filtered=0 if volumes.with_filtered else hour.filtered,
            mark=mark(hour),
        )
        for hour in volumes.hours
    ]
    return bar_chart(points, number)


def _span(start: int) -> str:
    return f"{clock(start)}–{clock(start + HOUR_MS)}"


def _hour_mark(hour: Bucket) -> str:
    moment = local(hour.start)
    return str(moment.hour) if moment.hour % 3 == 0 else ""


def _day_mark(hour: Bucket) -> str:
    moment = local(hour.start)
    return format_skeleton("Ed", moment, locale=LOCALES[language()]) if moment.hour == 12 else ""


def _visible(session: Session, person: Person, place_id: int) -> Place:
    """The place; for whoever may not see it, it does not exist."""
    row = session.exec(
        select(Place).where(Place.id == place_id, col(Place.id).in_(visible_places(person)))
    ).one_or_none()
    if row is None:
        raise HTTPException(404)
    return row
