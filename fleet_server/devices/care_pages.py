"""The buttons of a device's page: cleaning for a while, and "the card was changed".

Technicians and coordinators where the device stands. Supervisors do not: who is judged by the answers must not be able
to keep them away for an afternoon, ten minutes at a time.
"""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import WHOLE_COUNTY, NotAllowed, Person, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.devices import care, desired
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.web.deps import Now, WriteSession
from fleet_server.web.i18n import _

router = APIRouter(include_in_schema=False, prefix="/devices")

DeviceId = Annotated[str, Path(pattern="^[a-z0-9]{12}$")]
Carer = Annotated[Person, allow(Role.TECHNICIAN, Role.COORDINATOR)]


@router.post("/{device_id}/cleaning")
def cleaning(
    request: Request,
    device_id: DeviceId,
    person: Carer,
    session: WriteSession,
    now: Now,
    end: Annotated[bool, Form()] = False,
) -> Response:
    """Ten minutes of cleaning from now on, or their end."""
    device = _mine(session, person, device_id)
    if not care.takes_cleaning(device):
        text = _(
            "Only touchscreens can be cleaned from here; at a button kiosk hold one button for 3 seconds."
        )
        raise HTTPException(409, text)
    if end:
        care.end_cleaning(session, device, actor=person, now=now)
    else:
        care.start_cleaning(session, device, actor=person, now=now)
    _tell(request, session, device, now)
    return RedirectResponse(f"/devices/{device_id}#state-title", 303)


@router.post("/{device_id}/card")
def card(
    request: Request,
    device_id: DeviceId,
    person: Carer,
    session: WriteSession,
    now: Now,
    hash: Annotated[str, Form(pattern="^[0-9a-f]{64}$")],  # noqa: A002  (the word of the protocol)
) -> Response:
    """The card for this set is in the kiosk. 409 when another set waits by now."""
    device = _mine(session, person, device_id)
    if care.confirm_card(session, device, hash, actor=person, now=now) is None:
        raise HTTPException(409, _("This question set does not wait for its card any more."))
    _tell(request, session, device, now)
    return RedirectResponse(f"/devices/{device_id}#runs-title", 303)


def may_care(session: Session, person: Person, device_id: str) -> bool:
    """Whether the person looks after the place where the device stands; one that stands nowhere is the county's."""
    stands = (
        select(Unit.path)
        .join(Place, col(Place.unit_id) == col(Unit.id))
        .join(Installation, col(Installation.place_id) == col(Place.id))
        .where(Installation.device_id == device_id, col(Installation.to_at).is_(None))
    )
    path = session.exec(stands).first() or WHOLE_COUNTY
    return may(person, Role.TECHNICIAN, path) or may(person, Role.COORDINATOR, path)


def _mine(session: Session, person: Person, device_id: str) -> Device:
    seen = select(Device).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    device = session.exec(seen).first()
    if device is None:
        raise HTTPException(404)
    if not may_care(session, person, device_id):
        raise NotAllowed
    if device.revoked_at is not None:
        raise HTTPException(409, _("This kiosk is revoked: nothing is sent to it any more."))
    return device


def _tell(request: Request, session: Session, device: Device, now: int) -> None:
    """Send the wish once it is committed, and let open pages know."""
    message = desired.refresh(session, device.id, now=now)
    state = request.app.state
    device_id = device.id

    def tell() -> None:
        if message is not None and state.link is not None:
            state.link.send(*message)
        state.changes.notify(f"device:{device_id}")

    after_commit(session, tell)
