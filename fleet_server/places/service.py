"""The tree of units, the places in it, and which device stands where since when.

Invariants: a unit's path is its parent's path plus its own id; a device stands at one place at most, and the
intervals of its installations never overlap; a virtual device stands only at a demo place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.accounts.models import ApiToken, Membership
from fleet_server.answers import unit_counts
from fleet_server.answers.moves import reinstalled
from fleet_server.devices.models import KIOSK, Device
from fleet_server.handling import removing as handling
from fleet_server.places.fields import parent_of, place_name, unit_fields
from fleet_server.places.models import Installation, OpeningHours, Place, PlaceLabel, Unit
from fleet_server.refusals import N_, Faults
from fleet_server.results import sums


def create_unit(
    session: Session,
    actor: Person | str,
    *,
    parent_id: int | None,
    name_fi: str,
    name_sv: str,
    name_en: str,
    oid: str | None,
    sector: str,
    now: int,
) -> Unit:
    """A new unit below `parent_id` (None: at the top). Raises Refused."""
    faults = Faults()
    fields = unit_fields(session, faults, name_fi, name_sv, name_en, oid, sector, own_id=None)
    parent = parent_of(session, faults, parent_id)
    faults.check()
    unit = Unit(parent_id=parent_id, **fields)
    session.add(unit)
    session.flush()
    unit.path = f"{parent.path if parent else '/'}{unit.id}/"
    session.add(unit)
    session.flush()
    audit.record(
        session, actor, "create unit", "unit", unit.id, after=fields | {"parent": parent_id}, now=now
    )
    return unit


def change_unit(
    session: Session,
    actor: Person | str,
    unit: Unit,
    *,
    parent_id: int | None,
    name_fi: str,
    name_sv: str,
    name_en: str,
    oid: str | None,
    sector: str,
    now: int,
) -> None:
    """Rename a unit or hang it elsewhere, with all below it. Raises Refused."""
    faults = Faults()
    fields = unit_fields(session, faults, name_fi, name_sv, name_en, oid, sector, own_id=unit.id)
    parent = parent_of(session, faults, parent_id, subtree=unit.path)
    if parent is not None and parent.path.startswith(unit.path):
        faults.add("parent_id", N_("“%(value)s” is this unit itself or below it."), value=parent.name_fi)
    faults.check()
    before = {name: getattr(unit, name) for name in fields} | {"parent": unit.parent_id}
    after = fields | {"parent": parent_id}
    for name, value in fields.items():
        setattr(unit, name, value)
    if parent_id != unit.parent_id:
        old_path, new_path = unit.path, f"{parent.path if parent else '/'}{unit.id}/"
        below = select(Place.id).join(Unit).where(col(Unit.path).startswith(old_path))
        before_path, after_path = (path.removesuffix(f"{unit.id}/") for path in (old_path, new_path))
        moved = [place or 0 for place in session.exec(below)]
        sums.hang(session, moved, before_path, after_path)
        unit_counts.hang(session, moved, before_path, after_path)
        unit.parent_id = parent_id
        for each in session.exec(select(Unit).where(col(Unit.path).startswith(old_path))).all():
            each.path = new_path + each.path.removeprefix(old_path)
            session.add(each)
    session.add(unit)
    _record_change(session, actor, "change unit", "unit", unit.id, before, after, now=now)


def delete_unit(session: Session, actor: Person | str, unit: Unit, *, now: int) -> None:
    """Remove an empty unit. Raises Refused when something hangs on it."""
    faults = Faults()
    hanging = (
        (Unit.parent_id, N_("There are units below it.")),
        (Place.unit_id, N_("There are places in it.")),
        (Membership.unit_id, N_("People have roles in it.")),
        (ApiToken.unit_id, N_("Tokens are limited to it.")),
    )
    for column, text in hanging:
        if session.exec(select(column).where(column == unit.id).limit(1)).first() is not None:
            faults.add("delete", text)
    faults.check()
    before = {"name_fi": unit.name_fi, "parent": unit.parent_id}
    handling.remove_subject(session, "unit", unit.id)
    session.delete(unit)
    audit.record(session, actor, "delete unit", "unit", unit.id, before=before, now=now)


def create_place(
    session: Session, actor: Person | str, *, unit_id: int | None, name: str, demo: bool, now: int
) -> Place:
    """A new place in a unit. Whether it is a demo place is settled for ever. Raises Refused."""
    faults = Faults()
    name = place_name(session, faults, name, unit_id, own_id=None)
    faults.check()
    place = Place(unit_id=unit_id or 0, name=name, demo=demo, created_at=now)
    session.add(place)
    session.flush()
    after = {"name": name, "unit": unit_id, "demo": demo}
    audit.record(session, actor, "create place", "place", place.id, after=after, now=now)
    return place


def change_place(
    session: Session, actor: Person | str, place: Place, *, unit_id: int | None, name: str, now: int
) -> None:
    """Rename a place or give it, with its history, to another unit. Raises Refused."""
    faults = Faults()
    name = place_name(session, faults, name, unit_id, own_id=place.id)
    faults.check()
    before = {"name": place.name, "unit": place.unit_id}
    if unit_id != place.unit_id:
        paths = [session.get_one(Unit, unit).path for unit in (place.unit_id, unit_id or 0)]
        sums.hang(session, [place.id or 0], *paths)
        unit_counts.hang(session, [place.id or 0], *paths)
    place.name, place.unit_id = name, unit_id or 0
    session.add(place)
    after = {"name": name, "unit": unit_id}
    _record_change(session, actor, "change place", "place", place.id, before, after, now=now)


def delete_place(session: Session, actor: Person | str, place: Place, *, now: int) -> None:
    """Remove a place where no device ever stood: it has no history. Raises Refused otherwise."""
    faults = Faults()
    stood = select(Device.channel).join(Installation, col(Installation.device_id) == col(Device.id))
    channels = set(session.exec(stood.where(Installation.place_id == place.id)).all())
    if KIOSK in channels:
        faults.add("delete", N_("A device has stood here, so the place has a history. It is kept."))
    elif channels:
        faults.add(
            "delete", N_("Somebody has answered here by phone, so the place has a history. It is kept.")
        )
    faults.check()
    for table in (OpeningHours, PlaceLabel):
        for row in session.exec(select(table).where(table.place_id == place.id)).all():
            session.delete(row)
    handling.remove_subject(session, "place", place.id)
    session.flush()
    session.delete(place)
    before = {"name": place.name, "unit": place.unit_id}
    audit.record(session, actor, "delete place", "place", place.id, before=before, now=now)


def install(
    session: Session, actor: Person | str, *, device_id: str, place_id: int, now: int
) -> Installation:
    """From now on the device stands at this place, and no longer where it stood before. Raises Refused."""
    faults = Faults()
    device = session.get(Device, device_id)
    place = session.get(Place, place_id)
    if device is None or device.channel != KIOSK:
        faults.add("device_id", N_("There is no device “%(value)s”."), value=device_id)
    elif device.revoked_at is not None:
        faults.add("device_id", N_("%(value)s was shut out and cannot stand anywhere."), value=device.name)
    if place is None:
        faults.add("place_id", N_("There is no place %(value)s."), value=place_id)
    elif device is not None and device.virtual and not place.demo:
        faults.add(
            "device_id",
            N_("%(value)s is a virtual device: it may only stand at a place marked as a demo."),
            value=device.name,
        )
    faults.check()
    standing = standing_of(session, device_id)
    if standing is not None and standing.place_id == place_id:
        return standing
    action, before = "install device", None
    if standing is not None:
        action, before = "move device", {"place": standing.place_id}
        now = _close(session, standing, now)
    installation = Installation(place_id=place_id, device_id=device_id, from_at=now)
    session.add(installation)
    session.flush()
    # An answer whose time was learned late may lie behind this instant: it belongs to where the device is now.
    reinstalled(session, device_id, since=now, now=now)
    audit.record(
        session, actor, action, "device", device_id, before=before, after={"place": place_id}, now=now
    )
    return installation


def take_away(session: Session, actor: Person | str, *, device_id: str, now: int) -> Installation | None:
    """From now on the device stands nowhere. Returns the installation that ended, if there was one."""
    standing = standing_of(session, device_id)
    if standing is not None:
        ended = _close(session, standing, now)
        session.flush()
        reinstalled(session, device_id, since=ended, now=now)
        before = {"place": standing.place_id}
        audit.record(session, actor, "take device away", "device", device_id, before=before, now=now)
    return standing


def standing_of(session: Session, device_id: str) -> Installation | None:
    """Where a device stands now."""
    open_one = select(Installation).where(
        Installation.device_id == device_id, col(Installation.to_at).is_(None)
    )
    return session.exec(open_one).first()


@dataclass(frozen=True)
class Stay:
    """A device's time at a place, for lists. `until` None: it stands there now."""

    device_id: str
    name: str
    since: int
    until: int | None


def stays(session: Session, place_id: int) -> list[Stay]:
    """Every device that stood or stands at a place, the newest first."""
    rows = session.exec(
        select(Installation, Device.name)
        .join(Device, col(Device.id) == col(Installation.device_id))
        .where(Installation.place_id == place_id, Device.channel == KIOSK)
        .order_by(col(Installation.from_at).desc(), col(Installation.id).desc())
    )
    return [Stay(row.device_id, name, row.from_at, row.to_at) for row, name in rows]


def all_units(session: Session, visible: Any = None) -> Sequence[Unit]:
    """Units, parents before children; `visible`: a select of ids (access.visible_units)."""
    query = select(Unit) if visible is None else select(Unit).where(col(Unit.id).in_(visible))
    return sorted(session.exec(query), key=lambda unit: [int(part) for part in unit.path.split("/") if part])


def _close(session: Session, standing: Installation, now: int) -> int:
    # A clock that was set back must not make an interval that ends before it began.
    standing.to_at = max(now, standing.from_at + 1)
    session.add(standing)
    session.flush()
    return standing.to_at


def _record_change(
    session: Session,
    actor: Person | str,
    action: str,
    kind: str,
    number: int | None,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    now: int,
) -> None:
    changed = [name for name in after if before[name] != after[name]]
    if changed:
        old, new = ({name: values[name] for name in changed} for values in (before, after))
        audit.record(session, actor, action, kind, number, before=old, after=new, now=now)
