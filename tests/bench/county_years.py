"""A county's three years as rows: what `book` and `release` would have left, written in bulk and kept for the next run.

Blocks are cut as release.py cuts them and added up by results/sums.py itself; only booking and its ledger of single
messages is left out, which takes hours for ten million answers. It measures nothing.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from sqlmodel import Session

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.answers import wire
from fleet_server.answers.models import JournalEpoch, LedgerRange
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.instants import HELSINKI, HOUR_MS, to_ms
from fleet_server.migrations import migrate
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.places.periods import day_start
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.results.models import PUBLIC, Series
from fleet_server.results.series import series_of
from fleet_server.results.sums import Sums, counts_of
from tests.bench.bulk_rows import Rows

VERSION = 1  # to be raised when other rows are made: a database of another version is made anew
NOW = to_ms(datetime(2026, 11, 30, 14, 5, tzinfo=HELSINKI))
DAYS = 3 * 365
PLACES = 500
AREAS, UNITS = 6, 60  # the county itself, areas below it, and units in them: 60 in all
K = 5
TOUCH, BUTTONS = 7, 5  # ready sets
READER = "bench@example.org"
BY_HOUR = [0] * 7 + [1, 6, 9, 10, 9, 8, 9, 9, 7, 4, 2, 1] + [0] * 5
BY_WEEKDAY = (1.3, 1.25, 1.25, 1.2, 1.2, 0.5, 0.3)
FILTERED = 0.02
_SHARES = {
    "nps": (2, 1, 1, 1, 1, 3, 3, 8, 15, 20, 45),
    "agree5": (3, 4, 9, 29, 55),
    "smiley5": (5, 5, 10, 30, 50),
    "pei": (6, 34, 60),
}
_WORDS = (
    "palvelu",
    "oli",
    "hyvää",
    "odotus",
    "kesti",
    "kauan",
    "hoitaja",
    "kiitos",
    "lääkäri",
    "jono",
    "ovi",
)


class Answer(NamedTuple):
    """An answer on its way into a block; `row`: its record, to be told of the block."""

    value: int
    at: int
    row: list[Any]
    text: str


def build(url: str, answers: int, say: Callable[[str], None]) -> None:
    """Make the database at `url` with about so many answers; raises for one that has a county already."""
    database = Database(url)
    migrate(database)
    with database.write() as session:
        homes = _county(session)
        kinds = {number: _questions(session, number) for number in (TOUCH, BUTTONS)}
    chance = random.Random(2026)
    writer = _Writer(kinds, answers / PLACES / DAYS, chance)
    for done, (_, place_ids) in enumerate(homes):
        with database.write() as session:
            writer.unit(session, place_ids)
        say(f"{done + 1} of {len(homes)} units, {writer.answers:,} answers")
    database.close()


def _county(session: Session) -> list[tuple[int, list[int]]]:
    """(unit, its places) of every unit that has some; sets and a reader of the whole county are there, too."""
    questions.add_national(session, now=NOW)
    for number in range(1, UNITS + 1):
        parent = None if number == 1 else 1 if number <= 1 + AREAS else 2 + number % AREAS
        path = "/1/" if parent is None else f"/1/{number}/" if parent == 1 else f"/1/{parent}/{number}/"
        name = f"Unit {number}"
        session.add(Unit(id=number, parent_id=parent, path=path, name_fi=name, name_sv=name, name_en=name))
        session.flush()
    homes: dict[int, list[int]] = {number: [] for number in range(2 + AREAS, UNITS + 1)}
    for number in range(1, PLACES + 1):
        unit = 2 + AREAS + number % len(homes)
        session.add(Place(id=number, unit_id=unit, name=f"Place {number}", created_at=0))
        homes[unit].append(number)
    session.flush()
    accounts.create_user(
        session, email=READER, name="Bench", language="fi", roles=[(Role.COORDINATOR, None)], now=NOW
    )
    return sorted(homes.items())


def _questions(session: Session, number: int) -> list[tuple[int, int, str]]:
    """(position, series, type) of the questions of a set."""
    found = []
    for position, _ in enumerate(questions.body_of(session.get_one(QuestionSet, number))["questions"]):
        series = series_of(session, number, position)
        assert series is not None
        found.append((position, series, str(session.get_one(Series, series).type)))
    return found


class _Writer:
    """Writes unit after unit. `a_day`: answers a day and place on average."""

    def __init__(
        self, kinds: dict[int, list[tuple[int, int, str]]], a_day: float, chance: random.Random
    ) -> None:
        self.answers = 0
        self._kinds = kinds
        self._a_day = a_day
        self._chance = chance
        self._block_id = 0
        midnights = [day_start(NOW, -back) for back in range(DAYS - 1, -1, -1)]
        weekday = datetime.fromtimestamp(midnights[0] / 1000, HELSINKI).weekday()
        self._days = [(at, BY_WEEKDAY[(weekday + step) % 7]) for step, at in enumerate(midnights)]

    def unit(self, session: Session, place_ids: Iterable[int]) -> None:
        """All three years of a unit's places, in one transaction."""
        sums = Sums(session, k=K)
        rows = Rows(session)
        for place_id in place_ids:
            touch = place_id % 5 < 2
            busy = self._a_day * (0.4, 0.7, 1.0, 1.2, 1.7)[place_id // 5 % 5]
            self._device(session, sums, rows, place_id, "k", "touch" if touch else "button5", busy)
            if place_id % 10 == 0:
                self._device(session, sums, rows, place_id, "q", "phone", busy / 5)
        rows.write()
        sums._streams.clear()  # what everybody may see was paired here, not looked up for each place
        sums.write()

    def _device(
        self, session: Session, sums: Sums, rows: Rows, place_id: int, kind: str, model: str, busy: float
    ) -> None:
        device_id = f"{kind}{place_id:011d}"
        began = self._days[0][0]
        device = Device(id=device_id, name=device_id, model=model, secret_sha256="", created_at=began)
        device.channel = "qr" if kind == "q" else "kiosk"
        device.status, device.contact_at, device.late_at = "here", NOW - 60_000, NOW + 20 * 60_000
        session.add(device)
        session.flush()
        session.add(Installation(place_id=place_id, device_id=device_id, from_at=began))
        session.flush()
        seq = self._answers(sums, rows, place_id, device_id, model, busy)
        self.answers += seq
        epoch = {"device_id": device_id, "epoch": 1, "next": seq, "pressed": seq, "header_next": seq}
        epoch |= {"through": seq, "taken_in": seq, "received_answers": seq, "counted_answers": seq}
        session.add(
            JournalEpoch(
                **epoch, last_boot=1, progress_at=NOW, first_heard_at=began, last_heard_at=NOW - 60_000
            )
        )
        if seq:
            session.add(LedgerRange(device_id=device_id, epoch=1, start=0, stop=seq, state="received"))
        session.flush()

    def _answers(self, sums: Sums, rows: Rows, place_id: int, device_id: str, model: str, busy: float) -> int:
        chance, number = self._chance, BUTTONS if model == "button5" else TOUCH
        asked = self._kinds[number]
        others = [one for one in asked[1:] if one[2] != "text"]
        written = [one for one in asked if one[2] == "text"]
        a_visit = 1 if model == "button5" else 1 + 0.8 * 3 + 0.08
        streams: dict[tuple[int, bool], list[Answer]] = {}
        pairs: dict[int, Any] = {}
        presses: dict[tuple[int, bool], int] = {}
        seq, began = 0, self._days[0][0]
        for midnight, factor in self._days:
            visits = int(busy * factor / a_visit + chance.random())
            if midnight == self._days[-1][0]:
                visits //= 2
            if not visits:
                continue
            times = sorted(midnight + 60_000 * minute for minute in _minutes(chance, visits))
            for at in times:
                filtered = chance.random() < FILTERED
                visit = [asked[0]]
                if model != "button5" and chance.random() < 0.8:
                    visit += chance.sample(others, 3)
                    if chance.random() < 0.1:
                        visit.append(written[0])
                for session, (position, series, kind) in enumerate(visit):
                    value = _value(kind, chance)
                    text = " ".join(chance.choices(_WORDS, k=8)) if kind == "text" else ""
                    row = [
                        device_id, 1, wire.KIND_ANSWER, 0, seq, 1, (at - began) // 100, number, session, position, 0,
                        value, seq + 1, text.encode(), 0, at + 2_000, place_id, at, at + 200, "hour",
                        "repeat" if filtered else None, None,
                    ]  # fmt: skip
                    rows.records.append(row)
                    seq += 1
                    stream = streams.setdefault((series, filtered), [])
                    stream.append(Answer(value, at, row, text))
                    if len(stream) == K:
                        self._block(sums, rows, place_id, device_id, series, kind, filtered, stream, pairs)
                        stream.clear()
                hour = at - at % HOUR_MS, filtered
                presses[hour] = presses.get(hour, 0) + len(visit)
        for (series, filtered), left in streams.items():
            rows.waiting += [(device_id, 1, one.row[4], place_id, series, filtered) for one in left]
        for hour in sorted({hour for hour, _ in presses}):
            counted, filtered = presses.get((hour, False), 0), presses.get((hour, True), 0)
            rows.presses.append((place_id, device_id, "hour", hour, counted, filtered, 0))
            if filtered:
                rows.rules.append((place_id, device_id, "hour", hour, "repeat", filtered, 0))
        return seq

    def _block(
        self, sums: Sums, rows: Rows, place_id: int, device_id: str, series: int, kind: str, filtered: bool,
        together: list[Answer], pairs: dict[int, Any],
    ) -> None:  # fmt: skip
        self._block_id += 1
        body, counts = _counted(kind, tuple(sorted(one.value for one in together)))
        day, since = _midnight(together[-1].at // HOUR_MS), _midnight(together[0].at // HOUR_MS)
        block = SimpleNamespace(
            id=self._block_id, place_id=place_id, device_id=device_id, series_id=series, filtered=filtered,
            answers=K, day=day, counts=counts,
        )  # fmt: skip
        sums.add(block, counts, publish=False)
        for one in together:
            one.row[-1] = block.id
            if kind == "text":
                rows.texts.append((block.id, one.text, one.text, day, place_id, filtered, False))
        public = False
        if not filtered:
            first = pairs.pop(series, None)
            if first is None:
                pairs[series] = (block, len(rows.blocks))
            else:
                public = True
                rows.blocks[first[1]][-1] = True
                for half in (first[0], block):
                    sums._add(PUBLIC, place_id, half, "", day, half.counts)
        rows.blocks.append(
            [block.id, place_id, device_id, series, filtered, K, K, body, day, since, together[-1].at + 1_800_000,
             public]
        )  # fmt: skip


@lru_cache(maxsize=200_000)
def _counted(kind: str, values: tuple[int, ...]) -> tuple[str, dict[str, int]]:
    counts = counts_of(kind, Counter(values))
    return json.dumps(counts, sort_keys=True), counts


@lru_cache(maxsize=100_000)
def _midnight(hour: int) -> int:
    return day_start(hour * HOUR_MS)


def _minutes(chance: random.Random, visits: int) -> Iterator[int]:
    for hour in chance.choices(range(24), BY_HOUR, k=visits):
        yield 60 * hour + chance.randrange(60)


def _value(kind: str, chance: random.Random) -> int:
    if kind == "text":
        return 0
    if kind == "choice":
        return 1 << chance.randrange(4)
    if kind in ("agree5", "pei") and chance.random() < 0.1:
        return wire.NO_VALUE
    shares = _SHARES[kind]
    return chance.choices(range(len(shares)), shares)[0] + (kind in ("agree5", "smiley5"))
