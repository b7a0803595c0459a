"""Finds the place of booked answers anew after a person changed where a device stood when."""

from sqlmodel import Session

from fleet_server.answers import replacing
from fleet_server.answers.desk import Desk
from fleet_server.answers.placing import NOWHERE


def reinstalled(session: Session, device_id: str, *, since: int, now: int) -> frozenset[int]:
    """Call after creating, ending or changing an installation; `since`: the earliest instant that it touches, UTC ms.

    Returns the places whose counts changed.
    """
    desk = Desk(session, now)
    desk.open({device_id}, set())
    if device_id not in desk.devices:
        raise ValueError(f"device {device_id!r} is not registered")
    places = replacing.reinstalled(desk, desk.devices[device_id], since)
    desk.flush()
    return frozenset(places - {NOWHERE})
