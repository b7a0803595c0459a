"""What the server does with any bytes: each check takes a case, hands it to the real parts, and asserts.

Answers go through `book` on SQLite, reports, states and logs through the collector, question sets through their rules,
packets through the broker's reader. Nothing here knows how a case came to be.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from amqtt.mqtt import packet_class
from amqtt.mqtt.packet import PUBLISH, MQTTFixedHeader
from kiosk import record as codec
from kiosk import touch_rules
from kiosk import view as view_rules
from sqlmodel import Session, col, delete, select

from fleet_server.answers import check, wire
from fleet_server.answers.book import Booking, book
from fleet_server.answers.models import JournalEpoch, LedgerRange, Quarantine, Record
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices.models import CrashReport, Device
from fleet_server.devices.views import device_page
from fleet_server.link.collector import Collector, Incoming
from fleet_server.link.rules import Rules
from fleet_server.link.streams import DEVICE_PACKET_BYTES, LimitedReader
from fleet_server.migrations import migrate
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of
from fleet_server.questions.views import (
    MAX_BUTTON_VIEW_BYTES,
    MAX_TOUCH_VIEW_BYTES,
    hash_of,
    view_bytes,
    view_faults,
)
from tests.conftest import MONDAY_10
from tests.firmware.whole import encode_batch
from tests.fuzz.by_hand import crc_by_hand
from tests.fuzz.inputs import FIRST_SEQ, KNOWN_SET, Case, press
from tests.fuzz.kiosk_parts import DEVICE as KIOSK
from tests.fuzz.kiosk_parts import EPOCH

DEVICE = "fuzz00000001"
RANKS = {"lost": 1, "rejected": 2, "received": 3}
VALUES = {0: range(1, 6), 1: range(1)}  # of the questions of KNOWN_SET
# What each model's kiosk says of a view, and how long a view may be.
KIOSK_RULES: dict[str, tuple[Callable[[Any], str | None], int]] = {
    "button4": (lambda view: view_rules.fault(view, 4), MAX_BUTTON_VIEW_BYTES),
    "button5": (lambda view: view_rules.fault(view, 5), MAX_BUTTON_VIEW_BYTES),
    "touch": (touch_rules.fault, MAX_TOUCH_VIEW_BYTES),
}


def read_batch(case: Case) -> wire.Batch | None:
    """A batch is taken only when its CRC, and the frame of every record in it, is right."""
    data = case.data
    try:
        batch = wire.read_batch(data)
    except wire.Damaged:
        return None
    assert crc_by_hand(data[:-4], 0) == int.from_bytes(data[-4:], "little"), (
        "a message with a wrong CRC is taken"
    )
    assert 24 <= len(data) <= wire.MAX_BATCH_BYTES
    at = data[1]
    for record in batch.records:
        assert record.start == at, "records overlap or leave a gap"
        body = data[record.start : record.stop - 4]
        right = crc_by_hand(body, batch.epoch) == int.from_bytes(
            data[record.stop - 4 : record.stop], "little"
        )
        assert record.intact == right, "a record with a wrong CRC is taken, or one with a right one is not"
        kiosk = codec.decode(data, record.start, batch.epoch)
        if len(record.body) <= wire.MAX_TEXT_BYTES and record.stop <= len(data) - 4:
            assert (kiosk is not None) == right, "kiosk and server disagree on a record"
            if kiosk is not None:
                assert kiosk == tuple(record[: len(kiosk)]), "kiosk and server read other fields"
        at += wire.padded(record.stop - record.start)
    if batch.version == wire.VERSION:
        assert at == len(data) - 4, "something is left over"
    return batch


class Books:
    """A database with one device of which FIRST_SEQ records are booked; each case is undone."""

    def __init__(self, folder: Path) -> None:
        self.database = county(folder / "books.db")
        held = [press(seq) for seq in range(FIRST_SEQ - 10)]
        held[7:9] = [press(7, value=9), press(8, value=9)]  # no such answers: rejected
        message = encode_batch(EPOCH, 1, 0, FIRST_SEQ, FIRST_SEQ, FIRST_SEQ - 10, 0, 1, 0, held)
        with self.database.write() as session:
            booking = book(session, DEVICE, bytes(message), source="mqtt", now=MONDAY_10)
            assert booking.receipt
            assert booking.receipt["through"] == FIRST_SEQ

    def book(self, case: Case) -> None:
        """Whatever is booked obeys the rules, nothing known gets worse, and the original can still be booked."""
        with self.database.write() as session:
            before = ledger(session)
            booking = book(session, DEVICE, case.data, source="mqtt", now=MONDAY_10 + 1)
            self._obeys(session, case, booking, before)
            self._takes(session, case.original)
            assert check.faults(session, DEVICE) == []
            session.rollback()

    def _obeys(self, session: Session, case: Case, booking: Booking, before: dict[int, list[Any]]) -> None:
        after = ledger(session)
        if read_batch(case) is None:
            assert booking.receipt is None, "a damaged message gets a receipt"
        if booking.receipt is None:
            assert after == before, "booked without a receipt"
            assert booking.note.strip(), "nothing booked, and no reason said"
            return
        epoch, nonce, _, _ = (int.from_bytes(case.data[at : at + 4], "little") for at in (4, 8, 12, 16))
        assert (booking.receipt["epoch"], booking.receipt["nonce"]) == (epoch, nonce)
        for number, ranges in before.items():
            for seq in range(FIRST_SEQ):
                assert rank_of(after[number], seq) >= rank_of(ranges, seq), f"seq {seq} of {number:08x} fell"
        through = booking.receipt["through"]
        assert through <= booking.receipt["seen"]
        assert sum(stop - start for start, stop, _ in after.get(epoch, []) if stop <= through) == through
        for row in session.exec(select(Record).where(Record.received_at == MONDAY_10 + 1)):
            assert row.epoch == epoch
            assert rank_of(after[epoch], row.seq) == RANKS["received"]
            if row.kind == wire.KIND_ANSWER:
                row.body.decode()
                assert len(row.body) <= wire.MAX_TEXT_BYTES
                if (
                    row.set_number == KNOWN_SET
                    and row.question in VALUES
                    and not wire.unanswered(row.flags, row.value, len(row.body))
                ):
                    assert row.value in VALUES[row.question], "a value that the question does not have"

    def _takes(self, session: Session, original: bytes) -> None:
        """What a kiosk sends is booked, whatever came under its name before."""
        batch = wire.read_batch(original)
        booking = book(session, DEVICE, original, source="mqtt", now=MONDAY_10 + 2)
        assert booking.receipt is not None, f"the original is no longer booked: {booking.note}"
        assert booking.receipt["through"] >= batch.to
        rows = session.exec(select(Record).where(Record.epoch == EPOCH, col(Record.seq) >= FIRST_SEQ))
        there = {row.seq: row.crc for row in rows}
        for record in batch.records:
            assert there[record.seq] == record.crc or booking.fork, (
                "another record stands there, and nobody is told"
            )


class Link:
    """The collector with one kiosk: any message, and a good batch behind it that must get its receipt."""

    def __init__(self, folder: Path) -> None:
        self.database = county(folder / "link.db")
        self._sent: list[tuple[str, bytes]] = []
        self._now = MONDAY_10
        self._seq = 0
        self._collector = Collector(
            self.database,
            lambda topic, payload: self._sent.append((topic, payload)),
            Changes(),
            lambda: self._now,
        )

    def take(self, what: str, cases: Sequence[Case]) -> None:
        """Many at once, as they come: none may stop its neighbours, or spoil the page of its kiosk."""
        self._sent.clear()
        self._now += 60_000
        receipts = 0
        messages = []
        for number, case in enumerate(cases):
            messages.append(Incoming(DEVICE, what, case.data))
            if number % 10 == 0:
                messages.append(Incoming(DEVICE, "answers", self._good()))
                receipts += 1
        self._collector.process(messages)
        topics = [topic for topic, _ in self._sent]
        assert topics.count(f"hymio/1/down/{DEVICE}/receipt") == receipts, (
            "a good batch beside it has no receipt"
        )
        for topic, payload in self._sent:
            assert topic in [f"hymio/1/down/{DEVICE}/{name}" for name in ("receipt", "desired", "set")], topic
            assert payload
        with self.database.read() as session:
            device = session.get_one(Device, DEVICE)
            page = device_page(session, device, select(Place.id))
            json.dumps(json.loads(device.report or "{}"))
            assert device.status in ("new", "here", "sleeping", "update", "lost", "late")
            str(page).encode()  # a page can be sent with it
            kept = session.exec(select(Quarantine.reason)).all()
            assert len(kept) <= 101, "quarantine grows without bound"
            assert not [reason for reason in kept if "could not be taken" in reason], (
                "it broke its transaction"
            )
            assert len(session.exec(select(CrashReport.id)).all()) <= 50
        self._forget_mad_epochs()

    def _forget_mad_epochs(self) -> None:
        """Reports may open 256, and each of them costs every transaction: that has tests of its own."""
        with self.database.write() as session:
            session.exec(delete(JournalEpoch).where(col(JournalEpoch.epoch) != EPOCH + 7))
            session.exec(delete(LedgerRange).where(col(LedgerRange.epoch) != EPOCH + 7))

    def _good(self) -> bytes:
        seq, self._seq = self._seq, self._seq + 1
        return bytes(
            encode_batch(EPOCH + 7, 9, seq, seq + 1, seq + 1, seq + 1, 1, 1, 0, [press(seq, epoch=EPOCH + 7)])
        )


class Sets:
    """The rules of question sets, and their keeping."""

    def __init__(self, folder: Path) -> None:
        self.database = county(folder / "sets.db")

    def judge(self, case: Case) -> None:
        """Faults are named; a set without any has views that its kiosks take."""
        try:
            body = json.loads(case.data)
        except (ValueError, RecursionError):  # as the command does that adds one
            return
        faults = faults_of(body)
        assert all(isinstance(fault, str) and fault.strip() for fault in faults)
        for model, (rules, most) in KIOSK_RULES.items() if not faults else ():
            if not view_faults(body, model):
                view = view_bytes(body, model)
                assert len(view) <= most
                reason = rules(json.loads(view))
                assert reason is None, f"published by the server, refused by the kiosk: {reason}"

    def keep(self, case: Case) -> None:
        """It is kept as it is, or refused with a reason; what is kept can be asked about."""
        try:
            body = json.loads(case.data)
        except (ValueError, RecursionError):
            return
        if not isinstance(body, dict):
            return
        with self.database.write() as session:
            try:
                row = questions.add(session, body, source="fuzz", now=MONDAY_10)
            except questions.SetRefused:
                pass
            else:
                assert questions.body_of(row)["number"] == row.number
                for position in (0, 1, 255):
                    questions.known_values(session, row.number, position)
            session.rollback()


class Broker:
    """The embedded broker's way of reading, after a kiosk was let in, and its rules."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._rules = Rules(county(folder / "broker.db"), "")

    def read(self, case: Case) -> None:
        """Handed on is what was sent, in its order, to this kiosk's own topics, up to the first odd packet."""
        taken = self._loop.run_until_complete(self._taken(case.data))
        sent = published(case.data)
        assert taken == sent[: len(taken)], "something is taken that was not sent"

    async def _taken(self, data: bytes) -> list[tuple[str, bytes]]:
        stream = asyncio.StreamReader()
        stream.feed_data(data)
        stream.feed_eof()
        reader = LimitedReader(stream)
        reader.admit(DEVICE_PACKET_BYTES, 30)
        taken = []
        try:
            while (header := await MQTTFixedHeader.from_stream(reader)) is not None:
                assert header.remaining_length <= DEVICE_PACKET_BYTES, "a packet beyond the limit"
                packet = await packet_class(header).from_stream(reader, fixed_header=header)
                if not reader.used_up:
                    break
                if header.packet_type == PUBLISH and self._rules.may_write(KIOSK, packet.topic_name):
                    taken.append((packet.topic_name, bytes(packet.data)))
        except AssertionError:
            raise
        except Exception:  # noqa: S110 - the handler takes all of amqtt's for the end of the connection
            pass
        return taken


def published(data: bytes) -> list[tuple[str, bytes]]:
    """What a stream of packets publishes to the kiosk's topics, by the standard, up to what a kiosk may not send."""
    topics = [f"hymio/1/up/{KIOSK}/{name}".encode() for name in ("answers", "report", "state", "log")]
    found = []
    at = 0
    while at < len(data) and data[at] in (0x30, 0x31, 0x82, 0xA2, 0xC0, 0xE0):
        first, size, shift = data[at], 0, 0
        while True:
            at += 1
            if at == len(data) or shift == 28:
                return found
            size |= (data[at] & 0x7F) << shift
            shift += 7
            if not data[at] & 0x80:
                break
        body = data[at + 1 : at + 1 + size]
        at += 1 + size
        if len(body) < size or size > DEVICE_PACKET_BYTES:
            break
        if first >> 4 == 3:
            length = int.from_bytes(body[:2], "big")
            if body[2 : 2 + length] in topics:
                found.append((body[2 : 2 + length].decode(), body[2 + length :]))
    return found


def ledger(session: Session) -> dict[int, list[Any]]:
    """[(start, stop, state)] of each epoch, sorted."""
    found: dict[int, list[Any]] = {}
    rows = session.exec(select(LedgerRange).order_by(col(LedgerRange.epoch), col(LedgerRange.start)))
    for row in rows:
        found.setdefault(row.epoch, []).append((row.start, row.stop, row.state))
    return found


def rank_of(ranges: list[Any], seq: int) -> int:
    """How much is known of a seq: 0 waiting to 3 received."""
    return next((RANKS[state] for start, stop, state in ranges if start <= seq < stop), 0)


def county(path: Path) -> Database:
    """A migrated database with one device at one place, and a set whose questions have known values."""
    database = Database(f"sqlite:///{path}")
    migrate(database)
    body = {"number": KNOWN_SET, "questions": [{"type": "smiley5"}, {"type": "text"}]}
    with database.write() as session:
        session.add(Unit(id=1, path="/1/", name_fi="a", name_sv="a", name_en="a"))
        session.add(Device(id=DEVICE, name="fuzz", model="button5", secret_sha256="", created_at=MONDAY_10))
        session.flush()
        session.add(Place(id=1, unit_id=1, name="place", created_at=0))
        session.flush()
        session.add(Installation(place_id=1, device_id=DEVICE, from_at=MONDAY_10))
        session.add(
            QuestionSet(
                number=KNOWN_SET,
                name="known",
                version="1",
                body=json.dumps(body),
                hash=hash_of(json.dumps(body).encode()),
                created_at=0,
                family=KNOWN_SET,
            )
        )
        questions.add_national(session, now=MONDAY_10)
        assert questions.publish(session, 1, [DEVICE], actor="fuzz", now=MONDAY_10) == []
    return database
