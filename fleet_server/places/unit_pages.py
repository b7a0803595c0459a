"""Administration of the tree of units; it shows the places in it, whose own administration is in pages.py."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, visible_places, visible_units
from fleet_server.devices.models import KIOSK, Device
from fleet_server.places import service
from fleet_server.places.fields import SECTORS
from fleet_server.places.keeping import (
    Keeper,
    keeps_county,
    kept_unit,
    kept_units,
    unit_above,
)
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.refusals import N_, Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages, row_id
from fleet_server.web.i18n import _
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name, unit_options

router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form()]

DONE = {
    "created": N_("It was created."),
    "changed": N_("The changes were saved."),
    "deleted": N_("It was removed."),
}


@router.get("/units")
def units(request: Request, person: Keeper, session: ReadSession, done: str = "") -> Response:
    """The tree of units with their places and the devices that stand there."""
    shown = service.all_units(session, visible_units(person))
    places = session.exec(
        select(Place).where(col(Place.id).in_(visible_places(person))).order_by(col(Place.name))
    ).all()
    standing = session.exec(
        select(Installation.place_id, Device.id, Device.name)
        .join(Device, col(Device.id) == col(Installation.device_id))
        .where(
            Device.channel == KIOSK,
            col(Installation.to_at).is_(None),
            col(Installation.place_id).in_(visible_places(person)),
        )
        .order_by(col(Device.name))
    ).all()
    context: dict[str, Any] = {
        "branches": _branches(shown, places),
        "devices": _grouped(standing, lambda row: row[0]),
        "sectors": SECTORS,
        "whole_county": keeps_county(person),
        "done": _(DONE[done]) if done in DONE else "",
    }
    return render(request, "places/units.html", **context)


@router.get("/units/new")
def new_unit_form(request: Request, person: Keeper, session: ReadSession, parent: str = "") -> Response:
    """The form for a new unit."""
    typed = {"parent_id": parent, "name_fi": "", "name_sv": "", "name_en": "", "oid": "", "sector": "health"}
    above = session.get(Unit, row_id(parent) or 0)
    if above is not None:
        typed["sector"] = above.sector
    return _unit_form(request, session, person, None, typed)


@router.post("/units/new")
def new_unit(
    request: Request,
    person: Keeper,
    session: WriteSession,
    now: Now,
    parent_id: Typed = "",
    name_fi: Typed = "",
    name_sv: Typed = "",
    name_en: Typed = "",
    oid: Typed = "",
    sector: Typed = "",
) -> Response:
    """Create a unit."""
    typed = _unit_typed(parent_id, name_fi, name_sv, name_en, oid, sector)
    try:
        parent = unit_above(session, person, parent_id)
        names = {"name_fi": name_fi, "name_sv": name_sv, "name_en": name_en}
        service.create_unit(session, person, parent_id=parent, oid=oid, sector=sector, now=now, **names)
    except Refused as refused:
        return _unit_form(request, session, person, None, typed, messages(refused), 422)
    return RedirectResponse("/units?done=created", 303)


@router.get("/units/{unit_id}")
def unit_form(request: Request, unit_id: RowId, person: Keeper, session: ReadSession) -> Response:
    """The form of one unit."""
    unit = kept_unit(session, person, unit_id)
    typed = _unit_typed(
        str(unit.parent_id or ""), unit.name_fi, unit.name_sv, unit.name_en, unit.oid or "", unit.sector
    )
    return _unit_form(request, session, person, unit, typed)


@router.post("/units/{unit_id}")
def change_unit(
    request: Request,
    unit_id: RowId,
    person: Keeper,
    session: WriteSession,
    now: Now,
    parent_id: Typed = "",
    name_fi: Typed = "",
    name_sv: Typed = "",
    name_en: Typed = "",
    oid: Typed = "",
    sector: Typed = "",
) -> Response:
    """Change a unit, or hang it elsewhere."""
    unit = kept_unit(session, person, unit_id)
    typed = _unit_typed(parent_id, name_fi, name_sv, name_en, oid, sector)
    try:
        # Whoever is limited to a part of the tree keeps its top where it hangs: above it nothing is his.
        kept = row_id(parent_id) == unit.parent_id
        parent = unit.parent_id if kept else unit_above(session, person, parent_id)
        names = {"name_fi": name_fi, "name_sv": name_sv, "name_en": name_en}
        service.change_unit(session, person, unit, parent_id=parent, oid=oid, sector=sector, now=now, **names)
    except Refused as refused:
        return _unit_form(request, session, person, unit, typed, messages(refused), 422)
    return RedirectResponse("/units?done=changed", 303)


@router.post("/units/{unit_id}/delete")
def delete_unit(
    request: Request, unit_id: RowId, person: Keeper, session: WriteSession, now: Now
) -> Response:
    """Remove an empty unit."""
    unit = kept_unit(session, person, unit_id)
    typed = _unit_typed(
        str(unit.parent_id or ""), unit.name_fi, unit.name_sv, unit.name_en, unit.oid or "", unit.sector
    )
    try:
        service.delete_unit(session, person, unit, now=now)
    except Refused as refused:
        return _unit_form(request, session, person, unit, typed, messages(refused), 422)
    return RedirectResponse("/units?done=deleted", 303)


def _unit_typed(
    parent_id: str, name_fi: str, name_sv: str, name_en: str, oid: str, sector: str
) -> dict[str, str]:
    names = {"name_fi": name_fi, "name_sv": name_sv, "name_en": name_en}
    return {"parent_id": parent_id, "oid": oid, "sector": sector} | names


def _unit_form(
    request: Request,
    session: Session,
    person: Person,
    unit: Unit | None,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    kept = kept_units(session, person)
    above = [each for each in kept if unit is None or not each.path.startswith(unit.path)]
    whole_county = keeps_county(person)
    fixed = (
        unit is not None and unit.parent_id is not None and unit.parent_id not in {each.id for each in above}
    )
    context: dict[str, Any] = {
        "unit": unit,
        "title": unit_name(unit) if unit else _("New unit"),
        "typed": typed,
        "errors": errors or {},
        "above": unit_options(above),
        "fixed": fixed or (unit is not None and unit.parent_id is None and not whole_county),
        "whole_county": whole_county,
        "sectors": [(code, _(name)) for code, name in SECTORS.items()],
    }
    return render(request, "places/unit.html", status, **context)


def _branches(units: list[Unit] | Any, places: Any) -> list[dict[str, Any]]:
    """The tree as nested dictionaries; only a sector that differs from the one above is worth a word."""
    known = {unit.id for unit in units}
    by_parent = _grouped(units, lambda unit: unit.parent_id if unit.parent_id in known else None)
    by_unit = _grouped(places, lambda place: place.unit_id)

    def branch(parent: int | None, sector: str) -> list[dict[str, Any]]:
        return [
            {
                "unit": unit,
                "name": unit_name(unit),
                "sector_changes": unit.sector != sector,
                "places": by_unit.get(unit.id, []),
                "below": branch(unit.id, unit.sector),
            }
            for unit in sorted(by_parent.get(parent, []), key=lambda unit: unit_name(unit).casefold())
        ]

    return branch(None, "health")


def _grouped(rows: Any, key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
