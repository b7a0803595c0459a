"""Whether a kiosk is here: from its messages, its farewells, its will, and from silence.

A row stores the instant at which its device becomes late, so "who is overdue?" is one indexed look. Every change of
status is a row that is history and outbox in one.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from fleet_server.db import among
from fleet_server.devices.models import Device, StatusChange
from fleet_server.instants import DAY_MS, MINUTE_MS, SECOND_MS

GRACE_MS = 2 * MINUTE_MS  # a broker's restart with the kiosks' back-off fits in, and nobody is alarmed for it
UNANNOUNCED_MS = 20 * MINUTE_MS  # a kiosk reports every 15 minutes unless it was told otherwise
LONGEST_NEXT_S = 7 * DAY_MS // SECOND_MS  # a battery kiosk that sleeps longer than a week is a mistake
_STATES = {"ready": "here", "sleeping": "sleeping", "update": "update", "lost": "lost"}

_HEARD = (
    update(Device)
    .where(among(col(Device.id), "ids"))
    .values(contact_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)
_AWAY = select(Device).where(among(col(Device.id), "ids"), col(Device.status).in_(("new", "late", "lost")))


def heard(session: Session, device_ids: Iterable[str], *, now: int) -> None:
    """These devices said something. One that was new, late or lost is here again."""
    wanted = {"ids": json.dumps(sorted(set(device_ids)))}
    session.execute(_HEARD, {**wanted, "now": now})  # the common case in one statement, without loading a row
    for device in session.execute(_AWAY, wanted).scalars().all():
        _change(session, device, "here", "heard from it", now)
        device.late_at = now + UNANNOUNCED_MS + GRACE_MS


def take_state(session: Session, device_id: str, body: Any, *, now: int) -> str:
    """Act on a `state` message. Returns what was wrong with it, or "".

    `lost` is the broker's word (the will) and does not count for a connection older than the one that last said it was
    there: a will may come long after the kiosk is back. A newer one's `ready` may have been lost.
    """
    if not isinstance(body, dict):
        return f"state: {body!r} is not an object"
    said, connection = body.get("state"), body.get("conn")
    if not isinstance(said, str) or said not in _STATES:
        return f"state: {said!r} is none of {', '.join(_STATES)}"
    if not isinstance(connection, int) or isinstance(connection, bool) or not 0 <= connection < 1 << 53:
        return f"state: conn {connection!r} is not a number"
    device = session.get(Device, device_id)
    if device is None:
        return f"state: device {device_id!r} does not exist"
    if said == "lost":
        if connection >= device.connection and device.status in ("here", "late"):
            _change(session, device, "lost", "the broker lost its connection", now)
            device.late_at = None
        return ""
    wait = body.get("next")
    if not isinstance(wait, int) or isinstance(wait, bool) or not 0 <= wait <= LONGEST_NEXT_S:
        return f"state: next {wait!r} is not 0 to {LONGEST_NEXT_S} seconds"
    device.connection = connection
    device.contact_at = now
    device.late_at = now + wait * SECOND_MS + GRACE_MS
    session.add(device)
    if device.status != _STATES[said]:
        _change(session, device, _STATES[said], f"it said {said}", now)
    return ""


def mark_late(session: Session, *, now: int) -> list[str]:
    """Mark every device whose announced contact has passed; returns their ids. Safe to run twice at once."""
    late = []
    overdue = select(Device.id, Device.status, Device.late_at).where(col(Device.late_at) <= now)
    for device_id, status, late_at in session.exec(overdue).all():
        if late_at is None:
            continue
        claimed = session.exec(
            update(Device)
            .where(col(Device.id) == device_id, col(Device.late_at) == late_at)
            .values(status="late", late_at=None)
        )
        if claimed.rowcount == 1:
            # The instant at which it became late, not the one at which somebody looked.
            reason = "its announced contact has passed"
            session.add(StatusChange(device_id=device_id, at=late_at, old=status, new="late", reason=reason))
            late.append(device_id)
    session.flush()
    return late


def _change(session: Session, device: Device, new: str, reason: str, now: int) -> None:
    session.add(StatusChange(device_id=device.id, at=now, old=device.status, new=new, reason=reason))
    device.status = new
    session.add(device)
