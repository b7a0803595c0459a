"""What of all schedules is wished of one kiosk, on top of what was published to it, and what it should ask now.

It changes nothing. Invariant: a kiosk is wished at most MOST_SCHEDULED sets in MOST_BYTES, those whose time comes
first, and never one that its model cannot ask; a card kiosk none, for each change would wait for another card.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, bindparam
from sqlmodel import Session, col, or_, select

from fleet_server.devices.models import Device
from fleet_server.instants import local
from fleet_server.places.choosing import chosen
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of
from fleet_server.questions.views import hash_of, view_faults, views_bytes
from fleet_server.schedules.holidays import eves_of, holidays
from fleet_server.schedules.models import Schedule
from fleet_server.schedules.reading import choice_of, fault_of, weekly_of
from fleet_server.schedules.timeline import Entry, due, weekdays
from fleet_server.schedules.turning import in_turns
from fleet_server.screens.check import screen_faults
from provisioning.models import MODELS

MOST_SCHEDULED = 7  # a kiosk takes eight sets; one is what was published
MOST_BYTES = (
    2_200  # of the 4096 of a desired document; a QR code, settings and the published set need the rest
)
YEARS = 2  # so long a kiosk without a network knows the holidays, as it does the changes of the clocks
_UNENDED = (  # built once: it is asked for each report of a kiosk
    select(Schedule)
    .where(
        col(Schedule.ended_at).is_(None),
        or_(col(Schedule.to_at).is_(None), col(Schedule.to_at) > bindparam("now", type_=BigInteger)),
    )
    .order_by(col(Schedule.id))
)


def entries_for(session: Session, device: Device, *, turns: Sequence[Entry], now: int) -> list[Entry]:
    """The scheduled sets of a device as its desired document has them, in the order in which they were made; `turns`:
    the published set's entries after its first, which need their room."""
    return [entry for _, entry in planned(session, device, turns=turns, now=now)[0]]


def planned(
    session: Session, device: Device, *, turns: Sequence[Entry] | None = None, now: int
) -> tuple[list[tuple[Schedule, Entry]], list[Schedule]]:
    """What a device is wished, and the schedules that are left out: for its model, for their number or their size.

    `turns`: as for `entries_for`; None: those that it is wished already."""
    taken: list[tuple[Schedule, Entry]] = []
    left_out: list[Schedule] = []
    if turns is None:
        kept = json.loads(device.desired or "{}").get("sets") or []
        turns = [entry for entry in kept if entry["from"] is None][1:]
    size = _bytes(turns)
    # Those whose time comes first; the others follow as soon as one has ended.
    for schedule in sorted(
        open_schedules(session, now=now), key=lambda row: (max(row.from_at or 0, now), row.id)
    ):
        if not covers(session, schedule, device):
            continue
        entries = _entries(session, schedule, device, now=now)
        if (
            entries
            and len(turns) + len(taken) + len(entries) <= MOST_SCHEDULED
            and size + _bytes(entries) <= MOST_BYTES
        ):
            size += _bytes(entries)
            taken += [(schedule, entry) for entry in entries]
            continue
        left_out.append(schedule)
    return sorted(taken, key=lambda pair: pair[0].id or 0), left_out


def _entries(session: Session, schedule: Schedule, device: Device, *, now: int) -> list[Entry]:
    """The schedule for this device, its set in its turns; none when it cannot ask it."""
    row = session.get(QuestionSet, schedule.set_number)
    names = () if row is None else _hashes(row, device)
    if row is None or not names:
        return []
    entry = {
        "number": schedule.set_number,
        "hash": names[0],
        "from": schedule.from_at,
        "to": schedule.to_at,
        "hours": hours_of(schedule, eves_of(session), now=now),
    }
    return in_turns(entry, names, questions.body_of(row), now=now) if len(names) > 1 else [entry]


def _hashes(row: QuestionSet, device: Device) -> tuple[str, ...]:
    """Names of what this device is to ask. While the set is not what it was (somebody changed it in the database), the
    name that it was wished by before: the device has that one, and goes on with the last good questions."""
    if questions.is_intact(row):
        return _view_hashes(row.body, device.model)
    kept = json.loads(device.desired or "{}").get("sets") or []
    return tuple(entry["hash"] for entry in kept if entry["number"] == row.number)[:1]


@lru_cache(maxsize=128)  # each report asks
def _view_hashes(body: str, model: str) -> tuple[str, ...]:
    """Names of the set's views for a model; () when no schedule can make that model ask it."""
    parsed = json.loads(body)
    if model not in MODELS or MODELS[model].screen == "none" or faults_of(parsed):
        return ()
    if view_faults(parsed, model) or screen_faults(parsed, model):
        return ()
    return tuple(hash_of(view) for view in views_bytes(parsed, model))


def _bytes(entries: Sequence[Entry]) -> int:
    return sum(len(json.dumps(entry, separators=(",", ":"))) + 1 for entry in entries)


def due_now(session: Session, device: Device, *, now: int) -> Schedule | None:
    """The schedule whose set the device should ask at this instant; None: what was published to it."""
    pairs = planned(session, device, now=now)[0]
    index = due([entry for _, entry in pairs], now)
    return None if index is None else pairs[index][0]


def asks(session: Session, schedule: Schedule, model: str) -> bool:
    """Whether this model can ask the schedule's set."""
    row = session.get(QuestionSet, schedule.set_number)
    return row is not None and questions.is_intact(row) and bool(_view_hashes(row.body, model))


def open_schedules(session: Session, *, now: int) -> Sequence[Schedule]:
    """Those that are neither ended nor over, oldest first; without those that cannot be read."""
    return [row for row in unended(session, now=now) if not fault_of(row)]


def unended(session: Session, *, now: int) -> Sequence[Schedule]:
    """The same with those that cannot be read, which no kiosk follows: for the pages, which name what is wrong."""
    return session.exec(_UNENDED, params={"now": now}).all()


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
