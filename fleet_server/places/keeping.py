"""What a keeper of places may touch: units and places within the roles; others, to him, do not exist."""

from typing import Annotated

from fastapi import HTTPException
from sqlmodel import Session, col, select

from fleet_server.accounts.access import (
    WHOLE_COUNTY,
    Person,
    allow,
    may,
    require,
    visible_places,
    visible_units,
)
from fleet_server.accounts.models import Role
from fleet_server.places import service
from fleet_server.places.models import Place, Unit
from fleet_server.refusals import N_, Refused
from fleet_server.web.forms import row_id

KEEPERS = (Role.TECHNICIAN, Role.COORDINATOR)
Keeper = Annotated[Person, allow(*KEEPERS)]


def kept_unit(session: Session, person: Person, unit_id: int) -> Unit:
    """A unit that this person keeps; 404 when it may not be seen, NotAllowed when it may only be seen."""
    unit = session.exec(
        select(Unit).where(Unit.id == unit_id, col(Unit.id).in_(visible_units(person)))
    ).first()
    if unit is None:
        raise HTTPException(404)
    require(person, unit.path, *KEEPERS)
    return unit


def kept_place(session: Session, person: Person, place_id: int, *roles: Role) -> Place:
    """A place that this person keeps (or holds one of `roles` at); 404 and NotAllowed alike."""
    place = session.exec(
        select(Place).where(Place.id == place_id, col(Place.id).in_(visible_places(person)))
    ).first()
    if place is None:
        raise HTTPException(404)
    require(person, session.get_one(Unit, place.unit_id).path, *(roles or KEEPERS))
    return place


def kept_units(session: Session, person: Person) -> list[Unit]:
    """The units that this person keeps."""
    seen = service.all_units(session, visible_units(person))
    return [unit for unit in seen if any(may(person, role, unit.path) for role in KEEPERS)]


def own_unit(session: Session, person: Person, typed: str, field: str = "unit_id") -> int | None:
    """The typed unit if this person keeps it; None when nothing was typed. Raises Refused."""
    number = row_id(typed)
    if typed.strip() and number not in {unit.id for unit in kept_units(session, person)}:
        raise Refused({field: (N_("There is no unit %(value)s."), {"value": typed[:60]})})
    return number


def unit_above(session: Session, person: Person, typed: str) -> int | None:
    """The unit to hang another one below. The top of the tree is for who keeps the whole county."""
    if not typed.strip() and not keeps_county(person):
        raise Refused({"parent_id": (N_("Choose the unit above it."), {})})
    return own_unit(session, person, typed, "parent_id")


def keeps_county(person: Person) -> bool:
    """Whether the top of the tree is within this person's roles."""
    return any(may(person, role, WHOLE_COUNTY) for role in KEEPERS)
