"""Schedules: made, changed, ended, and what of them is wished of one kiosk on top of what was published to it.

It knows no page. Invariant: a kiosk is wished at most MOST_SCHEDULED sets in MOST_BYTES, those whose time comes first,
and never one that its model cannot ask; a card kiosk none, for each change would wait for somebody to change its card.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlmodel import Session, col, or_, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import WHOLE_COUNTY, Person, may
from fleet_server.accounts.models import Role
from fleet_server.devices.models import Device
from fleet_server.instants import HELSINKI, local, to_ms
from fleet_server.places.choosing import Choice, chosen, devices, read_choice
from fleet_server.places.models import Place, Unit
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of
from fleet_server.questions.views import hash_of, view_bytes, view_faults
from fleet_server.refusals import N_, Faults, Sentence
from fleet_server.schedules.holidays import eves_of, holidays
from fleet_server.schedules.models import Schedule
from fleet_server.schedules.reading import HOLIDAYS, LAST_MS, choice_of, fault_of, weekly_of
from fleet_server.schedules.timeline import Entry, due, weekdays
from fleet_server.screens.check import screen_faults
from provisioning.models import MODELS

MOST_SCHEDULED = 7  # a kiosk takes eight sets; one is what was published
MOST_BYTES = (
    2_200  # of the 4096 of a desired document; a QR code, settings and the published set need the rest
)
YEARS = 2  # so long a kiosk without a network knows the holidays, as it does the changes of the clocks


def entries_for(session: Session, device: Device, *, now: int) -> list[Entry]:
    """The scheduled sets of a device as its desired document has them, in the order in which they were made."""
    return [entry for _, entry in planned(session, device, now=now)[0]]


def planned(
    session: Session, device: Device, *, now: int
) -> tuple[list[tuple[Schedule, Entry]], list[Schedule]]:
    """What a device is wished, and the schedules that are left out: for its model, for their number or their size."""
    taken: list[tuple[Schedule, Entry]] = []
    left_out: list[Schedule] = []
    size = 0
    # Those whose time comes first; the others follow as soon as one has ended.
    for schedule in sorted(
        open_schedules(session, now=now), key=lambda row: (max(row.from_at or 0, now), row.id)
    ):
        if not covers(session, schedule, device):
            continue
        hash_ = _hash(session, schedule, device)
        if hash_ is not None and len(taken) < MOST_SCHEDULED:
            entry = {
                "number": schedule.set_number,
                "hash": hash_,
                "from": schedule.from_at,
                "to": schedule.to_at,
                "hours": hours_of(schedule, eves_of(session), now=now),
            }
            bytes_ = len(json.dumps(entry, separators=(",", ":"))) + 1
            if size + bytes_ <= MOST_BYTES:
                size += bytes_
                taken.append((schedule, entry))
                continue
        left_out.append(schedule)
    return sorted(taken, key=lambda pair: pair[0].id or 0), left_out


def _hash(session: Session, schedule: Schedule, device: Device) -> str | None:
    """Name of what this device is to ask. While the set is not what it was (somebody changed it in the database), the
    name that it was wished by before: the device has that one, and goes on with the last good questions."""
    row = session.get(QuestionSet, schedule.set_number)
    if row is None:
        return None
    if questions.is_intact(row):
        return _view_hash(row.body, device.model)
    kept = json.loads(device.desired or "{}").get("sets") or []
    return next((entry["hash"] for entry in kept if entry["number"] == row.number), None)


@lru_cache(maxsize=128)  # each report asks
def _view_hash(body: str, model: str) -> str | None:
    """Hash of the set's view for a model; None when no schedule can make that model ask it."""
    parsed = json.loads(body)
    if model not in MODELS or MODELS[model].screen == "none" or faults_of(parsed):
        return None
    if view_faults(parsed, model) or screen_faults(parsed, model):
        return None
    return hash_of(view_bytes(parsed, model))


def due_now(session: Session, device: Device, *, now: int) -> Schedule | None:
    """The schedule whose set the device should ask at this instant; None: what was published to it."""
    pairs = planned(session, device, now=now)[0]
    index = due([entry for _, entry in pairs], now)
    return None if index is None else pairs[index][0]


def asks(session: Session, schedule: Schedule, model: str) -> bool:
    """Whether this model can ask the schedule's set."""
    row = session.get(QuestionSet, schedule.set_number)
    return row is not None and questions.is_intact(row) and _view_hash(row.body, model) is not None


def open_schedules(session: Session, *, now: int) -> Sequence[Schedule]:
    """Those that are neither ended nor over, oldest first; without those that cannot be read."""
    return [row for row in unended(session, now=now) if not fault_of(row)]


def unended(session: Session, *, now: int) -> Sequence[Schedule]:
    """The same with those that cannot be read, which no kiosk follows: for the pages, which name what is wrong."""
    found = select(Schedule).where(
        col(Schedule.ended_at).is_(None), or_(col(Schedule.to_at).is_(None), col(Schedule.to_at) > now)
    )
    return session.exec(found.order_by(col(Schedule.id))).all()


def covers(session: Session, schedule: Schedule, device: Device) -> bool:
    """Whether the schedule's places are those of this device now."""
    choice = choice_of(schedule)
    if choice is None:
        return False
    wanted = chosen(choice).where(col(Device.id) == device.id)
    return session.connection().execute(wanted).first() is not None


def hours_of(schedule: Schedule, eves: tuple[str, ...], *, now: int) -> dict[str, Any] | None:
    """The entry's hours, null for any time. Dates are those that matter: within the schedule, at its weekdays, from
    this month to the same one in YEARS years, so that the document changes once a month at most."""
    weekly = {day: spans for day, spans in (weekly_of(schedule) or {}).items() if spans} or None
    found: dict[str, Any] = {} if weekly is None else {"weekly": weekly}
    if schedule.holidays != "any":
        first = local(now).date().replace(day=1)
        last = first.replace(year=first.year + YEARS) + timedelta(days=30)
        if schedule.from_at is not None:
            first = max(first, local(schedule.from_at).date())
        if schedule.to_at is not None:
            last = min(last, local(schedule.to_at - 1).date())
        days = set(weekdays(weekly, first, (last - first).days + 1))
        found[schedule.holidays] = [f"{day}" for day in holidays(first, last, eves) if day in days]
    return found or None


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
