"""What a request to a place's form is about, and the one transaction that books a form; it knows no page and no word.

Invariant: of equal form numbers one is booked, once; what is not booked is not remembered.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs

from fastapi import Request
from sqlmodel import Session, col, select

from fleet_server.phone import asked, journal, numbers
from fleet_server.phone.sheet import Answer
from fleet_server.places.codes import read_code
from fleet_server.places.models import Place, Unit
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of

# 20 questions of which each is a text, percent-encoded, and half as much again for texts that are too long.
MAX_FORM_BYTES = 128 * 1024
MAX_FIELDS = 200


@dataclass(frozen=True)
class Spot:
    """A place as its form knows it. `current`: the set that it asks now, None: nothing; `sets`: all it ever asked."""

    place: Place
    unit: Unit
    current: QuestionSet | None
    sets: tuple[int, ...]


@dataclass(frozen=True)
class Sent:
    """A form as it came, by field; `number` and `lang` as it says itself, `to`: the language asked for instead."""

    fields: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """The first value of a field, or ''."""
        return self.fields.get(name, [""])[0]


def spot_of(session: Session, typed: str, public_address: str, *, now: int) -> Spot | None:
    """The place with this code; None: there is none. Without a public address it asks nothing."""
    code = read_code(typed)
    place = session.exec(select(Place).where(Place.code == code)).first() if code else None
    if place is None:
        return None
    numbers = asked.sets_at(session, place.id or 0, now=now) if public_address else []
    # A set that somebody damaged in the database is left out: the last good one is asked instead.
    sets = [row for number in numbers if (row := session.get(QuestionSet, number)) and is_good(row)]
    unit = session.get_one(Unit, place.unit_id)
    return Spot(place, unit, sets[0] if sets else None, tuple(row.number for row in sets))


def is_good(row: QuestionSet) -> bool:
    """Whether a phone can ask the set; not so one that was changed in the database by hand."""
    return _is_good(row.body) if questions.is_intact(row) else False


@lru_cache(maxsize=64)  # each request asks for all that the place ever asked
def _is_good(body: str) -> bool:
    return not faults_of(json.loads(body))


def set_of(session: Session, spot: Spot, typed: str) -> QuestionSet | None:
    """A set that this place asks, or asked when the form was opened; None for any other."""
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 5 else 0
    return session.get(QuestionSet, number) if number in spot.sets else None


async def read_form(request: Request) -> Sent | None:
    """The fields as sent; None when they are too many or too long, or no form at all. Reads no further than needed."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_FORM_BYTES:
            return None
    try:
        return Sent(parse_qs(received.decode("ascii"), max_num_fields=MAX_FIELDS))
    except ValueError:
        return None


def book_form(
    session: Session,
    spot: Spot,
    number: str,
    row: QuestionSet,
    lang: str,
    answers: Sequence[Answer],
    now: int,
) -> bool:
    """Whether this form was booked now; False: it had been before, and nothing was done."""
    # Two requests for one place wait for each other here (SQLite has one writer anyway).
    place = session.exec(
        select(Place).where(col(Place.id) == spot.place.id).with_for_update(key_share=True)
    ).one()
    if not numbers.claim(session, number, now):
        return False
    language = questions.body_of(row)["languages"].index(lang)
    journal.write_down(session, place, answers, set_number=row.number, language=language, now=now)
    return True
