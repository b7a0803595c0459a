"""From a device's page, where its label's code leads: "place it here" with undo, and "swap this kiosk".

Technicians where the device stands and where it is to stand; for whoever may not see the device, it does not exist.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import NotAllowed, Person, allow, may, visible_devices, visible_units
from fleet_server.accounts.models import Role
from fleet_server.devices.models import KIOSK, Device
from fleet_server.places import service as places
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.refusals import N_, Hindered, Refused
from fleet_server.technician import placing
from fleet_server.technician.telling import tell
from fleet_server.web.deps import Now, ReadSession, WriteSession
from fleet_server.web.forms import messages, row_id, said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name

router = APIRouter(include_in_schema=False, prefix="/devices/{device_id}")
DeviceId = Annotated[str, Path(pattern="^[a-z0-9]{12}$")]
Technician = Annotated[Person, allow(Role.TECHNICIAN)]
Typed = Annotated[str, Form()]
Searched = Annotated[str, Query(max_length=100)]
MOST_SHOWN = 30  # more is no list to look through on a phone: search says so


@dataclass(frozen=True)
class Spot:
    """A place to choose: its unit's names from the top, and the devices that stand there now."""

    id: int
    name: str
    demo: bool
    trail: str
    devices: tuple[str, ...]


@router.get("/place")
def place(
    request: Request,
    device_id: DeviceId,
    person: Technician,
    session: ReadSession,
    now: Now,
    q: Searched = "",
    place: str = "",
) -> Response:
    """Search a place; with `place` chosen, the question whether the device shall stand there."""
    device = _placed_by(session, person, device_id)
    return _place(request, session, person, device, now, q=q, chosen=row_id(place))


@router.post("/place")
def put(
    request: Request,
    device_id: DeviceId,
    person: Technician,
    session: WriteSession,
    now: Now,
    place: Typed = "",
) -> Response:
    """Let the device stand there from now on."""
    device = _placed_by(session, person, device_id)
    before = places.standing_of(session, device_id)
    try:
        stands = placing.put(session, person, device, row_id(place) or 0, now=now)
    except Refused as refused:
        return _place(request, session, person, device, now, errors=messages(refused), status=422)
    left = {before.place_id} if before else set()
    tell(request, session, [device_id], {stands.place_id} | left, now)
    return RedirectResponse(f"/devices/{device_id}/place", 303)


@router.post("/place/undo")
def undo(
    request: Request,
    device_id: DeviceId,
    person: Technician,
    session: WriteSession,
    now: Now,
    installation: Typed = "",
) -> Response:
    """Take the last placing back. 409 when something else happened meanwhile."""
    device = _placed_by(session, person, device_id)
    before = places.standing_of(session, device_id)
    try:
        back = placing.undo(session, person, device, row_id(installation) or 0, now=now)
    except Refused as refused:
        raise HTTPException(409, next(iter(messages(refused).values()))) from None
    touched = {before.place_id} if before else set()
    tell(request, session, [device_id], touched | ({back.id or 0} if back else set()), now)
    return RedirectResponse(f"/devices/{device_id}/place?q=", 303)


@router.get("/swap")
def swap_form(
    request: Request, device_id: DeviceId, person: Technician, session: ReadSession, new: str = ""
) -> Response:
    """Choose what takes over; with `new` chosen, what will happen."""
    return _swap(request, session, person, _placed_by(session, person, device_id, revoked=True), chosen=new)


@router.post("/swap")
def swap(
    request: Request,
    device_id: DeviceId,
    person: Technician,
    session: WriteSession,
    now: Now,
    new: Typed = "",
    without_questions: Typed = "",
) -> Response:
    """Let the chosen device take over; then the old one's page says what becomes of its answers."""
    old = _placed_by(session, person, device_id, revoked=True)
    try:
        heir = session.exec(_seen(person, new)).first()
        if heir is None:
            raise Refused({"new": (N_("There is no device “%(value)s”."), {"value": new[:60]})})
        done = placing.swap(session, person, old, heir, without_questions=bool(without_questions), now=now)
    except Refused as refused:
        return _swap(request, session, person, old, chosen="", errors=messages(refused), status=422)
    except Hindered as hindered:
        errors = {"without_questions": "; ".join(said(fault) for fault in hindered.faults)}
        return _swap(request, session, person, old, chosen=new, errors=errors, status=422)
    tell(request, session, [old.id, heir.id], [done.place.id or 0], now)
    return RedirectResponse(f"/devices/{old.id}", 303)


@dataclass(frozen=True)
class Care:
    """What a device's page offers. `swap`: what took it out of service; `heir`, `place`: names, '' unseen."""

    may_place: bool
    may_swap: bool
    stands: bool
    swap: Any
    heir: str
    place: str
    waiting: int


def care_of(session: Session, person: Person, device: Device) -> Care:
    """For the device's own page."""
    swap = placing.swap_of(session, device.id)
    heir = session.exec(_seen(person, swap.new_id)).first() if swap else None
    spot = session.get(Place, swap.place_id) if swap else None
    seen = select(Unit.id).where(col(Unit.id).in_(visible_units(person)))
    visible = spot is not None and session.exec(seen.where(Unit.id == spot.unit_id)).first() is not None
    keeps = placing.may_place(session, person, device)
    stands = places.standing_of(session, device.id) is not None
    return Care(
        may_place=device.revoked_at is None and keeps,
        may_swap=stands and keeps,
        stands=stands,
        swap=swap,
        heir=heir.name if heir else "",
        place=spot.name if spot is not None and visible else "",
        waiting=placing.waiting_in(session, device.id),
    )


def _place(
    request: Request,
    session: Session,
    person: Person,
    device: Device,
    now: int,
    *,
    q: str = "",
    chosen: int | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    spots = _spots(session, person, device)
    words = q.casefold().split()
    found = [spot for spot in spots if all(word in f"{spot.name} {spot.trail}".casefold() for word in words)]
    standing = places.standing_of(session, device.id)
    undoable = placing.undoable(session, device.id, now=now)
    before = placing.before(session, undoable) if undoable else None
    context: dict[str, Any] = {
        "device": device,
        "q": q,
        "spots": found[:MOST_SHOWN],
        "more": max(0, len(found) - MOST_SHOWN),
        "any": bool(spots),
        "chosen": next((spot for spot in spots if spot.id == chosen), None),
        "standing": standing,
        "here": next((spot for spot in spots if standing and spot.id == standing.place_id), None),
        "undoable": undoable,
        "before": before.name if before else "",
        "errors": errors or {},
    }
    return render(request, "technician/place.html", status, **context)


def _spots(session: Session, person: Person, device: Device) -> list[Spot]:
    """The places where this person may put the device, by unit and name."""
    units = {
        unit.id: unit
        for unit in places.all_units(session, visible_units(person))
        if may(person, Role.TECHNICIAN, unit.path)
    }
    standing: dict[int, list[str]] = {}
    for place_id, name in session.exec(
        select(Installation.place_id, Device.name)
        .join(Device, col(Device.id) == col(Installation.device_id))
        .where(col(Installation.to_at).is_(None), Device.channel == KIOSK, Device.id != device.id)
        .order_by(Device.name)
    ):
        standing.setdefault(place_id, []).append(name)
    rows = session.exec(select(Place).where(col(Place.unit_id).in_(units)))
    spots = [
        Spot(row.id or 0, row.name, row.demo, _trail(units, row), tuple(standing.get(row.id or 0, ())))
        for row in rows
        if row.demo or not device.virtual
    ]
    return sorted(spots, key=lambda spot: (spot.trail.casefold(), spot.name.casefold(), spot.id))


def _trail(units: dict[int | None, Unit], place: Place) -> str:
    ids = [int(part) for part in units[place.unit_id].path.split("/") if part]
    return " › ".join(unit_name(units[one]) for one in ids if one in units)


def _swap(
    request: Request,
    session: Session,
    person: Person,
    old: Device,
    *,
    chosen: str,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    standing = places.standing_of(session, old.id)
    if standing is None:
        raise HTTPException(409, _("This kiosk stands nowhere, so there is no place to take over."))
    heirs = placing.stand_ins(session, person, old)
    heir = next((one for one in heirs if one.id == chosen), None)
    context: dict[str, Any] = {
        "device": old,
        "place": session.get_one(Place, standing.place_id),
        "heirs": heirs,
        "heir": heir,
        "faults": [said(fault) for fault in placing.hindrances(session, old, heir)] if heir else [],
        "waiting": placing.waiting_in(session, old.id),
        "errors": errors or {},
    }
    return render(request, "technician/swap.html", status, **context)


def _seen(person: Person, device_id: str) -> Any:
    return select(Device).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))


def _placed_by(session: Session, person: Person, device_id: str, *, revoked: bool = False) -> Device:
    """The device, if this person may put it elsewhere. `revoked`: also one that was shut out (a stolen one)."""
    device: Device | None = session.exec(_seen(person, device_id)).first()
    if device is None:
        raise HTTPException(404)
    if not placing.may_place(session, person, device):
        raise NotAllowed
    if device.revoked_at is not None and not revoked:
        raise HTTPException(409, _("This kiosk is revoked: it cannot stand anywhere."))
    return device
