"""Closing an epoch: a technician says that nothing more will come of one life of a kiosk's journal.

What still waits of it is called lost from then on, in both books; what arrives all the same is received, not refused.
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import WHOLE_COUNTY, NotAllowed, Person, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.answers import books
from fleet_server.answers.reported import close_epoch
from fleet_server.db import after_commit
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.web.deps import Now, WriteSession
from fleet_server.web.i18n import _

router = APIRouter(include_in_schema=False, prefix="/devices")


@router.post("/{device_id}/epochs/{epoch}/close")
def close(
    request: Request,
    device_id: Annotated[str, Path(pattern="^[a-z0-9]{12}$")],
    epoch: Annotated[int, Path(ge=0, lt=2**32)],
    person: Annotated[Person, allow(Role.TECHNICIAN)],
    session: WriteSession,
    now: Now,
) -> Response:
    """Call lost what waits of this epoch. 409 when nothing does: a page that was open for long asked for it."""
    seen = select(Device.id).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    if session.exec(seen).first() is None:
        raise HTTPException(404)
    if not may_close(session, person, device_id):
        raise NotAllowed
    waiting = sum(one.waiting for one in books.of_device(session, device_id) if one.epoch == epoch)
    if not waiting:
        raise HTTPException(409, _("Nothing waits of this epoch any more."))
    close_epoch(session, device_id, epoch, now=now)
    before, after = {"epoch": f"{epoch:08x}", "waiting": waiting}, {"epoch": f"{epoch:08x}", "lost": waiting}
    audit.record(session, person, "close epoch", "device", device_id, before=before, after=after, now=now)
    after_commit(session, lambda: request.app.state.changes.notify(f"device:{device_id}"))
    return RedirectResponse(f"/devices/{device_id}#books-title", 303)


def may_close(session: Session, person: Person, device_id: str) -> bool:
    """Whether the person is a technician where the device stands; one that stands nowhere is the whole county's."""
    stands = (
        select(Unit.path)
        .join(Place, col(Place.unit_id) == col(Unit.id))
        .join(Installation, col(Installation.place_id) == col(Place.id))
        .where(Installation.device_id == device_id, col(Installation.to_at).is_(None))
    )
    return may(person, Role.TECHNICIAN, session.exec(stands).first() or WHOLE_COUNTY)
