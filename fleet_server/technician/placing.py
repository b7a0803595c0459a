"""A technician puts a device somewhere, takes that back within a quarter of an hour, or swaps it for another one.

History stays as it was: taking back is another move, not a gap in the record. It knows no HTTP.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import (
    WHOLE_COUNTY,
    NotAllowed,
    Person,
    may,
    visible_devices,
    visible_places,
)
from fleet_server.accounts.models import Role
from fleet_server.answers import books
from fleet_server.devices.models import KIOSK, Device
from fleet_server.instants import MINUTE_MS
from fleet_server.places import service as places
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.questions import service as questions
from fleet_server.refusals import N_, Hindered, Refused
from fleet_server.technician.models import Swap

UNDO_MS = (
    15 * MINUTE_MS
)  # so long somebody is still in front of the kiosk; later it is a move, on the place's page


@dataclass(frozen=True)
class Swapped:
    """What a swap did. `set_number`: the question set that the new device was wished, None when the old one had none or
    it was left out; `waiting`: records that the old one was known to hold, as of its last message."""

    place: Place
    old: Device
    new: Device
    set_number: int | None
    waiting: int


def put(session: Session, person: Person, device: Device, place_id: int, *, now: int) -> Installation:
    """From now on the device stands there. Raises Refused, and NotAllowed for a place or device of others."""
    place = session.exec(
        select(Place).where(Place.id == place_id, col(Place.id).in_(visible_places(person)))
    ).first()
    if place is None:
        raise Refused({"place": (N_("There is no place %(value)s."), {"value": place_id})})
    _require(session, person, place)
    _require_of(session, person, device)
    return places.install(session, person, device_id=device.id, place_id=place_id, now=now)


def undoable(session: Session, device_id: str, *, now: int) -> Installation | None:
    """The installation that may be taken back: it is open, young, and no swap made it."""
    standing = places.standing_of(session, device_id)
    if standing is None or now - standing.from_at > UNDO_MS:
        return None
    made = select(Swap.id).where(Swap.new_id == device_id, Swap.place_id == standing.place_id)
    swapped = session.exec(made.where(col(Swap.at) >= standing.from_at - 1)).first()
    return None if swapped else standing


def before(session: Session, standing: Installation) -> Place | None:
    """Where the device stood until it was put where it stands now; None: nowhere."""
    found = (
        select(Place)
        .join(Installation, col(Installation.place_id) == col(Place.id))
        .where(Installation.device_id == standing.device_id, Installation.to_at == standing.from_at)
    )
    return session.exec(found).first()


def undo(session: Session, person: Person, device: Device, installation_id: int, *, now: int) -> Place | None:
    """Put the device back where it was before; returns that place, None for nowhere. Raises Refused."""
    standing = undoable(session, device.id, now=now)
    if standing is None or standing.id != installation_id:
        raise Refused({"device": (N_("This cannot be taken back any more. Move the device instead."), {})})
    _require_of(session, person, device)
    place = before(session, standing)
    if place is None:
        places.take_away(session, person, device_id=device.id, now=now)
    else:
        _require(session, person, place)
        places.install(session, person, device_id=device.id, place_id=place.id or 0, now=now)
    return place


def swap(
    session: Session, person: Person, old: Device, new: Device, *, without_questions: bool = False, now: int
) -> Swapped:
    """The new device takes over place, wished question set and (by the place) schedules of the old one.

    Sent twice it is done once. Raises Refused; Hindered when the new one cannot ask what the old one was wished.
    """
    done = swap_of(session, old.id)
    if done is not None and done.new_id == new.id:
        standing = places.standing_of(session, new.id)
        if standing is not None and standing.place_id == done.place_id:
            return _swapped(session, session.get_one(Place, done.place_id), old, new)
    standing = places.standing_of(session, old.id)
    if standing is None:
        text = N_("%(value)s stands nowhere, so there is no place to take over.")
        raise Refused({"old": (text, {"value": old.name})})
    place = session.get_one(Place, standing.place_id)
    _require(session, person, place)
    _check_new(session, old, new)
    wished = None if without_questions else questions.published_to(session, old.id)
    # First the questions: with any fault nothing is done, and the transaction goes.
    if wished is not None and (
        faults := questions.publish(session, wished.number, [new.id], actor=person, now=now)
    ):
        raise Hindered(faults)
    places.take_away(session, person, device_id=old.id, now=now)
    places.install(session, person, device_id=new.id, place_id=place.id or 0, now=now)
    # Not before the old one's time there ended, which is after it began even by a clock that stands still.
    at = standing.to_at or now
    session.add(Swap(old_id=old.id, new_id=new.id, place_id=place.id or 0, at=at, by=person.actor))
    session.flush()
    after = {"device": new.id, "set": wished.number if wished else None}
    audit.record(
        session, person, "swap device", "device", old.id, before={"place": place.id}, after=after, now=now
    )
    return _swapped(session, place, old, new)


def hindrances(session: Session, old: Device, new: Device) -> list[str]:
    """Why the new device cannot ask what the old one is wished; empty when it can, or when nothing is wished."""
    wished = questions.published_to(session, old.id)
    return [] if wished is None else questions.hindrances(session, wished.number, [new.model])


def swap_of(session: Session, old_id: str) -> Swap | None:
    """The swap that took this device out of service; None once it stands somewhere again, or was never swapped."""
    newest = session.exec(select(Swap).where(Swap.old_id == old_id).order_by(col(Swap.id).desc())).first()
    if newest is None:
        return None
    since = select(Installation.id).where(
        Installation.device_id == old_id, col(Installation.from_at) >= newest.at
    )
    return None if session.exec(since).first() is not None else newest


def stand_ins(session: Session, person: Person, old: Device) -> list[Device]:
    """The devices that could take over: those that stand nowhere, of the old one's kind first."""
    free = select(Device).where(
        Device.channel == KIOSK,
        col(Device.id).in_(visible_devices(person)),
        col(Device.revoked_at).is_(None),
        col(Device.virtual) == old.virtual,
        col(Device.id) != old.id,
        ~select(Installation.id)
        .where(col(Installation.device_id) == col(Device.id), col(Installation.to_at).is_(None))
        .exists(),
    )
    rows = [row for row in session.exec(free) if swap_of(session, row.id) is None]
    return sorted(rows, key=lambda row: (row.model != old.model, row.name.casefold(), row.id))


def waiting_in(session: Session, device_id: str) -> int:
    """Records that a device is known to hold, as of its last message."""
    kept = books.of_devices(session, [device_id]).get(device_id)
    return kept.waiting if kept is not None else 0


def may_place(session: Session, person: Person, device: Device) -> bool:
    """Whether the person is a technician where the device stands; in store it is every technician's to put up."""
    standing = places.standing_of(session, device.id)
    if standing is None:
        return may(person, Role.TECHNICIAN)
    place = session.get_one(Place, standing.place_id)
    return may(person, Role.TECHNICIAN, session.get_one(Unit, place.unit_id).path)


def _check_new(session: Session, old: Device, new: Device) -> None:
    text = ""
    if new.id == old.id:
        text = N_("%(value)s cannot take over from itself.")
    elif new.revoked_at is not None:
        text = N_("%(value)s was shut out and cannot stand anywhere.")
    elif new.virtual != old.virtual:
        text = N_("%(value)s cannot take over: one of the two is virtual, the other is not.")
    elif places.standing_of(session, new.id) is not None:
        text = N_("%(value)s stands somewhere already. Take it away from there first.")
    if text:
        raise Refused({"new": (text, {"value": new.name})})


def _swapped(session: Session, place: Place, old: Device, new: Device) -> Swapped:
    wished = questions.published_to(session, new.id)
    return Swapped(place, old, new, wished.number if wished else None, waiting_in(session, old.id))


def _require(session: Session, person: Person, place: Place) -> None:
    if not may(person, Role.TECHNICIAN, session.get_one(Unit, place.unit_id).path or WHOLE_COUNTY):
        raise NotAllowed


def _require_of(session: Session, person: Person, device: Device) -> None:
    if not may_place(session, person, device):
        raise NotAllowed
