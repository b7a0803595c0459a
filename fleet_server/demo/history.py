"""A year of answers from before the demonstration, so that the results have something to show.

Each demo place had another kiosk until now; its simulated patients answered with the published shares. Its journal goes
through `book` like any other, as of the days on which it would have come; nothing is put into the counts.
"""

import json
import random
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from sqlmodel import Session, select

from fleet_server.answers import wire
from fleet_server.answers.book import book
from fleet_server.db import Database
from fleet_server.demo.kiosks import FIRST
from fleet_server.demo.seed import demo_places
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.instants import HOUR_MS, MINUTE_MS, local
from fleet_server.places import service as places
from fleet_server.places.models import Installation
from fleet_server.places.periods import day_start
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet

DAYS = 365
VISITORS = 15  # a day and place, on average
_ACTOR = "fleet demo"
_ASKED_MORE = 3  # questions after the first, of those who stay
_TENTH_MS = 100


def write_year(database: Database, *, now: int, days: int = DAYS, seed: int = 2023) -> int:
    """Book the `days` before `now` at each demo place at which nothing stood yet. How many answers."""
    answers = 0
    habits = json.loads(files("fleet_server.demo").joinpath("patients.json").read_text("utf-8"))
    with database.write() as session:
        there = [
            (place.id or 0, *first)
            for place, first in zip(demo_places(session, now=now), FIRST, strict=False)
        ]
    for place_id, model, set_number in there:
        chance = random.Random(seed + place_id)  # noqa: S311  (patients need no secret)
        with database.write() as session:
            if session.exec(select(Installation.id).where(Installation.place_id == place_id)).first():
                continue
            journal = _Journal(_former_kiosk(session, place_id, model, now, days), day_start(now, -days))
            asked = _asked(questions.body_of(session.get_one(QuestionSet, set_number)), model)
            for back in range(days, 0, -1):
                for payload in journal.day(_visits(asked, habits, day_start(now, -back), set_number, chance)):
                    book(session, journal.device_id, payload, source="mqtt", now=day_start(now, 1 - back))
            answers += journal.pressed
    return answers


def _former_kiosk(session: Session, place_id: int, model: str, now: int, days: int) -> str:
    """It stood here all that time and is revoked: nobody connects as it."""
    began = day_start(now, -days)
    device, _ = credentials.create(
        session, name=f"kiosk-{place_id}-2023", model=model, virtual=True, now=began
    )
    places.install(session, _ACTOR, device_id=device.id, place_id=place_id, now=began)
    places.take_away(session, _ACTOR, device_id=device.id, now=now)
    row = session.get_one(Device, device.id)
    row.revoked_at = now
    session.add(row)
    return device.id


def _asked(body: dict[str, Any], model: str) -> list[tuple[int, dict[str, Any]]]:
    """(position, question) that this model asks."""
    asked = list(enumerate(body["questions"]))
    if model == "touch":
        return asked
    code = body.get("button") or asked[0][1]["code"]
    return [(at, one) for at, one in asked if one["code"] == code]


_Answer = tuple[int, int, bytes]  # position, value, text
_Visit = tuple[int, int, list[_Answer]]  # UTC ms, set, answers


def _visits(
    asked: list[tuple[int, dict[str, Any]]],
    habits: dict[str, Any],
    midnight: int,
    set_number: int,
    chance: random.Random,
) -> list[_Visit]:
    """The visits of a day, at least a minute apart."""
    found: list[_Visit] = []
    weekend = local(midnight + 12 * HOUR_MS).weekday() >= 5
    busy = habits["weekend" if weekend else "weekday"]
    share = VISITORS / sum(habits["weekday"])
    for hour in range(24):
        for minute in sorted(chance.sample(range(60), min(60, _about(share * busy[hour], chance)))):
            at = midnight + hour * HOUR_MS + minute * MINUTE_MS
            found.append((at, set_number, _visit(asked, habits, chance)))
    return found


def _visit(
    asked: list[tuple[int, dict[str, Any]]], habits: dict[str, Any], chance: random.Random
) -> list[_Answer]:
    """The first question; who stays answers some more, and some of them write."""
    first, *others = [one for one in asked if one[1]["type"] != "text"]
    more: list[tuple[int, dict[str, Any]]] = []
    if chance.random() >= habits["leaves"]:
        more = sorted(chance.sample(others, min(_ASKED_MORE, len(others))), key=lambda one: one[0])
    answers = [(position, _value(question, habits, chance), b"") for position, question in (first, *more)]
    for position, question in asked:
        if more and question["type"] == "text" and chance.random() < habits["writes"]:
            answers.append((position, 0, chance.choice(habits["texts"]["fi"]).encode()))
    return answers


def _about(mean: float, chance: random.Random) -> int:
    """A whole number near the mean."""
    return int(mean) + (chance.random() < mean % 1)


def _value(question: dict[str, Any], habits: dict[str, Any], chance: random.Random) -> int:
    kind, code = question["type"], question["code"]
    if kind in ("agree5", "smiley5"):
        if kind == "agree5" and chance.random() * 100 < habits["cant_say"]:
            return wire.NO_VALUE
        weights = habits["shares"].get(code.partition("-")[0], habits["shares"]["default"])
        return 5 - chance.choices(range(5), weights)[0]
    weights = (
        habits["touch"].get(code)
        or habits["touch"].get(kind)
        or [1] * len(next(iter(question["labels"].values())))
    )
    option = chance.choices(range(len(weights)), weights)[0]
    if kind == "nps":
        return option
    if kind == "pei":
        return wire.NO_VALUE if option == 3 else 2 - option
    if kind == "smiley4":
        return 4 - option
    return 1 << option


class _Journal:
    """What the former kiosk would have sent, in gapless batches."""

    def __init__(self, device_id: str, began: int) -> None:
        self.device_id = device_id
        self.pressed = 0
        self._seq = 0
        self._began = began
        self._epoch = 1

    def day(self, visits: list[_Visit]) -> Iterator[bytes]:
        """Batches of a day's visits, a clock record before them."""
        records: list[bytes] = []
        start = self._seq
        for at, set_number, answers in visits:
            if not records:
                body = wire.clock_bytes(at, 0)
                records.append(self._record(wire.KIND_CLOCK, at, body=body))
            for session, (position, value, text) in enumerate(answers):
                self.pressed += 1
                records.append(
                    self._record(
                        wire.KIND_ANSWER,
                        at + 4_000 * session,
                        set_number=set_number,
                        session=session,
                        question=position,
                        value=value,
                        body=text,
                        flags=wire.FLAG_SIMULATED,
                    )
                )
            if wire.batch_size(records) > wire.MAX_BATCH_BYTES // 2:
                yield self._batch(records, start)
                records, start = [], self._seq
        if records:
            yield self._batch(records, start)

    def _record(self, kind: int, at: int, **more: Any) -> bytes:
        self._seq += 1
        return wire.record_bytes(
            kind,
            epoch=self._epoch,
            seq=self._seq - 1,
            uptime=(at - self._began) // _TENTH_MS,
            pressed=self.pressed,
            **more,
        )

    def _batch(self, records: list[bytes], start: int) -> bytes:
        return wire.batch_bytes(
            records, epoch=self._epoch, start=start, next_seq=self._seq, pressed=self.pressed, waiting=0
        )
