"""`/api/v1` for a technician who has read a kiosk's journal over USB: its batches, booked as those that come by MQTT.

Decides nothing about them: `book` does. Invariant: what a kiosk sends later again is counted once, whoever was first.
"""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import STATION, Person, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.answers import wire
from fleet_server.answers.book import Booking, Message, book_all
from fleet_server.api.desk_shapes import Asked
from fleet_server.api.shapes import FAULTS
from fleet_server.db import after_commit
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.web.deps import Now, WriteSession

router = APIRouter(prefix="/api/v1/devices", responses=FAULTS)
Technician = Annotated[Person, allow(Role.TECHNICIAN, scope=STATION)]

SOURCE = "harvest"
MOST_BATCHES = 32  # a full journal is 270 batches; the writer is held for one request of them
_MOST_CHARACTERS = 4 * -(-wire.MAX_BATCH_BYTES // 3)


class Harvest(Asked):
    """Batches of a kiosk's journal, in its order."""

    batches: Annotated[
        list[Annotated[str, Field(max_length=_MOST_CHARACTERS, description="a batch in base64")]],
        Field(min_length=1, max_length=MOST_BATCHES),
    ]


class Booked(BaseModel):
    """What became of one batch. Answers are those that are new: `counted` and `filtered`."""

    receipt: dict[str, Any] | None = Field(
        description="as a kiosk gets it; null: nothing was booked, see note"
    )
    note: str
    received: int = Field(description="records that are new")
    duplicates: int = Field(description="records that were here already")
    rejected: int
    counted: int
    filtered: int


class Harvested(BaseModel):
    """What became of each batch, in their order."""

    booked: list[Booked]


@router.post("/{device_id}/harvest")
def harvest(
    request: Request,
    person: Technician,
    session: WriteSession,
    now: Now,
    device_id: Annotated[str, Path(max_length=12)],
    asked: Harvest,
) -> Harvested:
    """Book what was read out of a kiosk over USB. Sending it again changes nothing."""
    _theirs(session, person, device_id)
    payloads = [_bytes(number, text) for number, text in enumerate(asked.batches)]
    bookings = book_all(session, [Message(device_id, payload, SOURCE) for payload in payloads], now=now)
    if any(_carries(payload) for payload in payloads):
        after = {
            "batches": len(payloads),
            "received": sum(one.received for one in bookings),
            "duplicates": sum(one.duplicates for one in bookings),
            "rejected": sum(one.rejected for one in bookings),
            "not booked": [one.note for one in bookings if one.receipt is None],
        }
        audit.record(session, person, "harvest device", "device", device_id, after=after, now=now)
    topics = {f"device:{device_id}"} | {f"place:{place}" for one in bookings for place in one.places}
    after_commit(session, lambda: request.app.state.changes.notify(*topics))
    return Harvested(booked=[_booked(one) for one in bookings])


def _theirs(session: Session, person: Person, device_id: str) -> None:
    """404 unless the person may see the kiosk and is a technician where it stands (anywhere, if in store)."""
    seen = select(Device.id).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    stands = (
        select(Unit.path)
        .join(Place, col(Place.unit_id) == col(Unit.id))
        .join(Installation, col(Installation.place_id) == col(Place.id))
        .where(Installation.device_id == device_id, col(Installation.to_at).is_(None))
    )
    if session.exec(seen).first() is None or not may(person, Role.TECHNICIAN, session.exec(stands).first()):
        raise HTTPException(404, f"device {device_id} does not exist")


def _bytes(number: int, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        fault = {
            "type": "value_error",
            "loc": ("body", "batches", number),
            "msg": "is no base64",
            "input": text[:40],
        }
        raise RequestValidationError([fault]) from None


def _carries(payload: bytes) -> bool:
    """Whether a batch is more than a question about where the server stands."""
    try:
        batch = wire.read_batch(payload)
    except wire.Damaged:
        return True
    return batch.start != batch.to


def _booked(one: Booking) -> Booked:
    return Booked(
        receipt=one.receipt,
        note=one.note,
        received=one.received,
        duplicates=one.duplicates,
        rejected=one.rejected,
        counted=one.counted,
        filtered=one.filtered,
    )
