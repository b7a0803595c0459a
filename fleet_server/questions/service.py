"""Question sets in the database: added, published to devices, found again by number and by hash.

A set never changes once added: its number goes into records that stay valid for ever.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.devices.models import KIOSK, Device
from fleet_server.questions.faults import half_a_character
from fleet_server.questions.models import Publication, QuestionSet
from fleet_server.questions.national import national_sets
from fleet_server.questions.schema import canonical, faults_of
from fleet_server.questions.types import values_of
from fleet_server.questions.views import hash_of, view_faults, views_bytes
from fleet_server.refusals import N_, Sentence
from fleet_server.screens.check import screen_faults

# Built once: they are asked for each report of a kiosk.
_PUBLISHED = select(Publication.set_number).where(Publication.device_id == bindparam("device_id"))
_NEWEST = (
    select(QuestionSet)
    .join(Publication, col(Publication.set_number) == col(QuestionSet.number))
    .where(Publication.device_id == bindparam("device_id"))
    .order_by(col(Publication.id).desc())
    .limit(1)
)


class SetRefused(ValueError):
    """A set that cannot even be kept; the text says why."""


def add(
    session: Session, body: dict[str, Any], *, source: str, actor: Person | str = "fleet", now: int
) -> QuestionSet:
    """Keep a set. It may still have faults (they are shown, and stop its publishing), but needs a free number.

    Adding the very same set again returns what is there.
    """
    number = body.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 0xFFFF:
        raise SetRefused(f"question set: number is {number!r}, must be 1 to 65535")
    for field, longest in (("name", 200), ("version", 20)):
        if not isinstance(body.get(field), str) or not 1 <= len(body[field].strip()) <= longest:
            raise SetRefused(
                f"question set {number}: {field} is {body.get(field)!r}, must have 1 to {longest} characters"
            )
    questions = body.get("questions")
    if not isinstance(questions, list) or not all(isinstance(question, dict) for question in questions):
        raise SetRefused(f"question set {number}: questions must be a list of objects")
    try:
        content = canonical(body)
    except UnicodeEncodeError as fault:
        raise SetRefused(half_a_character(number, fault)) from None
    there = session.get(QuestionSet, number)
    if there is not None:
        if there.hash == hash_of(content):
            return there
        raise SetRefused(
            f"question set {number}: this number is taken by {there.name!r}; a set never changes, take a new number"
        )
    row = QuestionSet(
        number=number,
        name=str(body.get("name", "")),
        version=str(body.get("version", "")),
        body=content.decode(),
        hash=hash_of(content),
        source=source,
        created_at=now,
        family=number,
    )
    session.add(row)
    session.flush()
    after = {"name": row.name, "source": source}
    audit.record(session, actor, "add question set", "question set", str(number), after=after, now=now)
    return row


def add_national(session: Session, *, now: int) -> None:
    """Keep the ready sets; those that are there already stay as they are."""
    for body in national_sets():
        if session.get(QuestionSet, body["number"]) is None:
            add(session, body, source="national items, see status and source of each text", now=now)


def all_sets(session: Session) -> Sequence[QuestionSet]:
    """Every set, by number."""
    return session.exec(select(QuestionSet).order_by(col(QuestionSet.number))).all()


def is_intact(row: QuestionSet) -> bool:
    """Whether the set still says what it said when it got its number; somebody may have edited the database by hand."""
    return hash_of(row.body.encode()) == row.hash


def body_of(row: QuestionSet) -> dict[str, Any]:
    """The set as a dictionary, see questions/schema.py; one that is not intact asks nothing."""
    if not is_intact(row):
        return {
            "number": row.number,
            "name": row.name,
            "version": row.version,
            "languages": [],
            "questions": [],
        }
    body: dict[str, Any] = json.loads(row.body)
    return body


def publish(session: Session, number: int, device_ids: Iterable[str], *, actor: Any, now: int) -> list[str]:
    """Wish this set of these devices; all of them or, with any fault, none.

    Returns every fault of the set itself and for each model among the devices; empty when it is done.
    """
    wanted = sorted(set(device_ids))
    devices = session.exec(select(Device).where(col(Device.id).in_(wanted), Device.channel == KIOSK)).all()
    faults: list[str] = [
        Sentence(N_("device %(device)r does not exist"), device=missing)
        for missing in sorted(set(wanted) - {device.id for device in devices})
    ]
    faults += [
        Sentence(N_("device %(device)s (%(name)s) was revoked"), device=device.id, name=device.name)
        for device in devices
        if device.revoked_at is not None
    ]
    if not wanted:
        faults.append(Sentence(N_("no device was chosen")))
    faults += hindrances(session, number, {device.model for device in devices})
    if faults:
        return faults
    name = actor if isinstance(actor, str) else actor.name
    for device in devices:
        before = published_to(session, device.id)
        if before is None or before.number != number:
            device.card_confirmed = None  # it was another card that somebody put in
        session.add(Publication(device_id=device.id, set_number=number, published_at=now, published_by=name))
        audit.record(
            session,
            actor,
            "publish question set",
            "device",
            device.id,
            before={"set": before.number if before else None},
            after={"set": number},
            now=now,
        )
    session.flush()
    return []


def hindrances(session: Session, number: int, models: Iterable[str]) -> list[str]:
    """Why this set cannot go to kiosks of these models: the one rule for publishing, rollouts and schedules."""
    row = session.get(QuestionSet, number)
    if row is None:
        return [Sentence(N_("question set %(who)s does not exist"), who=number)]
    return [in_archive(number)] if row.archived_at is not None else faults_for(row, models)


def in_archive(number: int) -> Sentence:
    """What is said of a set that was put away."""
    return Sentence(N_("question set %(who)s is in the archive; take it out of there first"), who=number)


def altered(row: QuestionSet) -> Sentence:
    """What is said of a set that is not intact."""
    text = N_("question set %(who)s is not what it was when it got its number; no kiosk gets it")
    return Sentence(text, who=row.number)


def faults_for(row: QuestionSet, models: Iterable[str]) -> list[str]:
    """Every fault of the set itself or, when it has none, every reason why one of these models cannot ask it."""
    if not is_intact(row):
        return [altered(row)]
    body = body_of(row)
    faults: list[str] = list(faults_of(body))
    if not faults:
        for model in sorted(set(models)):
            faults += view_faults(body, model) or screen_faults(body, model)
    return faults


def look_at_screens(session: Session, number: int, device_ids: Iterable[str]) -> None:
    """Lay the set out for the models of these devices, so that `publish` finds it done: that takes up to a second,
    for which nobody else should have to wait for the writer."""
    row = session.get(QuestionSet, number)
    if row is None or faults_of(body_of(row)):
        return
    models = select(Device.model).where(col(Device.id).in_(list(device_ids))).distinct()
    for model in session.exec(models):
        if not view_faults(body_of(row), model):
            screen_faults(body_of(row), model)


def published_to(session: Session, device_id: str) -> QuestionSet | None:
    """The set that is wished of a device: the newest publication's."""
    return session.exec(_NEWEST, params={"device_id": device_id}).first()


def view_of(row: QuestionSet, model: str) -> bytes:
    """The bytes of this set for a model. Raises ValueError when it is `withheld`."""
    return views_of(row, model)[0]


def views_of(row: QuestionSet, model: str) -> tuple[bytes, ...]:
    """The same for each turn, see questions/turns.py: one but for buttons whose questions take turns."""
    if reason := withheld(row, model):
        raise ValueError(f"no view for model {model}: {reason}")
    return _views(row.body, model)[0]


def view_hash(row: QuestionSet, model: str) -> str | None:
    """The name of the set's view for a model; None when it is `withheld`."""
    return next(iter(view_hashes(row, model)), None)


def view_hashes(row: QuestionSet, model: str) -> tuple[str, ...]:
    """The names of its views, in the order of their turns; () when it is `withheld`."""
    return () if withheld(row, model) else tuple(hash_of(view) for view in views_of(row, model))


def withheld(row: QuestionSet, model: str) -> str:
    """Why no kiosk of this model is sent the set, though it may be wished of it; '' when nothing speaks against it.

    Publishing refuses all of this: it comes about when somebody changes the database by hand.
    """
    if not is_intact(row):
        return altered(row)
    faults = _views(row.body, model)[1]
    return faults[0] if faults else ""


@lru_cache(maxsize=64)  # a rollout asks for the same few a thousand times
def _views(body: str, model: str) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    parsed = json.loads(body)
    faults = tuple(faults_of(parsed) or view_faults(parsed, model))
    return (() if faults else tuple(views_bytes(parsed, model))), faults


def view_for_hash(session: Session, device_id: str, wanted: str) -> bytes | None:
    """The view that a device asks for by its hash, if one that was ever published to it, or is wished of it now."""
    device = session.get(Device, device_id)
    if device is None:
        return None
    numbers = set(session.exec(_PUBLISHED, params={"device_id": device_id}))
    numbers |= {entry["number"] for entry in json.loads(device.desired or "{}").get("sets", ())}
    for row in [session.get(QuestionSet, number) for number in sorted(numbers)]:
        for view in () if row is None or withheld(row, device.model) else views_of(row, device.model):
            if hash_of(view) == wanted:
                return view
    return None


def known_values(session: Session, set_number: int, position: int) -> frozenset[int] | None:
    """What an answer to the question at this position may be; None when set or position are not known (yet)."""
    row = session.get(QuestionSet, set_number)
    if row is None or not is_intact(row):
        return None
    questions = body_of(row).get("questions")
    if (
        not isinstance(questions, list)
        or position >= len(questions)
        or not isinstance(questions[position], dict)
    ):
        return None
    return values_of(questions[position])
