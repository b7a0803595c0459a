"""What is typed of units and places, each field held against what it has to be. It changes nothing."""

import re
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.places.models import Place, Unit
from fleet_server.refusals import N_, Faults

SECTORS = {"health": N_("Health services"), "social": N_("Social services")}
DEEPEST = 12  # the national organisation register goes five deep; keeps the path within its column
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*)){2,}")


def unit_fields(
    session: Session,
    faults: Faults,
    name_fi: str,
    name_sv: str,
    name_en: str,
    oid: str | None,
    sector: str,
    *,
    own_id: int | None,
) -> dict[str, Any]:
    """A unit's columns; `own_id`: of the one that is changed."""
    names = {"name_fi": name_fi, "name_sv": name_sv, "name_en": name_en}
    fields: dict[str, Any] = {name: faults.text(name, typed, 200) for name, typed in names.items()}
    oid = (oid or "").strip() or None
    if oid is not None and (not _OID.fullmatch(oid) or len(oid) > 100):
        faults.add("oid", N_("“%(value)s” is not an identifier such as 1.2.246.10.1234567.10.0."), value=oid)
    elif oid is not None:
        other = session.exec(select(Unit).where(Unit.oid == oid)).first()
        if other is not None and other.id != own_id:
            faults.add(
                "oid", N_("%(value)s is the identifier of %(name)s already."), value=oid, name=other.name_fi
            )
    if sector not in SECTORS:
        faults.add("sector", N_("“%(value)s” is neither health nor social."), value=sector)
    return fields | {"oid": oid, "sector": sector}


def parent_of(session: Session, faults: Faults, parent_id: int | None, subtree: str = "") -> Unit | None:
    """The unit above; `subtree`: path of the unit that is moved below it with all that it has."""
    if parent_id is None:
        return None
    parent = session.get(Unit, parent_id)
    if parent is None:
        faults.add("parent_id", N_("There is no unit %(value)s."), value=parent_id)
        return None
    below = session.exec(select(Unit.path).where(col(Unit.path).startswith(subtree))).all() if subtree else []
    height = max((path.count("/") for path in below), default=0) - subtree.count("/") if below else 0
    if parent.path.count("/") + height > DEEPEST:
        faults.add("parent_id", N_("The tree would be deeper than %(deepest)s levels."), deepest=DEEPEST)
    return parent


def place_name(
    session: Session, faults: Faults, typed: str, unit_id: int | None, *, own_id: int | None
) -> str:
    """A place's name, which its unit has once."""
    name = faults.text("name", typed, 200)
    if unit_id is None:
        faults.add("unit_id", N_("Choose the unit to which the place belongs."))
    elif session.get(Unit, unit_id) is None:
        faults.add("unit_id", N_("There is no unit %(value)s."), value=unit_id)
    there = session.exec(select(Place).where(Place.unit_id == unit_id)).all() if unit_id else []
    if any(place.name.casefold() == name.casefold() and place.id != own_id for place in there):
        faults.add("name", N_("There is a place named “%(value)s” in this unit already."), value=name)
    return name
