"""A unit or place to choose in a form: `unit-5`, `place-3`, in a list that shows the tree. It tells no results."""

import re

from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, visible_places, visible_units
from fleet_server.places.models import Place, Unit
from fleet_server.results import subjects
from fleet_server.results.models import UNIT
from fleet_server.results.subjects import Subject
from fleet_server.web.units import unit_options

_VALUE = re.compile(r"(unit|place)-([1-9][0-9]{0,8})")
_INDENT = "\u2003"  # an em space: browsers keep it inside <option>


def value_of(subject: Subject) -> str:
    """How a form names a subject."""
    return f"{subject.where.scope}-{subject.where.id}"


def chosen(session: Session, person: Person, value: str) -> Subject | None:
    """The subject of a form's value, when it is the reader's to see."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    number = int(found[2])
    subject = (subjects.of_unit if found[1] == UNIT else subjects.of_place)(session, number)
    return subject if subject is not None and subjects.reads(person, subject.unit.path) else None


def options(session: Session, person: Person) -> list[tuple[str, str]]:
    """Values and indented names of all that the reader may see, places below their unit."""
    units = session.exec(select(Unit).where(col(Unit.id).in_(visible_units(person)))).all()
    units = [unit for unit in units if subjects.reads(person, unit.path)]
    places: dict[int, list[Place]] = {}
    for place in session.exec(
        select(Place).where(col(Place.id).in_(visible_places(person))).order_by(col(Place.name))
    ):
        places.setdefault(place.unit_id, []).append(place)
    listed: list[tuple[str, str]] = []
    for number, name in unit_options(units):
        depth = len(name) - len(name.lstrip(_INDENT))
        listed.append((f"unit-{number}", name))
        listed += [
            (f"place-{place.id}", _INDENT * (depth + 1) + place.name) for place in places.get(number, [])
        ]
    return listed
