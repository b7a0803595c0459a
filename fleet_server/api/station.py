"""`/api/v1` for the technician's tool: new devices, where they stand, swaps, acceptance reports.

These routes name the scope of a technician's own token (accounts/station_tokens.py); its rules are those of the pages.
"""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as InPath
from sqlmodel import Session, col, select

from fleet_server.accounts.access import STATION, NotAllowed, Person, allow, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.api import station_shapes as shapes
from fleet_server.api.shapes import FAULTS
from fleet_server.devices.models import Device
from fleet_server.instants import utc
from fleet_server.places import service as places
from fleet_server.settings import Settings
from fleet_server.technician import orders, placing, reports
from fleet_server.technician.telling import tell, tell_page
from fleet_server.web.deps import Now, ReadSession, WriteSession
from provisioning.models import MODELS

router = APIRouter(prefix="/api/v1", responses=FAULTS)
Technician = Annotated[Person, allow(Role.TECHNICIAN, scope=STATION)]
DeviceId = Annotated[str, InPath(max_length=12)]


@router.get("/station")
def station(request: Request, person: Technician) -> shapes.Station:
    """Who the token acts for, and what kiosks have to be told."""
    settings: Settings = request.app.state.settings
    return shapes.Station(
        technician=person.email or person.name,
        address=settings.address_for(request.headers.get("host", "")),
        models=list(MODELS),
        broker=_broker(settings),
    )


@router.post("/devices", status_code=201)
def new_device(
    request: Request, person: Technician, session: WriteSession, now: Now, asked: shapes.NewDevice
) -> shapes.DeviceMade:
    """A new device with its secret; asked again with the same key, the same device."""
    wanted = orders.Order(asked.key, asked.name, asked.model, asked.serial, asked.virtual, asked.place)
    done = orders.order(session, person, wanted, now=now)
    standing = places.standing_of(session, done.device.id)
    tell(request, session, [done.device.id], [standing.place_id] if standing else [], now)
    return shapes.DeviceMade(
        id=done.device.id,
        name=done.device.name,
        model=done.device.model,
        place_id=standing.place_id if standing else None,
        new=done.new,
        secret=done.secret,
    )


@router.post("/devices/{device_id}/place")
def put(
    request: Request,
    person: Technician,
    session: WriteSession,
    now: Now,
    device_id: DeviceId,
    where: shapes.Where,
) -> shapes.Stands:
    """Let the device stand at a place from now on."""
    device = seen(session, person, device_id)
    before = places.standing_of(session, device_id)
    stands = placing.put(session, person, device, where.place, now=now)
    tell(request, session, [device_id], {where.place} | ({before.place_id} if before else set()), now)
    return shapes.Stands(device_id=device_id, place_id=stands.place_id, since=utc(stands.from_at))


@router.post("/devices/{device_id}/swap")
def swap(
    request: Request,
    person: Technician,
    session: WriteSession,
    now: Now,
    device_id: DeviceId,
    asked: shapes.SwapAsked,
) -> shapes.SwapDone:
    """Let another device take over place, question set and schedules of this one; asked again it is done once."""
    old, new = seen(session, person, device_id), seen(session, person, asked.new)
    done = placing.swap(session, person, old, new, without_questions=asked.without_questions, now=now)
    tell(request, session, [old.id, new.id], [done.place.id or 0], now)
    return shapes.SwapDone(
        place_id=done.place.id or 0,
        place=done.place.name,
        old=old.id,
        new=new.id,
        question_set=done.set_number,
        waiting=done.waiting,
    )


@router.post("/devices/{device_id}/acceptance", status_code=201)
def accept(
    request: Request,
    person: Technician,
    session: WriteSession,
    now: Now,
    device_id: DeviceId,
    report: reports.Report,
) -> shapes.AcceptanceKept:
    """Keep an acceptance report of the device; sent again with the same key it is kept once."""
    device = seen(session, person, device_id)
    if not placing.may_place(session, person, device):
        raise NotAllowed
    kept = reports.keep(session, person, device, report, now=now)
    tell_page(request, session, device_id)
    return _acceptance(request, kept)


@router.get("/devices/{device_id}/acceptance")
def acceptances(
    request: Request, person: Technician, session: ReadSession, device_id: DeviceId
) -> list[shapes.AcceptanceKept]:
    """The device's acceptance reports, newest first."""
    seen(session, person, device_id)
    return [_acceptance(request, kept) for kept in reports.of_device(session, device_id)]


def seen(session: Session, person: Person, device_id: str) -> Device:
    """A device that this person sees; for whoever may not, it does not exist."""
    row = session.exec(
        select(Device).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    ).first()
    if row is None:
        raise HTTPException(404, f"device {device_id!r} does not exist")
    return row


def _broker(settings: Settings) -> shapes.Broker:
    ca: Path | None = settings.kiosk_mqtt_ca_file or settings.mqtt_ca_file
    return shapes.Broker(
        host=settings.kiosk_mqtt_host or settings.mqtt_host or "127.0.0.1",
        port=settings.kiosk_mqtt_port or settings.mqtt_port,
        tls=ca is not None,
        ca=ca.read_text() if ca is not None else None,
        embedded=not settings.mqtt_host,
    )


def _acceptance(request: Request, kept: reports.Kept) -> shapes.AcceptanceKept:
    address = request.app.state.settings.address_for(request.headers.get("host", ""))
    return shapes.AcceptanceKept(
        id=kept.id,
        device_id=kept.device_id,
        verdict=kept.verdict,
        at=utc(kept.at),
        by=kept.by,
        address=f"{address}/devices/{kept.device_id}/acceptance/{kept.id}",
    )
