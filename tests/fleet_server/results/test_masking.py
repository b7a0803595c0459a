"""What names a person is taken out of an open text before it is kept; what only looks like it stays."""

import pytest
from sqlmodel import col, select

from fleet_server.answers import check
from fleet_server.answers.fingerprints import NO_CRC
from fleet_server.answers.masking import MASK, masked
from fleet_server.answers.models import Record
from fleet_server.db import Database
from fleet_server.instants import DAY_MS
from fleet_server.results import texts
from fleet_server.results.models import PLACE
from fleet_server.results.scores import Where
from tests.conftest import MONDAY_10
from tests.fleet_server.results.visitors import LATER, Kiosk, let_go

NOW = MONDAY_10 + DAY_MS


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        # 131052-308T is DVV's own example of a code with its check character.
        ("Nimeni on Testi, 131052-308T.", f"Nimeni on Testi, {MASK}."),
        ("131052-308t", MASK),
        ("131052 - 308T", MASK),
        ("131052308T", MASK),
        ("born 010594Y9032, thanks", f"born {MASK}, thanks"),  # a sign of 2023
        ("131052-308A", MASK),  # one character wrong: still hers
        ("call 050 123 4567 or +358 40 1234567", f"call {MASK} or {MASK}"),
        ("040-1234567", MASK),
        ("03 1234 5678", MASK),
        ("Write to maija.meika@example.org!", f"Write to {MASK}!"),
    ],
)
def test_codes_numbers_and_addresses_are_taken_out(text: str, kept: str) -> None:
    assert masked(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Jonotin 45 minuuttia, aika oli klo 10.15.",
        "Käynti 12.3.2026 huoneessa 1204",
        "10 points, 100 % thanks",
        "1310523081",
        "Hyvä!",
        "😀 ääkköset ŋ",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_only_what_is_left_is_kept_and_a_second_delivery_is_no_fork(shared_database: Database) -> None:
    kiosk = Kiosk.new(shared_database)
    record = kiosk.answer(0, question=1, body=b"Soita 050 1234567")
    kiosk.send([record], now=NOW)
    kiosk.send([record], now=NOW)
    with shared_database.read() as session:
        kept = session.exec(select(Record).where(Record.device_id == kiosk.id, col(Record.seq) == 1)).one()
        assert kept.body.decode() == f"Soita {MASK}"
        assert kept.crc == NO_CRC
        assert check.faults(session, kiosk.id) == []


def test_texts_are_read_in_groups_found_by_their_words_and_forgotten_in_time(
    shared_database: Database,
) -> None:
    kiosk = Kiosk.new(shared_database)
    written = ["Kiitos 100 %", "Hyvä hoitaja", "Jono oli pitkä", "hyvä_hoito"]
    sent = [text.replace("Jono", "Jo\0no") for text in written]
    kiosk.send([kiosk.answer(0, question=1, body=text.encode()) for text in sent], now=NOW)
    let_go(shared_database)
    here = Where(PLACE, 1)

    def found(search: str = "") -> set[str]:
        with shared_database.read() as session:
            count, page = texts.read(session, here, 0, 1 << 50, search=search, limit=1_000)
        assert count == len(page)
        return {one.text for one in page} & {*written, "Viides"}

    assert found() == set(), "four texts are too few"
    kiosk.send([kiosk.answer(0, question=1, body=b"Viides")], now=NOW)
    let_go(shared_database)
    assert found() == {*written, "Viides"}
    assert found("HOITAJA HYVÄ") == {"Hyvä hoitaja"}
    assert found("100 %") == {"Kiitos 100 %"}
    assert found("ä_h") == {"hyvä_hoito"}
    assert found("%") == {"Kiitos 100 %"}
    with shared_database.write() as session:
        texts.forget(session, days=30, now=NOW + 40 * DAY_MS + LATER)
    assert found() == set()
    with shared_database.read() as session:
        bodies = session.exec(select(Record.body).where(Record.device_id == kiosk.id, Record.kind == 1)).all()
        assert set(bodies) == {"…".encode()}
        assert check.faults(session, kiosk.id) == []
