"""The overview's figures: the reader's part of the tree of units, with places, devices and sums.

Demo places stand in the tree like others, but no sum of real places includes them: they have sums of their
own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, visible_devices, visible_places, visible_units
from fleet_server.devices.lines import DeviceLine, device_lines
from fleet_server.devices.models import Device
from fleet_server.places.models import Place, Unit
from fleet_server.places.periods import day_start
from fleet_server.places.volumes import Volume, presses_by_place


@dataclass(frozen=True)
class PlaceLine:
    """A place with the devices that stand there now and today's presses."""

    id: int
    name: str
    demo: bool
    today: Volume
    devices: tuple[DeviceLine, ...]


@dataclass(frozen=True)
class UnitBranch:
    """A unit with what is below it. `above`: names of the units over it that the reader may not see."""

    id: int
    name: str
    sector: str
    above: tuple[str, ...]
    places: tuple[PlaceLine, ...]
    units: tuple["UnitBranch", ...]

    def all_places(self) -> Iterator[PlaceLine]:
        """Its places and those of every unit below."""
        yield from self.places
        for unit in self.units:
            yield from unit.all_places()


@dataclass(frozen=True)
class Totals:
    """Sums over places. `astray`: devices whose books do not balance; `unheard`: not known yet."""

    places: int
    devices: int
    here: int
    today: int
    simulated: int
    waiting: int
    astray: int
    unheard: int


@dataclass(frozen=True)
class Overview:
    """The overview of one reader. `real` or `demo` is None when there is no such place; `devices` are all of them."""

    real: Totals | None
    demo: Totals | None
    units: tuple[UnitBranch, ...]
    store: tuple[DeviceLine, ...]
    devices: tuple[DeviceLine, ...]


def overview(session: Session, person: Person, *, now: int) -> Overview:
    """The reader's tree; a fixed number of queries, whatever its size."""
    units = session.exec(select(Unit).where(col(Unit.id).in_(visible_units(person)))).all()
    places = session.exec(select(Place).where(col(Place.id).in_(visible_places(person)))).all()
    devices = session.exec(
        select(Device)
        .where(col(Device.id).in_(visible_devices(person)))
        .order_by(col(Device.name), col(Device.id))
    ).all()
    today = presses_by_place(session, visible_places(person), day_start(now), day_start(now, 1))
    lines = device_lines(session, devices)
    at_place: dict[int | None, list[DeviceLine]] = {}
    for line in lines:
        at_place.setdefault(line.place_id, []).append(line)
    place_lines: dict[int, list[PlaceLine]] = {}
    for place in sorted(places, key=lambda place: place.name.casefold()):
        number = place.id or 0
        entry = PlaceLine(
            number, place.name, place.demo, today.get(number, Volume()), tuple(at_place.get(number, ()))
        )
        place_lines.setdefault(place.unit_id, []).append(entry)
    branches = _branches(session, units, place_lines, person.language)
    shown = [place for branch in branches for place in branch.all_places()]
    return Overview(
        real=_totals([place for place in shown if not place.demo]),
        demo=_totals([place for place in shown if place.demo]),
        units=branches,
        store=tuple(line for line in at_place.get(None, []) if line.status != "revoked"),
        devices=tuple(lines),
    )


def unit_name(unit: Unit, language: str) -> str:
    """The unit's name in a language of the pages."""
    return {"fi": unit.name_fi, "sv": unit.name_sv}.get(language, unit.name_en)


def trail(session: Session, unit: Unit, language: str) -> tuple[str, ...]:
    """Names from the root down to this unit."""
    ids = [int(part) for part in unit.path.split("/") if part]
    found = {row.id: row for row in session.exec(select(Unit).where(col(Unit.id).in_(ids)))}
    return tuple(unit_name(found[number], language) for number in ids if number in found)


def _branches(
    session: Session, units: Sequence[Unit], places: dict[int, list[PlaceLine]], language: str
) -> tuple[UnitBranch, ...]:
    by_id = {unit.id: unit for unit in units}
    below: dict[int | None, list[Unit]] = {}
    for unit in sorted(units, key=lambda unit: unit_name(unit, language).casefold()):
        below.setdefault(unit.parent_id if unit.parent_id in by_id else None, []).append(unit)

    def branch(unit: Unit, top: bool) -> UnitBranch:
        children = (branch(child, False) for child in below.get(unit.id, ()))
        return UnitBranch(
            id=unit.id or 0,
            name=unit_name(unit, language),
            sector=unit.sector,
            above=trail(session, unit, language)[:-1] if top and unit.parent_id is not None else (),
            places=tuple(places.get(unit.id or 0, ())),
            units=tuple(child for child in children if any(child.all_places())),
        )

    tops = (branch(unit, True) for unit in below.get(None, ()))
    return tuple(top for top in tops if any(top.all_places()))


def _totals(places: Iterable[PlaceLine]) -> Totals | None:
    there = list(places)
    if not there:
        return None
    devices = [device for place in there for device in place.devices if device.status != "revoked"]
    books = [device.books for device in devices if device.books is not None]
    return Totals(
        places=len(there),
        devices=len(devices),
        here=sum(device.ok for device in devices),
        today=sum(place.today.counted for place in there),
        simulated=sum(place.today.simulated for place in there),
        waiting=sum(book.waiting for book in books),
        astray=sum(book.balanced is False for book in books),
        unheard=sum(book.balanced is None for book in books) + len(devices) - len(books),
    )
