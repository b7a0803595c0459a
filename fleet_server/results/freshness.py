"""Up to when a subject's presses are all here: from what its kiosks last said and what they have waiting.

It reads the kept numbers of the books, never an answer, and makes no sentence.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlmodel import Session, col

from fleet_server.answers.models import JournalEpoch
from fleet_server.devices.models import KIOSK, Device
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.results.subjects import Subject

_HERE = ("here", "update")  # connected: what is pressed comes at once


@dataclass(frozen=True)
class Silent:
    """A kiosk that is not here: `since` its last message, None: never heard. `sleeping` as it had announced."""

    name: str
    since: int | None
    sleeping: bool


@dataclass(frozen=True)
class Freshness:
    """`until`: every press before it is booked, as far as the kiosks have said; None: one was never heard.

    `kiosks`: how many stand there; `waiting`: answers that are written in `holding` of them and not booked yet.
    """

    kiosks: int
    until: int | None
    waiting: int
    holding: int
    silent: tuple[Silent, ...]


def freshness(session: Session, subject: Subject, *, now: int) -> Freshness:
    """Of the kiosks that stand there now. Phones write into the server itself: they are always complete."""
    of_place, there = _there(subject)
    rows = session.connection().execute(_kiosks(of_place), there).all()
    held = _waiting(session, subject)
    until: int | None = now
    silent: list[Silent] = []
    for device_id, name, status, contact_at in rows:
        if status not in _HERE:
            silent.append(Silent(name, contact_at, status == "sleeping"))
            until = None if until is None or contact_at is None else min(until, int(contact_at))
        if until is not None and device_id in held:
            until = min(until, held[device_id][1])
    return Freshness(
        kiosks=len(rows),
        until=until,
        waiting=sum(answers for answers, _ in held.values()),
        holding=len(held),
        silent=tuple(silent),
    )


def kiosks_of(session: Session, subject: Subject) -> dict[str, int]:
    """{model: kiosks that stand there now}."""
    of_place, there = _there(subject)
    rows = session.connection().execute(_models(of_place), there)
    return {str(model): int(count) for model, count in rows}


def _waiting(session: Session, subject: Subject) -> dict[str, tuple[int, int]]:
    """{device: (answers that wait, until when nothing did)} of those that have some."""
    of_place, there = _there(subject)
    rows = session.connection().execute(_holding(of_place), there)
    found: dict[str, tuple[int, int]] = {}
    for device_id, most, due, progress_at in rows:
        waiting, since = found.get(device_id, (0, int(progress_at)))
        found[device_id] = waiting + min(int(most), int(due)), min(since, int(progress_at))
    return found


def _there(subject: Subject) -> tuple[bool, dict[str, Any]]:
    """Whether it is a place, and the values of the statements below."""
    if subject.place is not None:
        return True, {"place": subject.place.id}
    return False, {"path": subject.unit.path}


# Each page asks all of these; making them anew takes longer than their answers.
@cache
def _standing(of_place: bool) -> Select[Any]:
    stands = select(col(Installation.device_id)).where(col(Installation.to_at).is_(None))
    if of_place:
        return stands.where(col(Installation.place_id) == bindparam("place"))
    units = select(col(Unit.id)).where(col(Unit.path).startswith(bindparam("path")))
    places = select(col(Place.id)).where(col(Place.unit_id).in_(units), col(Place.demo).is_(False))
    return stands.where(col(Installation.place_id).in_(places))


@cache
def _kiosks(of_place: bool) -> Select[str, str, str, int | None]:
    named = select(col(Device.id), col(Device.name), col(Device.status), col(Device.contact_at))
    there = col(Device.id).in_(_standing(of_place)), col(Device.channel) == KIOSK
    return named.where(*there, col(Device.revoked_at).is_(None)).order_by(col(Device.name))


@cache
def _models(of_place: bool) -> Select[str, int]:
    there = col(Device.id).in_(_standing(of_place)), col(Device.channel) == KIOSK
    counted = select(col(Device.model), func.count()).where(*there)
    return counted.group_by(col(Device.model)).order_by(col(Device.model))


@cache
def _holding(of_place: bool) -> Select[str, int, int, int]:
    """Pressed less received, as far as records wait at all: what was rejected or lost waits no more."""
    epoch = JournalEpoch
    records = col(epoch.next) - col(epoch.through)
    answers = col(epoch.pressed) - col(epoch.received_answers)
    return select(col(epoch.device_id), records, answers, col(epoch.progress_at)).where(
        col(epoch.device_id).in_(_standing(of_place)),
        col(epoch.gone_at).is_(None),
        col(epoch.by_server).is_(False),
        records > 0,
        answers > 0,
    )
