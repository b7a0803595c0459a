"""Schedules made, changed and ended by who keeps their places. It knows no page, and no wish: see planning.py.

Invariant: a schedule that is kept has a set that each kiosk at its places can ask, and room in the wishes of each.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import WHOLE_COUNTY, Person, may
from fleet_server.accounts.models import Role
from fleet_server.instants import HELSINKI, local, to_ms
from fleet_server.places.choosing import Choice, chosen, devices, read_choice
from fleet_server.places.models import Place, Unit
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.refusals import N_, Faults, Sentence
from fleet_server.schedules.models import Schedule
from fleet_server.schedules.planning import MOST_BYTES, MOST_SCHEDULED, open_schedules, planned
from fleet_server.schedules.reading import HOLIDAYS, LAST_MS, choice_of
from provisioning.models import MODELS


def save(
    session: Session,
    actor: Person,
    schedule: Schedule | None,
    *,
    name: str,
    set_number: int,
    choice: Choice,
    first_day: str,
    last_day: str,
    weekly: str,
    holidays: str,
    now: int,
) -> tuple[Schedule, list[str]]:
    """Make (None) or change a schedule; returns it and the ids of the devices whose wishes may be others now.

    first_day, last_day: `2026-03-02`, '' from now on and until it is ended; weekly: read_week's. Raises Refused."""
    faults = Faults()
    name = faults.text("name", name, 200)
    choice = read_choice(choice)
    if session.get(QuestionSet, set_number) is None:
        faults.add("set_number", N_("Choose a question set."))
    from_at = _midnight(faults, "first_day", first_day, 0) if first_day.strip() else None
    to_at = _midnight(faults, "last_day", last_day, 1) if last_day.strip() else None
    if from_at is None and "first_day" not in faults.found:
        from_at = schedule.from_at if schedule is not None else now
    if to_at is not None and to_at <= max(from_at or 0, now):
        faults.add("last_day", N_("“%(value)s” is over, or before the first day."), value=last_day.strip())
    if holidays not in HOLIDAYS:
        faults.add("holidays", N_("Choose what holds on holidays."))
    if not keeps(session, actor, choice):
        faults.add("units", N_("Choose units or places that you look after."))
    concerned = devices(session, actor, choice)
    if not concerned:
        faults.add("units", N_("No kiosk stands at such a place."))
    cards = sorted({device.model for device in concerned if MODELS[device.model].screen == "none"})
    if cards:
        faults.add(
            "models",
            N_("Model %(models)s asks what its printed card says, so nothing can be scheduled for it."),
            models=", ".join(cards),
        )
    if not cards and "set_number" not in faults.found:
        models = {device.model for device in concerned}
        for fault in questions.hindrances(session, set_number, models):
            said = (
                (fault.text, fault.values) if isinstance(fault, Sentence) else ("%(fault)s", {"fault": fault})
            )
            faults.found.setdefault("set_number", said)
    faults.check()
    before_ids = set() if schedule is None else concerns(session, schedule)
    before = None if schedule is None else told(schedule)
    if schedule is None:
        by = actor.actor
        schedule = Schedule(name=name, set_number=set_number, choice="{}", created_at=now, created_by=by)
    schedule.name, schedule.set_number = name, set_number
    schedule.choice = json.dumps(choice)
    schedule.from_at, schedule.to_at = from_at, to_at
    schedule.weekly, schedule.holidays = weekly, holidays
    session.add(schedule)
    session.flush()
    for device in concerned:
        if schedule in planned(session, device, now=now)[1]:
            faults.add(
                "name",
                N_(
                    "Device %(device)s has so many schedules already that this one has no room "
                    "(%(most)s sets, %(bytes)s bytes). End another one first."
                ),
                device=device.name,
                most=MOST_SCHEDULED,
                bytes=MOST_BYTES,
            )
            break
    faults.check()
    action = "create schedule" if before is None else "change schedule"
    audit.record(
        session, actor, action, "schedule", schedule.id, before=before, after=told(schedule), now=now
    )
    return schedule, sorted(before_ids | concerns(session, schedule))


def end(session: Session, actor: Person, schedule: Schedule, *, now: int) -> list[str]:
    """From now on its places ask what they asked without it. Returns the ids of the devices that it concerned."""
    if schedule.ended_at is None:
        schedule.ended_at = now
        session.add(schedule)
        session.flush()
        audit.record(session, actor, "end schedule", "schedule", schedule.id, before=told(schedule), now=now)
    return sorted(concerns(session, schedule))


def concerns(session: Session, schedule: Schedule) -> set[str]:
    """Ids of the devices at its places now."""
    choice = choice_of(schedule)
    return set() if choice is None else set(session.connection().execute(chosen(choice)).scalars())


def by_holidays(session: Session, *, now: int) -> set[str]:
    """Ids of the devices that other eves among the holidays concern."""
    rows = [row for row in open_schedules(session, now=now) if row.holidays != "any"]
    return set().union(*(concerns(session, row) for row in rows))


def keeps(session: Session, person: Person, choice: Choice | None) -> bool:
    """Whether this person is coordinator of all that a choice may ever mean: of the county, its units or places.

    A choice that cannot be read (None) may mean everything."""
    if may(person, Role.COORDINATOR, WHOLE_COUNTY):
        return True
    if choice is None:
        return False
    units = [session.get(Unit, unit) for unit in choice["units"]]
    for place in choice["places"] if not units else ():
        found = session.get(Place, place)
        units.append(session.get(Unit, found.unit_id) if found else None)
    return bool(units) and all(
        unit is not None and may(person, Role.COORDINATOR, unit.path) for unit in units
    )


def told(schedule: Schedule) -> dict[str, Any]:
    """What the audit log says of a schedule."""
    days = {"from": schedule.from_at, "to": None if schedule.to_at is None else schedule.to_at - 1}
    return {
        "name": schedule.name,
        "set": schedule.set_number,
        **{key: f"{local(at):%Y-%m-%d}" for key, at in days.items() if at is not None and 0 <= at < LAST_MS},
        "hours": schedule.weekly,
        "holidays": schedule.holidays,
        "choice": schedule.choice,
    }


def _midnight(faults: Faults, name: str, typed: str, later: int) -> int | None:
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        day = date.min
    if not 2020 <= day.year < 2100:
        faults.add(name, N_("“%(value)s” is not a date from 2020 on."), value=typed.strip())
        return None
    day += timedelta(days=later)
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=HELSINKI))
