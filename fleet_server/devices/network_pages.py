"""A device's network settings: what was wished of it and what became of that, and the form for others.

Operators only, who look after all devices of the county: a wrong word here takes a kiosk off the network for ten
minutes.
"""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, allow, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.devices import desired, network
from fleet_server.devices.models import KIOSK, Device
from fleet_server.refusals import Hindered, Refused
from fleet_server.web.deps import Now, ReadSession, WriteSession
from fleet_server.web.forms import messages, said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False, prefix="/devices/{device_id}/network")
DeviceId = Annotated[str, Path(pattern="^[a-z0-9]{12}$")]
Operator = Annotated[Person, allow(Role.OPERATOR)]
Typed = Annotated[str, Form(max_length=300)]


@router.get("")
def network_page(request: Request, device_id: DeviceId, person: Operator, session: ReadSession) -> Response:
    """What is known of the last wish, and the form."""
    return _page(request, session, kiosk(session, person, device_id), network.Typed())


@router.post("")
def change(
    request: Request,
    device_id: DeviceId,
    person: Operator,
    session: WriteSession,
    now: Now,
    way: Typed = "",
    ssid: Typed = "",
    key: Typed = "",
    host: Typed = "",
    port: Typed = "",
    confirmed: Typed = "",
) -> Response:
    """Let the kiosk try other settings. The key is not filled in again when something is wrong."""
    device = kiosk(session, person, device_id)
    typed = network.Typed(way, ssid, key, host, port)
    if confirmed != "yes":
        errors = {"confirmed": _("Confirm that the kiosk may be without network for ten minutes.")}
        return _page(request, session, device, typed, errors, 422)
    try:
        network.wish(session, device, typed, actor=person, now=now)
    except Refused as refused:
        return _page(request, session, device, typed, messages(refused), 422)
    except Hindered as hindered:
        return _page(request, session, device, typed, {"way": " ".join(map(said, hindered.faults))}, 409)
    tell(request, session, device, now)
    return RedirectResponse(f"/devices/{device_id}/network", 303)


@router.post("/withdraw")
def withdraw(
    request: Request, device_id: DeviceId, person: Operator, session: WriteSession, now: Now
) -> Response:
    """Take back what the kiosk has not fetched yet."""
    device = kiosk(session, person, device_id)
    if not network.withdraw(session, device, actor=person, now=now):
        raise HTTPException(409, _("The kiosk has fetched these settings already."))
    tell(request, session, device, now)
    return RedirectResponse(f"/devices/{device_id}/network", 303)


def kiosk(session: Session, person: Person, device_id: str) -> Device:
    """The kiosk, when this person may see it and something can be sent to it. Raises HTTPException 404 or 409."""
    seen = select(Device).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    device = session.exec(seen).first()
    if device is None or device.channel != KIOSK:
        raise HTTPException(404)
    if device.revoked_at is not None:
        raise HTTPException(409, _("This kiosk is revoked: nothing is sent to it any more."))
    return device


def tell(request: Request, session: Session, device: Device, now: int) -> None:
    """Send the wish once it is committed, and let open pages know."""
    message = desired.refresh(session, device.id, now=now)
    state, device_id = request.app.state, device.id

    def send() -> None:
        if message is not None and state.link is not None:
            state.link.send(*message)
        state.changes.notify(f"device:{device_id}")

    after_commit(session, send)


def _page(
    request: Request,
    session: Session,
    device: Device,
    typed: network.Typed,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    fields = {"way": typed.way, "ssid": typed.ssid, "host": typed.host, "port": typed.port}
    return render(
        request,
        "devices/network.html",
        status,
        device=device,
        change=network.newest(session, device.id),
        typed=fields,
        errors=errors or {},
    )
