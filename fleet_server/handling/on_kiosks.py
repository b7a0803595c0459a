"""“You said, we did” on the resting screens of touch kiosks: what a kiosk is wished, and which show it by their report.

It knows no page and changes nothing. Invariant: what is wished of a kiosk is published, not over, and within what the
firmware takes (kiosk/said_rules.py).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.devices.models import KIOSK, Device
from fleet_server.handling.kiosk_screen import MODEL, example_view, leaves_room
from fleet_server.handling.models import SaidAndDid
from fleet_server.handling.said import LANGUAGES, in_language, published_rows
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.results.models import PLACE
from fleet_server.results.scores import Where
from fleet_server.screens import drawing

from kiosk.said_rules import MOST_BYTES, MOST_NOTES  # isort: skip


def setting_of(
    session: Session, device_id: str, sets: Iterable[int], *, room: int, now: int
) -> list[dict[str, Any]] | None:
    """The `said` of a touch kiosk's settings, at most `room` bytes of JSON; None without any.

    The newest that are meant for kiosks, each in the first language of the sets that the kiosk is wished to ask
    (`sets`: their numbers), or else in one that it has: no other is ever shown, and each takes memory.
    """
    place_id = session.exec(
        select(Installation.place_id).where(
            Installation.device_id == device_id, col(Installation.to_at).is_(None)
        )
    ).first()
    rows = () if place_id is None else published_rows(session, place_id, now=now, on_kiosks=True)
    if not rows:
        return None
    languages = _first_languages(session, sets)
    notes: list[dict[str, Any]] = []
    total = 0
    for row in rows:
        note = note_of(row, languages)
        size = sum(_bytes(text) for key in LANGUAGES for text in note.get(key, ()))
        taken = len(json.dumps([*notes, note], ensure_ascii=False, separators=(",", ":")).encode())
        if total + size <= MOST_BYTES and taken <= room and len(notes) < MOST_NOTES:
            notes.append(note)
            total += size
    return notes or None


def note_of(row: SaidAndDid, languages: Sequence[str]) -> dict[str, Any]:
    """One as a kiosk has it, in each of these languages or else in the first that it has."""
    note: dict[str, Any] = {"id": row.id or 0, "until": row.ends_at}
    for language in languages:
        shown = in_language(row, language)
        note[shown.language] = [shown.said, shown.did]
    return note


def view_at(session: Session, where: Where) -> dict[str, Any]:
    """What the first touch kiosk of a place or unit asks, or the example."""
    for device in kiosks_of(session, where):
        row = questions.published_to(session, device.id)
        if row is not None and not questions.withheld(row, MODEL):
            return drawing.read_view(questions.view_of(row, MODEL))
    return example_view()


def kiosks_of(session: Session, where: Where) -> Sequence[Device]:
    """The touch kiosks that stand at a place, or at the places of a unit; a unit's notes reach no demo place."""
    found = (
        select(Device)
        .join(Installation, col(Installation.device_id) == col(Device.id))
        .join(Place, col(Place.id) == col(Installation.place_id))
        .where(
            Device.model == MODEL,
            Device.channel == KIOSK,
            col(Device.revoked_at).is_(None),
            col(Installation.to_at).is_(None),
        )
        .order_by(col(Device.name), col(Device.id))
    )
    if where.scope == PLACE:
        return session.exec(found.where(Place.id == where.id)).all()
    path = session.get_one(Unit, where.id).path
    below = found.join(Unit, col(Unit.id) == col(Place.unit_id)).where(
        col(Unit.path).like(f"{path}%"), col(Place.demo).is_(False)
    )
    return session.exec(below).all()


@dataclass(frozen=True)
class Showing:
    """Which touch kiosks show a note, by their own report: names. `crowded`: what they ask leaves no room."""

    shown: tuple[str, ...]
    others: tuple[str, ...]
    crowded: tuple[str, ...] = ()


def showing(
    session: Session, devices: Sequence[Device], rows: Iterable[SaidAndDid], *, now: int
) -> dict[int, Showing]:
    """Of each of these notes that kiosks are to show now."""
    held = {device.id: _reported(device) for device in devices}
    full = _crowded(session, devices)
    found = {}
    for row in rows:
        if row.published_at is None or not row.on_kiosks or (row.ends_at is not None and row.ends_at <= now):
            continue
        have = [device for device in devices if row.id in held[device.id]]
        found[row.id or 0] = Showing(
            tuple(device.name for device in have if device.running_set not in full),
            tuple(device.name for device in devices if device not in have),
            tuple(device.name for device in have if device.running_set in full),
        )
    return found


def _crowded(session: Session, devices: Sequence[Device]) -> set[int | None]:
    """Numbers of the sets that these kiosks ask and that leave a note no room."""
    numbers = {device.running_set for device in devices if device.running_set is not None}
    rows = session.exec(select(QuestionSet).where(col(QuestionSet.number).in_(numbers))).all()
    return {
        row.number
        for row in rows
        if not questions.withheld(row, MODEL) and not leaves_room(questions.view_of(row, MODEL))
    }


def _reported(device: Device) -> set[int]:
    """Numbers of the notes that a kiosk says it holds; whatever else it says is none."""
    said = json.loads(device.report or "{}").get("said")
    ids = said.get("ids") if isinstance(said, dict) else None
    return {one for one in ids if isinstance(one, int)} if isinstance(ids, list) else set()


def _first_languages(session: Session, sets: Iterable[int]) -> list[str]:
    rows = session.exec(select(QuestionSet).where(col(QuestionSet.number).in_(sorted(set(sets))))).all()
    found = [questions.body_of(row)["languages"][0] for row in rows if questions.is_intact(row)]
    return list(dict.fromkeys(found)) or [LANGUAGES[0]]


def _bytes(text: str) -> int:
    return len(text.encode())
