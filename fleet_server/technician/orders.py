"""A new device for the station tool, once for each key: an interrupted tool asks again and gets the same one.

The secret is kept as a hash, so a repeated request gets a fresh secret, as long as nobody has heard from the device.
Invariant: once the device was heard, its secret changes no more. It knows no HTTP.
"""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.accounts.access import NotAllowed, Person, may, visible_devices, visible_places
from fleet_server.accounts.models import Role
from fleet_server.devices import credentials
from fleet_server.devices.models import KIOSK, Device
from fleet_server.places import service as places
from fleet_server.places.models import Place, Unit
from fleet_server.refusals import N_, Fault, Faults, Refused
from fleet_server.technician.models import DeviceOrder
from provisioning.models import MODELS

DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Order:
    """What was asked for. `key`: made by the tool, random; `serial`: the board's own, '' when it is not known."""

    key: str
    name: str
    model: str
    serial: str = ""
    virtual: bool = False
    place_id: int | None = None


@dataclass(frozen=True)
class Ordered:
    """`secret`: 64 hex digits, this once; None when the device was heard already and keeps the one it has.
    `new`: it was made by this very request."""

    device: Device
    secret: str | None
    new: bool


def order(session: Session, person: Person, asked: Order, *, now: int) -> Ordered:
    """The device for this key, placed where it was asked for. Raises Refused with every fault, NotAllowed."""
    known = session.exec(select(DeviceOrder).where(DeviceOrder.key == asked.key)).first()
    faults = Faults()
    name = faults.text("name", asked.name, credentials.MAX_NAME)
    if asked.model not in MODELS:
        faults.add(
            "model",
            N_("“%(value)s” is not a model; there are %(models)s."),
            value=asked.model,
            models=", ".join(MODELS),
        )
    if asked.place_id is not None:
        _check_place(session, person, faults, asked)
    faults.check()
    if known is not None:
        done = _again(session, person, known, asked, name, now)
    else:
        _check_duplicates(session, person, asked, name)
        done = _first(session, person, asked, name, now)
    if asked.place_id is not None:
        places.install(session, person, device_id=done.device.id, place_id=asked.place_id, now=now)
    return done


def named(session: Session, person: Person, device: Device) -> str:
    """How a device that stands in somebody's way is named to this person: its id only if it may be seen."""
    return f"{device.name} ({device.id})" if _seen(session, person, device) else device.name


def _seen(session: Session, person: Person, device: Device) -> bool:
    seen = select(Device.id).where(Device.id == device.id, col(Device.id).in_(visible_devices(person)))
    return session.exec(seen).first() is not None


def _first(session: Session, person: Person, asked: Order, name: str, now: int) -> Ordered:
    device, secret = credentials.create(
        session, name=name, model=asked.model, virtual=asked.virtual, now=now, actor=person
    )
    row = DeviceOrder(
        device_id=device.id,
        key=asked.key,
        serial=asked.serial or None,
        by=person.actor,
        at=now,
        identity_at=now,
    )
    session.add(row)
    session.flush()
    return Ordered(device, secret, True)


def _again(
    session: Session, person: Person, known: DeviceOrder, asked: Order, name: str, now: int
) -> Ordered:
    device = session.get_one(Device, known.device_id)
    before = (device.name, device.model, device.virtual, known.serial or "")
    if before != (name, asked.model, asked.virtual, asked.serial):
        text = N_("With this key %(name)s was asked for, model %(model)s. Begin anew for another device.")
        raise Refused({"key": (text, {"name": device.name, "model": device.model})}, code="conflict")
    if device.revoked_at is not None:
        text = N_("%(name)s was shut out meanwhile. Begin anew for another device.")
        raise Refused({"key": (text, {"name": device.name})}, code="conflict")
    if not _seen(session, person, device):
        raise NotAllowed
    if device.contact_at is not None:
        return Ordered(device, None, False)
    secret = credentials.renew(session, device, actor=person, now=now)
    known.identity_at = now
    session.add(known)
    return Ordered(device, secret, False)


def _check_place(session: Session, person: Person, faults: Faults, asked: Order) -> None:
    seen = select(Place).where(Place.id == asked.place_id, col(Place.id).in_(visible_places(person)))
    place = session.exec(seen).first()
    if place is None:
        faults.add("place", N_("There is no place %(value)s."), value=asked.place_id)
        return
    if not may(person, Role.TECHNICIAN, session.get_one(Unit, place.unit_id).path):
        raise NotAllowed
    if asked.virtual and not place.demo:
        faults.add(
            "place",
            N_("%(value)s is no demo place: virtual devices stand only at those."),
            value=place.name,
        )


def _check_duplicates(session: Session, person: Person, asked: Order, name: str) -> None:
    kiosks = select(Device).where(Device.channel == KIOSK, col(Device.revoked_at).is_(None))
    faults: dict[str, Fault] = {}
    other = session.exec(kiosks.where(func.lower(Device.name) == func.lower(name)).limit(1)).first()
    if other is not None:
        text = N_("There is a device of this name already: %(value)s. Choose another name.")
        faults["name"] = (text, {"value": named(session, person, other)})
    if asked.serial:
        same = kiosks.join(DeviceOrder, col(DeviceOrder.device_id) == col(Device.id))
        other = session.exec(same.where(DeviceOrder.serial == asked.serial).limit(1)).first()
        if other is not None:
            text = N_("This board is a device already: %(value)s. Shut that one out first, or swap it.")
            faults["serial"] = (text, {"value": named(session, person, other)})
    if faults:
        raise Refused(faults, code=DUPLICATE)
