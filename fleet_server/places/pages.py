"""Administration of places and of which device stands where; what comes in there is shown elsewhere."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.devices.models import Device
from fleet_server.places import service
from fleet_server.places.keeping import (
    Keeper,
    kept_place,
    kept_units,
    own_unit,
)
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.refusals import N_, Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages
from fleet_server.web.i18n import _
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name, unit_options

router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form()]
DeviceId = Annotated[str, Path(pattern="^[a-z0-9]{12}$")]
Technician = Annotated[Person, allow(Role.TECHNICIAN)]

DONE = {
    "created": N_("It was created."),
    "changed": N_("The changes were saved."),
    "installed": N_("The device stands here from now on; its answers count for this place."),
    "taken": N_("The device was taken away; from now on its answers count for no place."),
}


@router.get("/places/new")
def new_place_form(request: Request, person: Keeper, session: ReadSession, unit: str = "") -> Response:
    """The form for a new place."""
    return _place_form(request, session, person, None, {"name": "", "unit_id": unit, "demo": ""})


@router.post("/places/new")
def new_place(
    request: Request,
    person: Keeper,
    session: WriteSession,
    now: Now,
    name: Typed = "",
    unit_id: Typed = "",
    demo: Typed = "",
) -> Response:
    """Create a place and go on to put a device there."""
    try:
        unit = own_unit(session, person, unit_id)
        place = service.create_place(session, person, unit_id=unit, name=name, demo=bool(demo), now=now)
    except Refused as refused:
        typed = {"name": name, "unit_id": unit_id, "demo": demo}
        return _place_form(request, session, person, None, typed, messages(refused), 422)
    return RedirectResponse(f"/places/{place.id}/edit?done=created", 303)


@router.get("/places/{place_id}/edit")
def place_form(
    request: Request, place_id: RowId, person: Keeper, session: ReadSession, done: str = ""
) -> Response:
    """The form of one place, and the devices that stand there."""
    place = kept_place(session, person, place_id)
    return _place_form(request, session, person, place, _place_typed(place), done=done)


@router.post("/places/{place_id}/edit")
def change_place(
    request: Request,
    place_id: RowId,
    person: Keeper,
    session: WriteSession,
    now: Now,
    name: Typed = "",
    unit_id: Typed = "",
) -> Response:
    """Rename a place or give it to another unit."""
    place = kept_place(session, person, place_id)
    try:
        unit = own_unit(session, person, unit_id)
        service.change_place(session, person, place, unit_id=unit, name=name, now=now)
    except Refused as refused:
        typed = _place_typed(place) | {"name": name, "unit_id": unit_id}
        return _place_form(request, session, person, place, typed, messages(refused), 422)
    _tell(request, session, f"place:{place_id}")
    return RedirectResponse(f"/places/{place_id}/edit?done=changed", 303)


@router.post("/places/{place_id}/delete")
def delete_place(
    request: Request, place_id: RowId, person: Keeper, session: WriteSession, now: Now
) -> Response:
    """Remove a place without a history."""
    place = kept_place(session, person, place_id)
    try:
        service.delete_place(session, person, place, now=now)
    except Refused as refused:
        return _place_form(request, session, person, place, _place_typed(place), messages(refused), 422)
    return RedirectResponse("/units?done=deleted", 303)


@router.post("/places/{place_id}/device")
def install(
    request: Request,
    place_id: RowId,
    person: Technician,
    session: WriteSession,
    now: Now,
    device_id: Typed = "",
) -> Response:
    """Let a device stand at this place from now on."""
    place = kept_place(session, person, place_id, Role.TECHNICIAN)
    try:
        if device_id not in {device for device, _text in _device_options(session, person)}:
            text = N_("Choose a device.") if not device_id else N_("There is no device “%(value)s”.")
            raise Refused({"device_id": (text, {"value": device_id[:60]})})
        before = service.standing_of(session, device_id)
        service.install(session, person, device_id=device_id, place_id=place_id, now=now)
    except Refused as refused:
        typed = _place_typed(place) | {"device_id": device_id}
        return _place_form(request, session, person, place, typed, messages(refused), 422)
    left = {f"place:{before.place_id}"} if before else set()
    _tell(request, session, f"place:{place_id}", f"device:{device_id}", *left)
    return RedirectResponse(f"/places/{place_id}/edit?done=installed", 303)


@router.post("/places/{place_id}/device/{device_id}/take-away")
def take_away(
    request: Request,
    place_id: RowId,
    device_id: DeviceId,
    person: Technician,
    session: WriteSession,
    now: Now,
) -> Response:
    """Take a device away from this place."""
    kept_place(session, person, place_id, Role.TECHNICIAN)
    standing = service.standing_of(session, device_id)
    if standing is None or standing.place_id != place_id:
        raise HTTPException(409, _("This device does not stand here any more."))
    service.take_away(session, person, device_id=device_id, now=now)
    _tell(request, session, f"place:{place_id}", f"device:{device_id}")
    return RedirectResponse(f"/places/{place_id}/edit?done=taken", 303)


def _tell(request: Request, session: Session, *topics: str) -> None:
    after_commit(session, lambda: request.app.state.changes.notify(*topics))


def _place_typed(place: Place) -> dict[str, str]:
    return {"name": place.name, "unit_id": str(place.unit_id), "demo": "yes" if place.demo else ""}


def _place_form(
    request: Request,
    session: Session,
    person: Person,
    place: Place | None,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    status: int = 200,
    *,
    done: str = "",
) -> Response:
    unit = session.get(Unit, place.unit_id) if place else None
    technician = unit is not None and may(person, Role.TECHNICIAN, unit.path)
    stays = service.stays(session, place.id or 0) if place else []
    here = {stay.device_id for stay in stays if stay.until is None}
    options = _device_options(session, person) if technician else []
    context: dict[str, Any] = {
        "place": place,
        "unit_title": unit_name(unit) if unit else "",
        "typed": typed,
        "errors": errors or {},
        "units": unit_options(kept_units(session, person)),
        "stays": stays,
        "technician": technician,
        "device_options": [option for option in options if option[0] not in here],
        "done": _(DONE[done]) if done in DONE else "",
    }
    return render(request, "places/place_edit.html", status, **context)


def _device_options(session: Session, person: Person) -> list[tuple[str, str]]:
    """Devices that this person may put somewhere, each with where it stands now; those in store first."""
    rows = session.exec(
        select(Device, Place.name)
        .join(
            Installation,
            (col(Installation.device_id) == col(Device.id)) & col(Installation.to_at).is_(None),
            isouter=True,
        )
        .join(Place, col(Place.id) == col(Installation.place_id), isouter=True)
        .where(col(Device.id).in_(visible_devices(person)), col(Device.revoked_at).is_(None))
        .order_by(col(Place.name).is_not(None), col(Device.name), col(Device.id))
    ).all()
    text = _("%(device)s, now at %(place)s")
    return [
        (device.id, text % {"device": device.name, "place": place} if place else device.name)
        for device, place in rows
    ]
