"""The rules of booking, one by one, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from fleet_server.answers import books, check, quarantine
from fleet_server.answers.book import book
from fleet_server.answers.models import PressCount, Record
from fleet_server.db import Database
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.booked import EPOCH, NOW, kept, ledger, one, send
from tests.fleet_server.answers.messages import KNOWN_SET, Msg, as_version, batch, boot, clock, codec, press

VECTORS = json.loads((Path(__file__).parents[3] / "docs" / "protocol-vectors.json").read_text())


def test_a_press_is_counted_once_however_often_it_comes(shared_database: Database, device: str) -> None:
    message = batch(EPOCH, boot(0), clock(1, NOW, 100), press(2, uptime=20), press(3, uptime=90), pressed=2)
    first, again = send(shared_database, device, message, message)
    later = one(shared_database, device, message)
    assert (first.counted, first.received, first.duplicates, first.places) == (2, 4, 0, {1})
    for booking in (again, later):
        assert (booking.counted, booking.received, booking.duplicates) == (0, 0, 4)
        assert booking.receipt == first.receipt
    assert first.receipt is not None
    assert first.receipt | {"server": 0} == {
        "server": 0, "epoch": EPOCH, "nonce": 1, "through": 4, "seen": 4, "fork": False, "time": NOW, "rejected": [],
    }  # fmt: skip
    assert ledger(shared_database, device) == [(0, 4, "received")]
    with shared_database.read() as session:
        (count,) = session.exec(
            select(PressCount).where(PressCount.device_id == device, PressCount.counted > 0)
        ).all()
        assert (count.place_id, count.grain, count.start_at, count.counted) == (1, "hour", MONDAY_10, 2)
        mine = books.of_devices(session, [device])[device]
        assert (mine.pressed, mine.received, mine.waiting, mine.balanced, mine.faults) == (2, 2, 0, True, [])
        assert mine.as_of == NOW


def test_what_an_earlier_receipt_said_is_not_needed(shared_database: Database, device: str) -> None:
    """From where the kiosk stands on, whether or not the server has heard what lies before."""
    ahead = one(shared_database, device, batch(EPOCH, press(5), press(6), next=9, pressed=9))
    assert ahead.receipt is not None
    assert (ahead.receipt["through"], ahead.receipt["seen"]) == (0, 9)
    back = one(shared_database, device, batch(EPOCH, *[press(seq) for seq in range(5)], next=9, pressed=9))
    assert back.receipt is not None
    assert (back.receipt["through"], back.receipt["seen"]) == (7, 9)
    assert ledger(shared_database, device) == [(0, 7, "received")]


def test_a_question_books_nothing_and_is_answered(shared_database: Database, device: str) -> None:
    booking = one(shared_database, device, Msg(EPOCH, 0, 0, next=4, pressed=3, waiting=4, nonce=77))
    assert booking.receipt is not None
    assert (booking.receipt["nonce"], booking.receipt["through"], booking.receipt["seen"]) == (77, 0, 4)
    with shared_database.read() as session:
        mine = books.of_devices(session, [device])[device]
        assert (mine.pressed, mine.received, mine.waiting, mine.balanced) == (3, 0, 4, True)


def test_what_is_not_there_is_lost_until_it_comes(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, press(0), press(3), to=6, pressed=5))
    assert ledger(shared_database, device) == [
        (0, 1, "received"),
        (1, 3, "lost"),
        (3, 4, "received"),
        (4, 6, "lost"),
    ]
    booking = one(shared_database, device, batch(EPOCH, press(1), start=1, to=3, next=6, pressed=5))
    assert booking.counted == 1
    assert ledger(shared_database, device)[0] == (0, 2, "received")


@pytest.mark.parametrize(
    ("bad", "word", "sentence"),
    [
        (press(1, value=6), "value", f"the value is impossible for question 0 of set {KNOWN_SET}"),
        (press(1, value=0, question=1, body=b"\xff"), "body", "text is not UTF-8"),
        (clock(1, 5, 9), "clock", "clock says 5 ms, outside 2020 to 2099"),
        (clock(1, 2**64 - 1, 9), "clock", f"clock says {2**64 - 1} ms, outside 2020 to 2099"),
        (boot(1).but(body=b"123456"), "body", "body of 6 bytes, kind 2 has 5"),
        (boot(1).but(body=b""), "body", "body of 0 bytes, kind 2 has 5"),
        (press(1, damaged=True), "crc", "the CRC of the record is wrong"),
    ],
)
def test_a_refused_record_never_blocks_its_neighbours(
    shared_database: Database, device: str, bad: Any, word: str, sentence: str
) -> None:
    message = batch(EPOCH, press(0), bad, press(2))
    booking = one(shared_database, device, message)
    assert (booking.counted, booking.rejected) == (2, 1)
    assert booking.receipt is not None
    assert (booking.receipt["through"], booking.receipt["rejected"]) == (3, [[1, 2, word]])
    assert ledger(shared_database, device) == [(0, 1, "received"), (1, 2, "rejected"), (2, 3, "received")]
    one(shared_database, device, message)
    with shared_database.read() as session:
        assert kept(session, device) == [("record", sentence, True)]
        (row,) = quarantine.list_of(session, device)
        raw = bad.encode(EPOCH)
        assert row.raw == raw[: len(row.raw)]
        assert len(raw) - len(row.raw) < 4


@pytest.mark.parametrize(
    "record",
    [
        press(0, set_number=9, value=200),
        press(0, question=40, value=200),
        press(0, value=0, flags=1),
        press(0, question=1, value=0, flags=2, body="ääkkösiä".encode()),
    ],
)
def test_what_cannot_be_judged_is_received(shared_database: Database, device: str, record: Any) -> None:
    """Unknown sets and questions are resolved later; a skipped question has no value."""
    booking = one(shared_database, device, batch(EPOCH, record))
    assert (booking.received, booking.rejected) == (1, 0)


def test_an_unknown_kind_is_received_and_not_counted(shared_database: Database, device: str) -> None:
    booking = one(shared_database, device, batch(EPOCH, press(0).but(kind=99, body=b"\xff\xff")))
    assert (booking.received, booking.counted, booking.filtered) == (1, 0, 0)
    with shared_database.read() as session:
        row = session.exec(select(Record).where(Record.device_id == device)).one()
        assert (row.kind, row.body) == (99, b"\xff\xff")


def test_refused_presses_stand_in_the_books(shared_database: Database, device: str) -> None:
    full = press(0).but(kind=codec.KIND_REFUSED, session=255, body=codec.refused_body(12, 0))
    one(shared_database, device, batch(EPOCH, full, pressed=0))
    one(shared_database, device, batch(EPOCH, full, pressed=0))
    with shared_database.read() as session:
        assert books.of_devices(session, [device])[device].refused == 12


def test_a_record_outside_of_the_range_is_kept_and_ignored(shared_database: Database, device: str) -> None:
    booking = one(shared_database, device, batch(EPOCH, press(7), press(1), start=0, to=2, next=9))
    assert (booking.counted, booking.rejected) == (1, 0)
    assert ledger(shared_database, device) == [(0, 1, "lost"), (1, 2, "received")]
    with shared_database.read() as session:
        assert kept(session, device) == [("record", "outside of [0, 2)", False)]


def test_the_first_of_two_equal_seqs_wins(shared_database: Database, device: str) -> None:
    booking = one(shared_database, device, batch(EPOCH, press(0, value=4), press(0, value=2), to=1))
    assert (booking.counted, booking.fork) == (1, False)
    with shared_database.read() as session:
        assert session.exec(select(Record.value).where(Record.device_id == device)).all() == [4]
        assert kept(session, device) == [("record", "second one with this seq in a message", False)]


def test_another_record_under_a_taken_key_is_a_fork(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, press(0, value=4)))
    for _ in range(2):
        booking = one(shared_database, device, batch(EPOCH, press(0, value=2)))
        assert booking.fork
        assert booking.receipt is not None
        assert booking.receipt["fork"] is True
        assert (booking.counted, booking.duplicates) == (0, 0)
    with shared_database.read() as session:
        assert session.exec(select(Record.value).where(Record.device_id == device)).all() == [4]
        assert kept(session, device) == [("record", "fork: this key holds another record", True)]
        assert "1 records came under a key" in books.of_devices(session, [device])[device].faults[0]


@pytest.mark.parametrize("vector", VECTORS["broken_batches"], ids=lambda vector: vector["name"])
def test_a_broken_batch_is_booked_as_the_vectors_say(
    shared_database: Database, device: str, vector: dict[str, Any]
) -> None:
    raw = bytes.fromhex(vector["hex"])
    with shared_database.write() as session:
        booking = book(session, device, raw, source="mqtt", now=NOW)
    if vector["booked"] == "nothing, no receipt":
        assert booking.receipt is None
        assert booking.note
        assert ledger(shared_database, device) == []
    else:
        assert vector["booked"] == "the range [2, 3) as rejected, kept raw"
        assert booking.receipt is not None
        assert booking.receipt["rejected"] == [[2, 3, "version"]]
        assert ledger(shared_database, device) == [(2, 3, "rejected")]
    with shared_database.read() as session:
        (row,) = quarantine.list_of(session, device)
        assert (row.what, row.raw) == ("message", raw)


def test_a_mad_header_books_nothing(shared_database: Database, device: str) -> None:
    one(shared_database, device, batch(EPOCH, press(0), next=10))
    mad = one(shared_database, device, batch(EPOCH, press(1), next=1_000_011))
    assert mad.receipt is None
    assert "1000000 beyond 10" in mad.note
    assert one(shared_database, device, batch(EPOCH, press(1), next=1_000_010)).counted == 1


def test_of_broken_messages_the_last_hundred_are_kept_and_push_out_no_evidence(
    shared_database: Database, device: str
) -> None:
    one(shared_database, device, batch(EPOCH, press(0, value=9)))
    with shared_database.write() as session:
        for number in range(quarantine.LAST_STRAY + 5):
            book(session, device, number.to_bytes(4, "little"), source="mqtt", now=NOW + number)
    with shared_database.read() as session:
        rows = quarantine.list_of(session, device, limit=1_000)
    assert [row.what for row in rows] == ["message"] * quarantine.LAST_STRAY + ["record"]
    assert rows[quarantine.LAST_STRAY - 1].raw == (5).to_bytes(4, "little")


def test_rejected_ranges_beyond_sixteen_come_with_later_receipts(
    shared_database: Database, device: str
) -> None:
    records = [press(seq, value=9 if seq % 2 else 5) for seq in range(50)]
    first, second = send(
        shared_database, device, batch(EPOCH, *records), Msg(EPOCH, 50, 50, next=50, pressed=50)
    )
    assert first.receipt is not None
    assert second.receipt is not None
    assert first.receipt["rejected"] == [[seq, seq + 1, "value"] for seq in range(1, 33, 2)]
    assert second.receipt["rejected"] == [[seq, seq + 1, "value"] for seq in range(33, 50, 2)]
    assert first.rejected == 25


def test_neighbouring_rejected_seqs_are_told_as_one_range(shared_database: Database, device: str) -> None:
    many = quarantine.LAST_STRAY + 20
    booking = one(shared_database, device, batch(EPOCH, *[press(seq, value=9) for seq in range(many)]))
    assert booking.receipt is not None
    assert booking.receipt["rejected"] == [[0, many, "value"]]
    with shared_database.read() as session:
        assert len(quarantine.list_of(session, device, limit=1_000)) == many


def test_epochs_and_devices_do_not_share_seqs(shared_database: Database, device: str) -> None:
    bookings = send(shared_database, device, batch(1, press(0)), batch(2, press(0)), batch(1, press(1)))
    assert [booking.counted for booking in bookings] == [1, 1, 1]


def test_a_message_of_an_unknown_device_is_an_error(shared_database: Database) -> None:
    with shared_database.write() as session, pytest.raises(ValueError, match="'nobody' is not registered"):
        book(session, "nobody", batch(EPOCH, press(0)).encode(), source="mqtt", now=NOW)


def test_what_a_transaction_gives_up_is_not_booked(shared_database: Database, device: str) -> None:
    message = batch(EPOCH, press(0))

    def give_up() -> None:
        with shared_database.write() as session:
            book(session, device, message.encode(), source="mqtt", now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        give_up()
    assert one(shared_database, device, message).counted == 1


def test_a_version_to_come_is_rejected_and_kept(shared_database: Database, device: str) -> None:
    raw = as_version(batch(EPOCH, press(0), press(1)).encode(), 3)
    with shared_database.write() as session:
        booking = book(session, device, raw, source="mqtt", now=NOW)
        assert booking.receipt is not None
        assert (booking.receipt["through"], booking.receipt["rejected"]) == (2, [[0, 2, "version"]])
        assert kept(session, device) == [("message", "version 3 is unknown", True)]


def test_two_transactions_at_once_count_once(shared_database: Database, device: str) -> None:
    """As when a harvest runs while the collector books: on PostgreSQL the device's row is locked."""
    messages = [
        batch(EPOCH, *[press(seq) for seq in range(start, start + 10)], next=200, pressed=200)
        for start in range(0, 200, 10)
    ]
    with ThreadPoolExecutor(4) as pool:
        rounds = list(
            pool.map(lambda _: [one(shared_database, device, message) for message in messages], range(4))
        )
    assert sum(booking.counted for bookings in rounds for booking in bookings) == 200
    assert ledger(shared_database, device) == [(0, 200, "received")]
    with shared_database.read() as session:
        assert check.faults(session, device) == []
