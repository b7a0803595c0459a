"""Whatever a kiosk, its twin and the network do: ledger, books and counts are those of the plain model.

HYMIO_EFFORT says how many lives, HYMIO_SEED which.
"""

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from fleet_server.answers import books, check, runs
from fleet_server.answers.book import Message, book_all
from fleet_server.answers.models import FilterCount, JournalEpoch, LedgerRange, PressCount, Quarantine
from fleet_server.answers.moves import reinstalled
from fleet_server.answers.replay import replay
from fleet_server.answers.reported import epochs_reported
from fleet_server.answers.rerun import judge_again, runs_of
from fleet_server.answers.rules import CURRENT
from fleet_server.db import Database
from fleet_server.instants import DAY_MS, local
from fleet_server.places.hours import DAYS
from fleet_server.places.models import Installation, OpeningHours
from tests import effort, evidence
from tests.conftest import MONDAY_10
from tests.fleet_server.answers import messages
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.messages import KNOWN_SET, Msg, Rec
from tests.fleet_server.answers.model import Model, midnight

TEST = "tests/fleet_server/answers/test_booking_property.py::test_ledger_and_counts_are_those_of_the_model"
LIVES = effort.pick(test=60, full=1_000, torture=10_000)
WAITS_MS = (100, 1_300, 600_000, 3_000_000, 18_000_000, 93_600_000, 1_000_000_000)
UNCERTAINTIES_MS = (5, 200, 40_000, 4_000_000)
OPERATIONS = (
    "nothing", "press", "press", "press", "press", "mash", "mash", "hours", "visit", "touch", "wait", "wait", "wait",
    "clock", "clock", "boot", "boot", "epoch", "send", "send", "send", "send", "gap", "again", "again", "twin",
    "odd", "odd", "deliver", "deliver", "deliver", "report", "move", "backdate", "replay",
)  # fmt: skip
OUTCOMES = (0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 1, 0, 2)
# A fixed length, because short lives show little; a failing one shrinks by steps becoming "nothing".
STEPS = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 1 << 16), st.integers(0, 1 << 16)),
    min_size=60,
    max_size=60,
)


class Life:
    """A kiosk's life, played to the server and to the model alike."""

    def __init__(self, session: Session, device_id: str) -> None:
        self.session, self.device_id = session, device_id
        self.now = MONDAY_10 + 1_000
        self.model = Model(MONDAY_10, [[MONDAY_10, None, 1]])
        self.epochs: list[tuple[int, list[Rec]]] = [(1000, [])]
        self.boot, self.booted_at = 1, self.now
        self.sent: list[Msg] = []
        self.queue: list[Msg] = []

    @property
    def records(self) -> list[Rec]:
        return self.epochs[-1][1]

    def record(self, **fields: Any) -> None:
        uptime = (self.now - self.booted_at) // 100
        self.records.append(Rec(len(self.records), boot=self.boot, uptime=uptime, **fields))

    def nothing(self, _a: int, _b: int) -> None:
        pass

    def press(self, a: int, b: int) -> None:
        value = (5, 4, 3, 2, 1, 0, 6, 255)[b % 8]
        number = KNOWN_SET if a % 5 else 99
        body = (b"", b"", b"ok", b"\xff\xfe")[a % 4]
        self.record(value=value, set_number=number, flags=(a % 3 == 0) * 4 + OUTCOMES[a % 17], body=body)

    def visit(self, a: int, b: int) -> None:
        """A few answers of one visitor, who goes back now and then."""
        for number in range(2 + a % 3):
            self.record(value=4, set_number=98, session=number, question=(b >> number) % 2)

    def touch(self, a: int, b: int) -> None:
        """A visitor at a touchscreen: goes on in a hurry, skips, goes back, and walks away from the last question."""
        for number in range(2 + a % 5):
            flags = (0, 0, 1, 2)[(b >> 2 * number) % 4] if number else 0
            value = 255 if flags else 1 + (a >> number) % 2
            self.record(
                value=value, set_number=97, session=number, question=(b >> 3 * number) % 4, flags=flags
            )
            self.now += (200, 900, 4_000)[(a >> number) % 3]

    def mash(self, a: int, b: int) -> None:
        """Presses in a hurry, by one hand or by several; some of visits that go on."""
        for number in range(1 + a % 9):
            self.now += (2_000, 3_300, 5_000, 5_100)[(a >> number) % 4]
            self.record(value=4 + (b >> number) % 2, set_number=98, question=0)
            if (a >> number) % 5 == 0:
                self.now += 700
                self.record(value=1, set_number=98, question=1 + (b >> number) % 3, session=1)

    def hours(self, a: int, b: int) -> None:
        """A place's opening hours change, and the rules are run again."""
        self.deliver(0, 0)
        place, since = 1 + a % 3, midnight(local(self.now + (b % 40 - 20) * DAY_MS))
        table = {
            day: [[f"{open_at:02}:30", f"{open_at + 1 + b % 7:02}:00"]] if (a >> number) % 4 else []
            for number, day in enumerate(DAYS)
            for open_at in [(b >> number) % 16]
        }
        weekly = "" if b % 5 == 0 else json.dumps(table)
        kept = [row for row in self.model.hours.get(place, []) if row[0] != since]
        self.model.hours[place] = [*kept, (since, json.loads(weekly or "{}"))]
        self.session.merge(OpeningHours(place_id=place, from_at=since, weekly=weekly))
        self.rerun()

    def rerun(self) -> None:
        for run in runs_of(self.session, device_id=self.device_id):
            seq: int | None = 0
            while seq is not None:
                seq = judge_again(self.session, run, seq, now=self.now).next_seq

    def wait(self, a: int, _b: int) -> None:
        self.now += WAITS_MS[a % len(WAITS_MS)]

    def clock(self, a: int, b: int) -> None:
        uncertainty = UNCERTAINTIES_MS[a % 4]
        error = b % (2 * uncertainty + 1) - uncertainty + (0, 0, 0, 9_000_000)[b % 4]
        body = messages.codec.clock_body(self.now + error if b % 11 else 5, uncertainty)
        self.record(kind=messages.codec.KIND_CLOCK, session=255, body=body)

    def boot_(self, a: int, _b: int) -> None:
        self.boot, self.booted_at = self.boot + 1, self.now
        if a % 2:
            self.record(kind=messages.codec.KIND_BOOT, session=255, body=messages.codec.boot_body(1, 1))
        elif a % 3 == 0:
            self.record(kind=77, session=255, body=b"future")

    def epoch(self, a: int, _b: int) -> None:
        if len(self.epochs) < 4:
            self.epochs.append((random.Random(a * 7 + len(self.epochs)).getrandbits(32), []))

    def send(self, a: int, b: int) -> None:
        self._send(a, b, drop=0)

    def gap(self, a: int, b: int) -> None:
        self._send(a, b, drop=b)

    def _send(self, a: int, b: int, drop: int) -> None:
        number, records = self.epochs[-1 - (a % 3 == 0) * (a // 3 % len(self.epochs))]
        start = b % (len(records) + 1) if a % 2 else 0
        stop = start + a // 7 % (len(records) + 1 - start) if a % 5 == 0 else len(records)
        held = tuple(r for r in records[start:stop] if not drop >> (r.seq % 16) & 1)[:60]
        if len(held) == 60:
            stop = held[-1].seq + 1
        pressed = sum(r.kind == 1 for r in records)
        self._queue(Msg(number, start, stop, held, next=len(records), pressed=pressed, nonce=a))

    def _queue(self, msg: Msg) -> None:
        self.sent.append(msg)
        self.queue.append(msg)

    def again(self, a: int, _b: int) -> None:
        if self.sent:
            self.queue.append(self.sent[a % len(self.sent)])

    def twin(self, a: int, b: int) -> None:
        """Another kiosk with a copy of this flash has gone on by itself."""
        if self.sent and (msg := self.sent[a % len(self.sent)]).records:
            place = b % len(msg.records)
            other = msg.records[place].but(uptime=msg.records[place].uptime + 1)
            self._queue(replace(msg, records=(*msg.records[:place], other, *msg.records[place + 1 :])))

    def odd(self, a: int, b: int) -> None:
        if not self.sent:
            return
        msg = self.sent[a % len(self.sent)]
        if b % 5 == 0:
            msg = replace(msg, version=2)
        elif b % 5 == 1:
            msg = replace(msg, next=msg.next + 1_000_000_000)
        elif msg.records:
            first, *rest = msg.records
            changed = {2: (first.but(damaged=True), *rest), 3: (first, first.but(value=1), *rest)}
            msg = replace(msg, records=changed.get(b % 5, (first.but(seq=first.seq + 1000), *rest)))
        self._queue(msg)

    def deliver(self, _a: int, _b: int) -> None:
        payloads = [Message(self.device_id, msg.encode(), "mqtt") for msg in self.queue]
        bookings = book_all(self.session, payloads, now=self.now) if payloads else []
        for msg, booking in zip(self.queue, bookings, strict=True):
            expected = self.model.deliver(msg)
            receipt = booking.receipt
            real = receipt and (receipt["through"], receipt["seen"], receipt["fork"])
            assert real == expected, (msg, booking)
            assert receipt is None or (receipt["nonce"], receipt["time"]) == (msg.nonce, self.now)
        self.queue = []

    def report(self, a: int, _b: int) -> None:
        self.deliver(0, 0)
        held = [(number, len(records), sum(r.kind == 1 for r in records)) for number, records in self.epochs]
        held = held[a % len(held) :]
        epochs_reported(
            self.session,
            self.device_id,
            [(n, 0, highest, pressed) for n, highest, pressed in held],
            now=self.now,
        )
        self.model.report(held)

    def move(self, a: int, b: int) -> None:
        self._move(self.now, 1 + a % 3 if b % 4 else None)

    def backdate(self, a: int, _b: int) -> None:
        self._move(max(self.model.stays[-1][0] + 1, self.now - WAITS_MS[a % len(WAITS_MS)]), 1 + a % 3)

    def _move(self, at: int, place: int | None) -> None:
        self.deliver(0, 0)
        stays = self.model.stays
        if at <= stays[-1][0] or (stays[-1][1] or 0) > at:
            return
        if stays[-1][1] is None:
            stays[-1][1] = at
            open_one = (col(Installation.device_id) == self.device_id, col(Installation.to_at).is_(None))
            self.session.connection().execute(update(Installation).where(*open_one).values(to_at=at))
        if place is not None:
            stays.append([at, None, place])
            self.session.add(Installation(place_id=place, device_id=self.device_id, from_at=at))
        reinstalled(self.session, self.device_id, since=at, now=self.now)

    def replay(self, a: int, _b: int) -> None:
        """Replay what is kept; what nobody could read is read as version 1, as after an update."""
        self.deliver(0, 0)
        kept = self.session.exec(
            select(Quarantine).where(Quarantine.device_id == self.device_id).order_by(col(Quarantine.id))
        ).all()
        if not kept:
            return
        row = kept[a % len(kept)]
        if row.what == "message" and row.evidence:
            row.raw = messages.as_version(row.raw, 1)
            msg = next(m for m in self.sent if m.version == 2 and replace(m, version=1).encode() == row.raw)
            self.session.flush()
            self.model.replay_unreadable(msg)
        elif row.what == "record":
            decoded = messages.codec.decode(row.raw.ljust(len(row.raw) + 3, b"\xff"), 0, row.epoch)
            state = self.model.epochs[row.epoch]
            record = next(
                r for m in self.sent if m.epoch == row.epoch for r in m.records
                if r.encode(row.epoch)[: len(row.raw)] == row.raw
            )  # fmt: skip
            assert (decoded is None) == record.damaged
            highest, pressed = state.next, state.header[1]
            self.model.deliver(Msg(row.epoch, row.seq, row.seq + 1, (record,), next=highest, pressed=pressed))
        replay(self.session, row.id, now=self.now)

    def verify(self) -> None:
        session, model = self.session, self.model
        assert check.faults(session, self.device_id) == []
        counts = {
            (row.place_id, row.grain, row.start_at): [row.counted, row.filtered, row.simulated]
            for row in session.exec(select(PressCount).where(PressCount.device_id == self.device_id))
        }
        assert {key: value for key, value in counts.items() if any(value)} == model.counts()
        expected: dict[tuple[int, str, int, str], list[int]] = {}
        for (*key, rule, simulated), answers in model.rules().items():
            if rule:
                sums = expected.setdefault((*key, rule), [0, 0])
                sums[0] += answers
                sums[1] += answers * simulated
        by_rule = {
            (row.place_id, row.grain, row.start_at, row.rule): [row.answers, row.simulated]
            for row in session.exec(select(FilterCount).where(FilterCount.device_id == self.device_id))
        }
        assert {key: value for key, value in by_rule.items() if value[0]} == expected
        filtered = sum(answers for (*_, rule, _s), answers in model.rules().items() if rule)
        rows = session.exec(
            select(JournalEpoch)
            .where(JournalEpoch.device_id == self.device_id)
            .order_by(col(JournalEpoch.age))
        ).all()
        for row in rows:
            session.refresh(row)
        assert [row.epoch for row in rows] == model.order
        assert sum(row.filtered_answers for row in rows) == filtered
        for row in rows:
            epoch = model.epochs[row.epoch]
            assert (row.next, row.through) == (epoch.next, epoch.through())
            assert (row.header_next, row.pressed) == epoch.header
            assert row.received_answers == sum(r.kind == 1 for r in epoch.records.values())
            assert row.forks == len(epoch.forked)
            assert (row.gone_at is not None) == (row.epoch in model.gone)
            states: dict[int, str] = {}
            ranges = session.exec(
                select(LedgerRange).where(
                    LedgerRange.device_id == self.device_id, LedgerRange.epoch == row.epoch
                )
            )
            for part in ranges:
                states |= dict.fromkeys(range(part.start, part.stop), part.state)
            assert states == epoch.states
        for one in books.of_device(session, self.device_id):
            classes = model.classes(one.epoch)
            assert (one.records_received, one.rejected, one.lost) == (
                classes["received"], classes["rejected"], classes["lost"]
            )  # fmt: skip
            assert one.next == one.records_received + one.rejected + one.lost + one.waiting


@pytest.mark.scales
@seed(effort.SEED)
@settings(
    max_examples=LIVES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS, early=st.booleans())
def test_ledger_and_counts_are_those_of_the_model(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int, int]], early: bool
) -> None:
    """`early`: all was booked before there were misuse rules, and they are run over it afterwards."""
    device_id = new_device(shared_database)
    monkeypatch.setattr(runs, "CURRENT", 0 if early else CURRENT)
    with shared_database.write() as session:
        session.connection().execute(delete(OpeningHours))
        life = Life(session, device_id)
        for name, a, b in steps:
            getattr(life, "boot_" if name == "boot" else name)(a, b)
            session.expire_all()
        life.deliver(0, 0)
        if early:
            life.rerun()
        life.verify()
    evidence.note(
        "batches lost, doubled, reordered, late by days, from twins, changed; moves, replays, reports", 1,
        "random lives", TEST,
        "ledger, counts and filters are those of a plain model",
    )  # fmt: skip
