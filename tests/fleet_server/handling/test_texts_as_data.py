"""Themes follow their lists, blacked out words are nowhere left, and a forgotten text leaves nothing but what others
wrote; on both databases."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import event, text
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Grant, Person
from fleet_server.accounts.models import AuditEntry, Role, User
from fleet_server.answers import check, quarantine, wire
from fleet_server.answers.fingerprints import NO_CRC
from fleet_server.answers.masking import MASK
from fleet_server.answers.models import JournalEpoch, Quarantine, Record
from fleet_server.db import Database
from fleet_server.handling import blacking, finding, marking, reading_list, said, themes
from fleet_server.handling.finding import Wanted
from fleet_server.handling.models import Handling, SaidAndDid, Theme
from fleet_server.instants import DAY_MS
from fleet_server.migrations import alembic_config, migrate
from fleet_server.places import service as places
from fleet_server.places.models import Place
from fleet_server.refusals import Refused
from fleet_server.results import texts
from fleet_server.results.models import PLACE, UNIT, Block, ReleasedText
from fleet_server.results.scores import Where
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.conftest import furnish
from tests.fleet_server.answers.messages import Rec
from tests.fleet_server.results.visitors import LATER, Kiosk, let_go

NOW = MONDAY_10 + DAY_MS
HERE = Where(PLACE, 1)
EVER = (0, 1 << 50)


@pytest.fixture(scope="module")
def alice(shared_database: Database) -> Person:
    """Who leads it all."""
    with shared_database.write() as session:
        user = User(email="alice@example.org", name="Alice", created_at=NOW)
        session.add(user)
        session.flush()
        return Person("user", user.id or 0, "Alice", user.email, "en", (Grant(Role.SUPERVISOR),))


@pytest.fixture
def plans(shared_database: Database) -> Iterator[list[str]]:
    """How the database goes about each change of records, as it says itself."""
    found: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("UPDATE record SET body"):
            word = "EXPLAIN QUERY PLAN " if shared_database.is_sqlite else "EXPLAIN "
            cursor.execute(word + statement, parameters)
            found.append(" ".join(str(row) for row in cursor.fetchall()))

    event.listen(shared_database.engine, "before_cursor_execute", explain)
    yield found
    event.remove(shared_database.engine, "before_cursor_execute", explain)


def written(database: Database, *bodies: str) -> tuple[Kiosk, list[Rec]]:
    """A kiosk of its own, five visitors of which have written, and all of it is released."""
    kiosk = Kiosk.new(database)
    records = [kiosk.answer(0, question=1, body=body.encode()) for body in bodies]
    kiosk.send(records, now=NOW)
    let_go(database)
    return kiosk, records


def texts_of(session: Session, kiosk: Kiosk) -> dict[str, ReleasedText]:
    blocks = select(Record.block_id).where(Record.device_id == kiosk.id)
    rows = session.exec(select(ReleasedText).where(col(ReleasedText.block_id).in_(blocks)))
    return {row.text: row for row in rows}


def found(session: Session, **wanted: Any) -> finding.Found:
    return finding.find(session, HERE, *EVER, Wanted(**wanted), limit=100, page=1)


def words_of(page: finding.Found) -> set[str]:
    return {one.text.text for one in page.page}


def test_a_text_has_the_themes_of_the_lists_as_they_are_now(shared_database: Database, alice: Person) -> None:
    kiosk, _ = written(
        shared_database,
        "Jonossa meni tunti",
        "Akvaariossa uitiin",
        "Vesi on akvaarion ilo",
        "Hei Matille",
        "x",
    )
    mine = {"Jonossa meni tunti", "Akvaariossa uitiin", "Vesi on akvaarion ilo", "Hei Matille", "x"}
    with shared_database.write() as session:
        waiting = themes.all_themes(session)[0]
        assert waiting.name_en == "Waiting"
        assert "Jonossa meni tunti" in words_of(found(session, theme=waiting.id))
        assert {row.text for row in texts_of(session, kiosk).values() if row.may_name} == {"Hei Matille"}
        assert "Hei Matille" in words_of(found(session, state=finding.NAMES))
        names = {"fi": "Kalat", "sv": "Fiskar", "en": "Fish"}
        fish = themes.save(
            session, alice, None, names=names, words={"fi": "AKVAARIO, kala", "sv": "", "en": ""}, now=NOW
        )
        assert words_of(found(session, theme=fish.id)) == {"Akvaariossa uitiin", "Vesi on akvaarion ilo"}
        counted = {theme.id: count for theme, count in found(session).of_theme}
        assert counted[fish.id] == 2
        themes.save(session, alice, fish, names=names, words={"fi": "vaario", "sv": "", "en": ""}, now=NOW)
        assert words_of(found(session, theme=fish.id)) == set(), "only beginnings of words"
        themes.save(session, alice, fish, names=names, words={"fi": "vesi on", "sv": "", "en": ""}, now=NOW)
        assert words_of(found(session, theme=fish.id)) == {"Vesi on akvaarion ilo"}
        with pytest.raises(Refused) as refused:
            themes.save(session, alice, fish, names=names, words={"fi": " , ", "sv": "a"}, now=NOW)
        assert set(refused.value.faults) == {"words_sv"}
        themes.remove(session, alice, fish, now=NOW)
        assert mine <= words_of(found(session))
        assert session.get(Theme, fish.id) is None


def test_what_is_blacked_out_is_nowhere_left_and_a_second_delivery_is_no_fork(
    shared_database: Database, alice: Person
) -> None:
    kiosk, records = written(shared_database, "Hoitaja Virtanen auttoi", "a", "b", "c", "Virtanen")
    with shared_database.write() as session:
        row = texts_of(session, kiosk)["Hoitaja Virtanen auttoi"]
        seen = blacking.mark(row.text)
        for words, confirmed, field in (([], True, "words"), ([1], False, "confirmed"), ([9], True, "words")):
            with pytest.raises(Refused) as refused:
                blacking.black_out(session, alice, row, words, seen=seen, confirmed=confirmed, now=NOW)
            assert set(refused.value.faults) == {field}
        blacking.black_out(session, alice, row, [1], seen=seen, confirmed=True, now=NOW)
        with pytest.raises(Refused):
            blacking.black_out(session, alice, row, [1], seen=seen, confirmed=True, now=NOW)
    kiosk.send(records, now=NOW)
    left = f"Hoitaja {MASK} auttoi"
    with shared_database.read() as session:
        row = texts_of(session, kiosk)[left]
        assert (row.folded, row.may_name) == (left.casefold(), False)
        kept = session.exec(select(Record).where(Record.device_id == kiosk.id, col(Record.seq) == 1)).one()
        assert (kept.body.decode(), kept.crc) == (left, NO_CRC)
        bodies = session.exec(select(Record.body).where(Record.device_id == kiosk.id)).all()
        assert b"Virtanen" in bodies, "the text of another visitor, who wrote nothing else"
        assert [one for one in bodies if b"Hoitaja Virtanen" in one] == []
        assert words_of(found(session, words="hoitaja virtanen")) == set()
        assert session.exec(select(JournalEpoch.forks).where(JournalEpoch.device_id == kiosk.id)).one() == 0
        assert check.faults(session, kiosk.id) == []
        audited = session.exec(select(AuditEntry).where(AuditEntry.action == "black out words")).one()
        assert "irtanen" not in f"{audited.before}{audited.after}"


def test_marks_can_be_taken_back_as_long_as_nobody_changed_them(
    shared_database: Database, alice: Person
) -> None:
    kiosk, _ = written(shared_database, "m1", "m2", "m3", "m4", "m5")
    mine = {"m1", "m2", "m3", "m4", "m5"}
    with shared_database.write() as session:
        rows = texts_of(session, kiosk)
        marking.mark_text(session, alice, rows["m1"], "discussed", "At the meeting", now=NOW)
        assert marking.mark_all_read(session, alice, list(rows.values()), now=NOW + 1) == 4
        assert words_of(found(session, state="unread")) & mine == set()
        assert words_of(found(session, state="read")) & mine == mine - {"m1"}
        assert words_of(found(session, state="discussed")) & mine == {"m1"}
        marking.mark_text(session, alice, rows["m2"], "acted", "", now=NOW + 2)
        assert marking.undo(session, alice, at=NOW + 1, now=NOW + 3) == 3
        assert words_of(found(session, state="unread")) & mine == {"m3", "m4", "m5"}
        assert marking.undo(session, alice, at=NOW + 2, now=NOW + 4) == 1
        assert words_of(found(session, state="read")) & mine == {"m2"}
        for state, note, field in (
            ("eaten", "", "state"),
            ("unread", "x", "note"),
            ("read", "x" * 1_001, "note"),
        ):
            with pytest.raises(Refused) as refused:
                marking.mark_text(session, alice, rows["m1"], state, note, now=NOW)
            assert set(refused.value.faults) == {field}
        kept = marking.of_texts(session, [rows["m1"].id or 0])[rows["m1"].id or 0]
        assert (kept.state, kept.note, kept.by) == ("discussed", "At the meeting", alice.email)
        log = session.exec(select(AuditEntry).where(AuditEntry.action == "mark feedback")).all()
        assert [one for one in log if "meeting" in f"{one.before}{one.after}"] == []


def test_a_question_in_a_time_is_marked_once_and_anew(shared_database: Database, alice: Person) -> None:
    written(shared_database, "q", "q", "q", "q", "q")
    time = marking.Time(MONDAY_10, MONDAY_10 + DAY_MS)
    with shared_database.write() as session:
        for state, note in (("read", ""), ("acted", "New chairs")):
            marking.mark_question(session, alice, HERE, 1, time, state, note, now=NOW)
        (row,) = marking.of_questions(session, HERE)
        assert (row.state, row.note, row.was_state) == ("acted", "New chairs", "read")


def test_of_a_forgotten_text_only_what_others_wrote_stays(
    shared_database: Database, alice: Person, plans: list[str]
) -> None:
    kiosk, _ = written(shared_database, "f1", "f2", "f3", "f4", "f5")
    lonely = Kiosk.new(shared_database)  # in no block ever
    lonely.send([lonely.answer(0, question=1, body=b"alone")], now=NOW)
    pressed = wire.record_bytes(1, epoch=1, seq=9, uptime=0, pressed=1)
    wrote = wire.record_bytes(1, epoch=1, seq=8, uptime=0, pressed=1, body=b"raw words")
    with shared_database.write() as session:
        rows = texts_of(session, kiosk)
        marking.mark_text(session, alice, rows["f1"], "acted", "We have a new lift", now=NOW)
        marking.mark_text(session, alice, rows["f2"], "read", "", now=NOW)
        reading_list.add(session, alice, rows["f3"].id or 0, now=NOW)
        reading_list.add(session, alice, rows["f3"].id or 0, now=NOW)
        typed = {"said_fi": "Hissi", "did_fi": "Uusi hissi"}
        note = said.save(session, alice, HERE, None, typed, text_id=rows["f1"].id, now=NOW)
        for raw, seq in ((pressed, 9), (wrote, 8)):
            item = quarantine.Item("record", "test", raw, 1, seq, evidence=True)
            quarantine.keep(session, kiosk.id, item, source="mqtt", now=NOW)
        assert len(reading_list.texts_of(session, alice)) == 1
    plans.clear()
    after = NOW + 40 * DAY_MS + LATER
    with shared_database.write() as session:
        if not shared_database.is_sqlite:  # a table so small is read as a whole, whatever there is
            session.connection().execute(text("SET LOCAL enable_seqscan = off"))
        texts.forget(session, days=30, now=after)
        marking.forget(session)
        quarantine.forget(session, before=after - 30 * DAY_MS)
    assert plans
    assert [plan for plan in plans if "ix_record_text" not in plan] == []
    with shared_database.read() as session:
        assert texts_of(session, kiosk) == {}
        for one in (kiosk, lonely):
            bodies = session.exec(
                select(Record.body).where(Record.device_id == one.id, Record.kind == 1)
            ).all()
            assert set(bodies) == {"…".encode()}
        (kept,) = session.exec(select(Handling).where(col(Handling.note) == "We have a new lift")).all()
        assert (kept.text_id, kept.scope, kept.scope_id) == (None, PLACE, 1)
        bare = select(Handling).where(col(Handling.text_id).is_(None), col(Handling.note) == "")
        assert session.exec(bare.where(col(Handling.series_id).is_(None))).all() == []
        assert reading_list.texts_of(session, alice) == set()
        assert session.get_one(SaidAndDid, note.id).text_id is None
        raws = session.exec(select(Quarantine.raw).where(Quarantine.device_id == kiosk.id)).all()
        assert raws == [pressed]
        assert check.faults(session, kiosk.id) == []


def test_everybody_reads_what_was_published_of_a_place_and_the_units_around_it(
    shared_database: Database, alice: Person
) -> None:
    with shared_database.write() as session:
        for where, said_fi, extra in (
            (Where(PLACE, 2), "Kylmä aula", {"said_sv": "Kall aula", "did_sv": "Varmt nu"}),
            (Where(UNIT, 1), "Pitkä jono", {}),
            (Where(PLACE, 3), "Muualla", {}),
            (Where(PLACE, 2), "Luonnos", {}),
        ):
            typed = {"said_fi": said_fi, "did_fi": "Korjattiin", **extra}
            row = said.save(session, alice, where, None, typed, now=NOW)
            if said_fi != "Luonnos":
                said.publish(session, alice, row, now=NOW + (row.id or 0))
        shown = [(one.said, one.language) for one in said.published(session, 2, "sv", now=NOW)]
        assert shown == [("Pitkä jono", "fi"), ("Kall aula", "sv")]
        first = said.of_subject(session, Where(UNIT, 1))[0]
        said.withdraw(session, alice, first, now=NOW)
        assert [one.said for one in said.published(session, 2, "fi", now=NOW)] == ["Kylmä aula"]
        assert said.published(session, 999, "fi", now=NOW) == []
        with pytest.raises(Refused) as refused:
            said.save(session, alice, Where(UNIT, 1), None, {"said_fi": "Vain puolet"}, now=NOW)
        assert set(refused.value.faults) == {"did_fi"}
        log = session.exec(select(AuditEntry).where(col(AuditEntry.action).contains("said and did"))).all()
        assert json.dumps([one.after for one in log]).count("Kylm") == 0


def test_of_a_removed_place_nothing_is_left_for_the_next_one_with_its_number(
    shared_database: Database, alice: Person
) -> None:
    with shared_database.write() as session:
        place = Place(id=77, unit_id=1, name="Short-lived", created_at=NOW)
        session.add(place)
        session.flush()
        where = Where(PLACE, 77)
        note = said.save(session, alice, where, None, {"said_fi": "a", "did_fi": "b"}, now=NOW)
        said.publish(session, alice, note, now=NOW)
        places.delete_place(session, alice, place, now=NOW)
        assert said.of_subject(session, where) == []


def test_texts_that_were_released_before_are_looked_over_when_the_server_is_updated(
    database: Database,
) -> None:
    furnish(database)
    written(database, "Jonotin tunnin", "Kiitos Matille", "a", "b", "c")
    command.downgrade(alembic_config(database), "0007")
    migrate(database)
    with database.read() as session:
        rows = {row.text: row for row in session.exec(select(ReleasedText))}
        assert {text for text, row in rows.items() if row.may_name} == {"Kiitos Matille"}
        assert {(row.place_id, row.filtered) for row in rows.values()} == {(1, False)}
        assert {row.day for row in rows.values()} == set(session.exec(select(Block.day)))
        waiting = themes.all_themes(session)[0]
        assert words_of(found(session, theme=waiting.id)) == {"Jonotin tunnin"}
