"""Looks whether what is watched for is so: alerts begin, and are over. A job; see jobs.py.

Invariant: an alert is told once until it is over; nothing is watched for who may not read it any more.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person
from fleet_server.accounts.models import User
from fleet_server.accounts.sessions import person_from
from fleet_server.alerts import judging
from fleet_server.alerts.judging import Judged
from fleet_server.alerts.models import SILENCE, Alert, Watch
from fleet_server.alerts.silence import Silences, places_of
from fleet_server.db import Database, insert_for
from fleet_server.instants import DAY_MS
from fleet_server.mails import outbox
from fleet_server.places.models import Place, Unit
from fleet_server.results import subjects
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.subjects import Subject

# A figure that goes to and fro about its limit is no news each time.
REST_MS = DAY_MS
KIND = "alert"


@dataclass
class _Look:
    """What changed: alerts that begin (watch, place, facts), and ids of those that are over."""

    begin: list[tuple[Watch, int, dict[str, Any]]]
    over: list[int]


def look(database: Database, *, now: int, places: Collection[int] | None = None) -> int:
    """Look at all watches, or (after blocks of `places` were released) at those of scores there. How many changes."""
    with database.read() as session:
        found = _look(session, now, places)
    if not found.begin and not found.over:
        return 0
    with database.write() as session:
        session.exec(
            update(Alert)
            .where(col(Alert.id).in_(found.over), col(Alert.cleared_at).is_(None))
            .values(cleared_at=now)
        )
        for watch, place, facts in found.begin:
            _begin(session, watch, place, facts, now)
    return len(found.begin) + len(found.over)


def subject_of(session: Session, watch: Watch) -> Subject | None:
    """What a watch is about; None when it is gone."""
    return (subjects.of_unit if watch.scope == UNIT else subjects.of_place)(session, watch.scope_id)


def _look(session: Session, now: int, places: Collection[int] | None) -> _Look:
    pairs = _watches(session, places)
    silences = Silences(
        session,
        sorted(
            {
                place
                for watch, subject in pairs
                if watch.kind == SILENCE
                for place in places_of(session, subject)
            }
        ),
        now=now,
    )
    known = judging.series_by_code(session)
    ids = [watch.id for watch, _ in pairs]
    before: dict[int, list[Alert]] = {}
    for alert in session.exec(
        select(Alert).where(
            col(Alert.watch_id).in_(ids),
            col(Alert.cleared_at).is_(None) | (col(Alert.cleared_at) > now - REST_MS),
        )
    ):
        before.setdefault(alert.watch_id, []).append(alert)
    result = _Look([], [])
    for watch, subject in pairs:
        if watch.kind == SILENCE:
            judged = silences.judge(places_of(session, subject), watch.hours)
        else:
            judged = judging.score(session, watch, subject, known, now=now)
        _compare(result, watch, judged, before.get(watch.id or 0, []))
    return result


def _compare(result: _Look, watch: Watch, judged: Judged, before: list[Alert]) -> None:
    if judged.unknown is None:
        return
    for alert in before:
        if alert.cleared_at is None and alert.place_id not in judged.found.keys() | judged.unknown:
            result.over.append(alert.id or 0)
    told = {alert.place_id for alert in before}
    result.begin += [(watch, place, facts) for place, facts in judged.found.items() if place not in told]


def _watches(session: Session, places: Collection[int] | None) -> list[tuple[Watch, Subject]]:
    """Watches that are on, with what they are about, of who may still read it."""
    query = (
        select(Watch, User)
        .join(User, col(User.id) == col(Watch.user_id))
        .where(
            col(Watch.paused_at).is_(None), col(Watch.removed_at).is_(None), col(User.disabled_at).is_(None)
        )
        .order_by(col(Watch.id))
    )
    touched = None if places is None else _touched(session, places)
    people: dict[int, Person] = {}
    found = []
    for watch, user in session.exec(query):
        if touched is not None and (watch.kind == SILENCE or (watch.scope, watch.scope_id) not in touched):
            continue
        subject = subject_of(session, watch)
        if watch.user_id not in people:
            people[watch.user_id] = person_from(session, user)
        if subject is not None and subjects.reads(people[watch.user_id], subject.unit.path):
            found.append((watch, subject))
    return found


def _touched(session: Session, places: Collection[int]) -> set[tuple[str, int]]:
    """These places and every unit above them."""
    touched = {(PLACE, place) for place in places}
    paths = session.exec(
        select(Unit.path).join(Place, col(Place.unit_id) == col(Unit.id)).where(col(Place.id).in_(places))
    )
    for path in paths:
        touched |= {(UNIT, int(part)) for part in path.split("/") if part}
    return touched


def _begin(session: Session, watch: Watch, place: int, facts: dict[str, Any], now: int) -> None:
    insert = insert_for(session, Alert).values(
        watch_id=watch.id,
        place_id=place,
        facts=json.dumps(facts),
        began_at=now,
        acknowledged_by="",
        comment="",
    )
    number = session.connection().execute(insert.on_conflict_do_nothing().returning(col(Alert.id))).scalar()
    still = session.get(Watch, watch.id)
    if number is not None and still is not None and still.mail:
        outbox.add(session, f"{KIND}:{number}", watch.user_id, now=now)
