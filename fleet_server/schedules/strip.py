"""The picture of a week: what is asked when, at which places, and which schedule wins where several overlap.

It knows no page and no words. Places that the same schedules mean stand together in one group.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, visible_devices
from fleet_server.devices.models import Device
from fleet_server.instants import HELSINKI, to_ms
from fleet_server.places.models import Installation, Place
from fleet_server.schedules import planning, service
from fleet_server.schedules.holidays import eves_of, holidays
from fleet_server.schedules.models import Schedule
from fleet_server.schedules.timeline import Entry, due, pieces

DAY_UNITS = 1440  # width of a day's picture: a minute is one, also where the clocks change


@dataclass(frozen=True)
class Block:
    """[start, end) of a day, UTC ms; `schedule` None: what was published. `x`, `width`: of DAY_UNITS."""

    start: int
    end: int
    schedule: Schedule | None
    x: float
    width: float


@dataclass(frozen=True)
class DayStrip:
    """One day. `holiday`: its name, '' on a plain day."""

    start: int
    holiday: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Overlap:
    """Where both hold, `winner` is asked: it began later (or, begun at once, was made later)."""

    winner: Schedule
    loser: Schedule


@dataclass(frozen=True)
class Group:
    """Devices that the same schedules mean, with the names of where they stand."""

    places: tuple[str, ...]
    devices: int
    schedules: tuple[Schedule, ...]
    days: tuple[DayStrip, ...]
    overlaps: tuple[Overlap, ...]


def week(session: Session, person: Person, monday: date, language: str, *, now: int) -> list[Group]:
    """The week from `monday` on, for the devices that this person sees; those without any schedule are left out."""
    start = midnight(monday)
    rows = session.exec(
        select(Device, Place.name)
        .outerjoin(
            Installation, (col(Installation.device_id) == col(Device.id)) & col(Installation.to_at).is_(None)
        )
        .outerjoin(Place, col(Place.id) == col(Installation.place_id))
        .where(col(Device.id).in_(visible_devices(person)), col(Device.revoked_at).is_(None))
        .order_by(col(Place.name), col(Device.name))
    ).all()
    meant: dict[str, list[Schedule]] = {}
    for schedule in planning.open_schedules(session, now=now):
        for device_id in service.concerns(session, schedule):
            meant.setdefault(device_id, []).append(schedule)
    found: dict[tuple[int, ...], list[tuple[Device, str]]] = {}
    for device, place in rows:
        schedules = [row for row in meant.get(device.id, ()) if planning.asks(session, row, device.model)]
        if schedules:
            found.setdefault(tuple(row.id or 0 for row in schedules), []).append((device, place or ""))
    by_id = {row.id: row for rows_ in meant.values() for row in rows_}
    eves = eves_of(session)
    names = holidays(monday, monday + timedelta(days=6), eves, language)
    groups = []
    for ids, devices in found.items():
        schedules = [by_id[number] for number in ids]
        entries = entries_of(schedules, eves, at=max(start, now))
        groups.append(
            Group(
                tuple(dict.fromkeys(place or device.name for device, place in devices)),
                len(devices),
                tuple(schedules),
                tuple(
                    _day(
                        schedules,
                        entries,
                        monday + timedelta(days=n),
                        names.get(monday + timedelta(days=n), ""),
                    )
                    for n in range(7)
                ),
                tuple(_overlaps(schedules, entries, start, midnight(monday + timedelta(days=7)))),
            )
        )
    return groups


def entries_of(schedules: Iterable[Schedule], eves: tuple[str, ...], *, at: int) -> list[Entry]:
    """Entries for timeline.py; their hash is none that a kiosk knows."""
    return [
        {
            "number": row.set_number,
            "hash": "",
            "from": row.from_at,
            "to": row.to_at,
            "hours": planning.hours_of(row, eves, now=at),
        }
        for row in schedules
    ]


def midnight(day: date) -> int:
    """The Finnish midnight at which a day begins, UTC ms."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=HELSINKI))


def _day(schedules: Sequence[Schedule], entries: Sequence[Entry], day: date, holiday: str) -> DayStrip:
    start, end = midnight(day), midnight(day + timedelta(days=1))
    blocks = []
    for from_at, to_at, index in pieces(entries, start, end):
        x, width = ((at * DAY_UNITS) / (end - start) for at in (from_at - start, to_at - from_at))
        schedule = None if index is None else schedules[index]
        blocks.append(Block(from_at, to_at, schedule, round(x, 1), round(width, 1)))
    return DayStrip(start, holiday, tuple(blocks))


def _overlaps(
    schedules: Sequence[Schedule], entries: Sequence[Entry], start: int, end: int
) -> Iterable[Overlap]:
    found: dict[tuple[int, int], Overlap] = {}
    for one in range(len(entries)):
        for other in range(one + 1, len(entries)):
            pair = [entries[one], entries[other]]
            for at, _, index in pieces(pair, start, end):
                loser = None if index is None else due([pair[1 - index]], at)
                if index is not None and loser is not None:
                    winner, beaten = (one, other) if index == 0 else (other, one)
                    found[winner, beaten] = Overlap(schedules[winner], schedules[beaten])
    return found.values()
