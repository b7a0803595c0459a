"""Whose results a page, export, mail or answer of the API is about: a unit with all below it, or a place.

It tells nothing of what was answered.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, may
from fleet_server.accounts.models import Role
from fleet_server.places.models import Place, Unit
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.scores import Where


@dataclass(frozen=True)
class Subject:
    """A unit, or a place in a unit. `above`: the unit to compare with, if there is one."""

    unit: Unit
    place: Place | None
    above: Unit | None

    @property
    def where(self) -> Where:
        """What to ask scores.py for."""
        return Where(PLACE, self.place.id or 0) if self.place else Where(UNIT, self.unit.id or 0)

    @property
    def address(self) -> str:
        """The path of its page."""
        return f"/results/{self.where.scope}s/{self.where.id}"

    @property
    def demo(self) -> bool:
        """Whether it is a place for trying things out."""
        return self.place is not None and self.place.demo


def of_unit(session: Session, unit_id: int) -> Subject | None:
    """The subject of a unit; None when there is no such."""
    unit = session.get(Unit, unit_id)
    if unit is None:
        return None
    # Who may see a part may know how the whole does: its figures are sums of many.
    above = session.get(Unit, unit.parent_id) if unit.parent_id is not None else None
    return Subject(unit, None, above)


def of_place(session: Session, place_id: int) -> Subject | None:
    """The subject of a place, to be compared with its unit; None when there is no such."""
    place = session.get(Place, place_id)
    if place is None:
        return None
    unit = session.get_one(Unit, place.unit_id)
    return Subject(unit, place, unit)


def reads(person: Person, unit_path: str) -> bool:
    """Whether results of this unit are theirs to see: they supervise or coordinate it or a unit above."""
    return may(person, Role.SUPERVISOR, unit_path) or may(person, Role.COORDINATOR, unit_path)


def coordinates_county(session: Session, person: Person) -> bool:
    """Whether this person coordinates the root of the county's tree, and so all of it."""
    roots = session.exec(select(Unit).where(col(Unit.parent_id).is_(None))).all()
    return bool(roots) and all(may(person, Role.COORDINATOR, root.path) for root in roots)
