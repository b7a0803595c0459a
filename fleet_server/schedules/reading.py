"""Reads a schedule's row, also one that somebody edited in the database: what it says, or what is wrong with it.

It knows no kiosk and no page. Invariant: what it lets through no kiosk refuses, for the hours are judged by the kiosk's
own rules (firmware/kiosk/hours.py).
"""

import json
from collections.abc import Callable
from typing import Any

import fleet_server.screens  # noqa: F401  (puts the firmware on the path)

from kiosk.hours import pack  # isort: skip

from fleet_server.places.choosing import Choice, read_choice
from fleet_server.places.hours import DAYS
from fleet_server.refusals import N_, Refused, Sentence, shown
from fleet_server.schedules.models import Schedule

HOLIDAYS = {
    "any": N_("Holidays make no difference"),
    "not": N_("Not on holidays"),
    "only": N_("Only on holidays"),
}
LAST_MS = 4_102_444_800_000  # 2100; no calendar of this project goes further


def fault_of(schedule: Schedule) -> str:
    """Why no kiosk is told of this schedule, a Sentence; '' for a good one."""
    wrong = next((name for name, read in _PARTS.items() if not read(schedule)), None)
    if wrong is None:
        return ""
    text = N_("schedule %(name)s: %(field)s was changed in the database to %(value)s; no kiosk follows it")
    value = str(shown(str(getattr(schedule, wrong))))
    return Sentence(text, name=schedule.name, field=wrong, value=value)


def choice_of(schedule: Schedule) -> Choice | None:
    """The places that it is for; None when that cannot be read."""
    try:
        return read_choice(json.loads(schedule.choice))
    except (Refused, ValueError, RecursionError):
        return None


def weekly_of(schedule: Schedule) -> dict[str, Any] | None:
    """The hours by day, {} for any time; None when they cannot be read."""
    try:
        weekly = json.loads(schedule.weekly or "{}")
        pack({"weekly": weekly})
        return {day: weekly.get(day, []) for day in DAYS} if weekly else {}
    except (ValueError, RecursionError):
        return None


def _in_bounds(schedule: Schedule, at: int | None) -> bool:
    return at is None or (type(at) is int and 0 <= at < LAST_MS)


_PARTS: dict[str, Callable[[Schedule], bool]] = {
    "choice": lambda schedule: choice_of(schedule) is not None,
    "weekly": lambda schedule: weekly_of(schedule) is not None,
    "holidays": lambda schedule: schedule.holidays in HOLIDAYS,
    "from_at": lambda schedule: _in_bounds(schedule, schedule.from_at),
    "to_at": lambda schedule: _in_bounds(schedule, schedule.to_at),
}
