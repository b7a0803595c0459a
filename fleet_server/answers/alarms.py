"""When the two books of a device gave an alarm and when it was over: a row for each change, as with a device's status.

What is wrong is computed in answers/books.py. Invariant: two rows of a device that follow each other are an alarm and
its end.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from fleet_server.answers import books
from fleet_server.answers.models import BookAlarm
from fleet_server.db import Database
from fleet_server.devices.models import KIOSK, Device

DEVICES_AT_ONCE = 200


@dataclass(frozen=True)
class Alarm:
    """One change, newest first in lists. `faults`: (text, values) of each; empty when the alarm was over."""

    at: int
    faults: tuple[tuple[str, dict[str, Any]], ...]


def look(database: Database, *, now: int) -> list[str]:
    """Write down each device whose books gave an alarm since the last look, or stopped to; returns their ids."""
    changed: list[str] = []
    with database.read() as session:
        ids = session.exec(
            select(Device.id)
            .where(col(Device.revoked_at).is_(None), Device.channel == KIOSK)
            .order_by(Device.id)
        ).all()
        for first in range(0, len(ids), DEVICES_AT_ONCE):
            changed += _changed(session, ids[first : first + DEVICES_AT_ONCE])
    if changed:
        with database.write() as session:
            for device_id in _changed(session, changed):  # once more: a batch may have come in between
                faults = books.of_devices(session, [device_id])[device_id].faults
                told = json.dumps([[fault.text, fault.values] for fault in faults])
                session.add(BookAlarm(device_id=device_id, at=now, faults=told))
    return changed


def alarms_of(session: Session, device_id: str, most: int) -> tuple[Alarm, ...]:
    """The newest changes of one device."""
    rows = session.exec(
        select(BookAlarm)
        .where(BookAlarm.device_id == device_id)
        .order_by(col(BookAlarm.id).desc())
        .limit(most)
    )
    return tuple(
        Alarm(row.at, tuple((text, values) for text, values in json.loads(row.faults))) for row in rows
    )


def _changed(session: Session, ids: Sequence[str]) -> list[str]:
    newest = (
        select(func.max(BookAlarm.id))
        .where(col(BookAlarm.device_id).in_(ids))
        .group_by(col(BookAlarm.device_id))
    )
    rows = session.exec(select(BookAlarm.device_id, BookAlarm.faults).where(col(BookAlarm.id).in_(newest)))
    alarmed = {device_id for device_id, faults in rows if faults != "[]"}
    now = {device_id for device_id, kept in books.of_devices(session, ids).items() if kept.faults}
    return sorted(alarmed ^ now)
