"""`check` names exactly what was changed behind the records' back, and `repair` brings back exactly what was there."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from fleet_server.accounts.models import AuditEntry
from fleet_server.answers import check
from fleet_server.answers.models import Record
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.link.collector import Collector
from tests import evidence
from tests.fleet_server.faults import story

IDS = ("checked0000a", "checked0000b", "checked0000c")
A, B, C = IDS
TEST = "tests/fleet_server/answers/test_check.py"


@pytest.fixture(scope="module")
def told(shared_database: Database) -> Database:
    """The story of three kiosks, booked."""
    with shared_database.write() as session:
        story.devices(session, IDS)
    collector = Collector(shared_database, lambda *_: None, Changes(), clock=lambda: story.NOW)
    for mails in story.told(IDS):
        collector.process([mail.incoming for mail in mails])
    return shared_database


class _Undo(Exception):
    pass


@pytest.fixture
def session(told: Database) -> Iterator[Session]:
    """A transaction of which nothing stays."""
    try:
        with told.write() as session:
            yield session
            raise _Undo
    except _Undo:
        pass


def of_epoch(table: str, change: str, more: str = "") -> str:
    return f"UPDATE {table} SET {change} WHERE device_id = '{A}' AND epoch = {story.A1}{more}"


def gone(table: str, more: str, device: str = A, epoch: int = story.A1) -> str:
    return f"DELETE FROM {table} WHERE device_id = '{device}' AND epoch = {epoch}{more}"


SUMS, LEDGER = "sums of epoch 000000a1: ", "ledger of epoch 000000a1: "
RUN, ANCHOR, RECORD = (f"{what} of epoch 000000a1, " for what in ("run", "anchor", "record"))
COUNT = "count of place_id 0, grain unknown, start_at 0: "
NEW_RUN = "INSERT INTO clock_run (device_id, epoch, boot, first_seq, last_seq, last_uptime) VALUES"

DAMAGE = [
    (of_epoch("journal_epoch", "received_answers = 3"), SUMS + "received_answers is kept as 3"),
    (of_epoch("journal_epoch", "counted_answers = counted_answers + 1"), SUMS + "counted_answers"),
    (of_epoch("journal_epoch", "filtered_answers = 0"), SUMS + "filtered_answers is kept as 0"),
    (of_epoch("journal_epoch", "refused_presses = 9"), SUMS + "refused_presses is kept as 9"),
    (of_epoch("journal_epoch", "through = 4"), SUMS + "through is kept as 4, records say 19"),
    (of_epoch("journal_epoch", "through = 40"), SUMS + "through is kept as 40, records say 19"),
    (of_epoch("journal_epoch", "last_boot = 1"), SUMS + "last_boot is kept as 1, records say 3"),
    (of_epoch("journal_epoch", "next = 7, header_next = 7"), SUMS + "next is kept as 7, records say 19"),
    (of_epoch("ledger_range", "state = 'lost'", " AND start = 0"),
     LEDGER + "seqs [0, 8) are kept as lost, records say received"),
    (of_epoch("ledger_range", "stop = 12", " AND start = 0"), LEDGER),
    (of_epoch("ledger_range", "state = 'broken'", " AND start = 0"), LEDGER + "seqs [0, 8) are kept as waiting"),
    (gone("ledger_range", " AND start = 0"), LEDGER + "seqs [0, 8) are kept as waiting"),
    (of_epoch("clock_run", "first_seq = 1", " AND boot = 1"), RUN + "boot 1: first_seq is kept as 1"),
    (of_epoch("clock_run", "last_seq = 99", " AND boot = 1"), RUN + "boot 1: last_seq is kept as 99"),
    (of_epoch("clock_run", "last_uptime = 1", " AND boot = 1"), RUN + "boot 1: last_uptime is kept as 1"),
    (of_epoch("clock_run", "anchor_utc_ms = 5", " AND boot = 1"), RUN + "boot 1: anchor_utc_ms"),
    (of_epoch("clock_run", "began_before = 5", " AND boot = 3"), RUN + "boot 3: began_before"),
    (of_epoch("clock_run", "ended_after = NULL", " AND boot = 1"), RUN + "boot 1: ended_after"),
    (of_epoch("clock_run", "from_at = NULL, to_at = NULL", " AND boot = 2"), RUN + "boot 2: from_at"),
    (gone("clock_run", " AND boot = 2"), RUN + "boot 2: is missing"),
    (f"{NEW_RUN} ('{A}', 161, 9, 0, 1, 2)",
     RUN + "boot 9: is kept, but no record gives rise to it"),
    (of_epoch("clock_anchor", "uncertainty_ms = 1", " AND boot = 1"), ANCHOR + "boot 1, seq 4: uncertainty_ms"),
    (gone("clock_anchor", " AND boot = 1"), ANCHOR + "boot 1, seq 4: is missing"),
    (of_epoch("record", "place_id = 3", " AND seq = 1"), RECORD + "seq 1: place_id is kept as 3, records say 1"),
    (of_epoch("record", "from_at = from_at + 1", " AND seq = 1"), RECORD + "seq 1: from_at"),
    (of_epoch("record", "grain = 'day'", " AND seq = 2"), RECORD + "seq 2: grain is kept as day, records say hour"),
    (of_epoch("record", "filtered = NULL", " AND seq = 6"),
     RECORD + "seq 6: filtered is kept as None, records say corrected"),
    (of_epoch("record", "filtered = 'corrected'", " AND seq = 1"),
     RECORD + "seq 1: filtered is kept as corrected, records say None"),
    (f"UPDATE press_count SET counted = counted + 1 WHERE device_id = '{C}'", COUNT + "counted"),
    (f"UPDATE press_count SET simulated = 7 WHERE device_id = '{C}'", COUNT + "simulated"),
    (f"UPDATE press_count SET place_id = 3 WHERE device_id = '{A}' AND place_id = 1", None),
    (f"DELETE FROM press_count WHERE device_id = '{C}'", COUNT + "is missing"),
    (f"INSERT INTO press_count VALUES (3, '{A}', 'hour', 0, 1, 0, 0)",
     "count of place_id 3, grain hour, start_at 0: is kept, but no record gives rise to it"),
]  # fmt: skip


def test_the_story_leaves_nothing_to_find(session: Session) -> None:
    assert [fault for device_id in IDS for fault in check.faults(session, device_id)] == []


@pytest.mark.parametrize(("damage", "said"), DAMAGE)
def test_each_kind_of_damage_is_named_and_repaired(session: Session, damage: str, said: str | None) -> None:
    before = story.contents(session, IDS)
    assert session.connection().execute(text(damage)).rowcount >= 1
    assert story.contents(session, IDS) != before
    found = [fault for device_id in IDS for fault in check.faults(session, device_id)]
    if said is not None:
        assert len(found) == 1, found
        assert said in found[0]
    assert found
    repaired = [one for device_id in IDS for one in check.repair(session, device_id, now=story.NOW)]
    assert [str(one) for one in repaired] == found
    assert all(one.changes for one in repaired)
    after = story.contents(session, IDS)
    if "header_next" in damage:
        after["journal_epoch"] = before["journal_epoch"]  # the header comes with the next message
    assert after == before
    assert [fault for device_id in IDS for fault in check.faults(session, device_id)] == []
    newest = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
    assert newest is not None
    assert (newest.actor, newest.action, newest.at) == ("fleet", "repair books", story.NOW)
    evidence.note(
        "what is kept beside the answers is changed by hand", 1, "kinds of damage",
        f"{TEST}::test_each_kind_of_damage_is_named_and_repaired", "named and repaired, the same rows",
    )  # fmt: skip


def test_a_seq_of_which_no_record_is_left_waits_for_the_kiosk(session: Session) -> None:
    session.connection().execute(text(of_epoch("ledger_range", "state = 'received'", " AND start = 8")))
    ledger, sums = check.faults(session, A)
    assert (
        f"{LEDGER}seqs [8, 9) are kept as received, records say waiting (the record itself is gone" in ledger
    )
    assert f"{SUMS}through is kept as 19, records say 8" in sums
    assert len(list(check.repair(session, A, now=1))) == 2
    assert check.faults(session, A) == []


def test_an_epoch_that_is_missing_is_made_again(session: Session) -> None:
    session.connection().execute(text(gone("journal_epoch", "")))
    found = check.faults(session, A)
    assert found == [f"{A}: sums of epoch 000000a1: is missing"]
    assert [str(one) for one in check.repair(session, A, now=1)] == found
    assert check.faults(session, A) == []


def test_an_answer_that_is_gone_or_altered_is_named_and_not_invented(session: Session) -> None:
    run = session.connection().execute
    run(text(gone("record", " AND seq = 3")))
    found = "\n".join(check.faults(session, A))
    assert LEDGER + "seqs [3, 4) are kept as received, records say waiting (the record itself" in found
    assert "received_answers is kept as" in found
    list(check.repair(session, A, now=1))
    assert check.faults(session, A) == [], "it waits for the kiosk"
    run(text(of_epoch("record", "value = 1", " AND seq = 1")))
    found = check.faults(session, A)
    assert found == [
        f"{A}: record of epoch 000000a1, seq 1: its fields do not have the kiosk's checksum any more; "
        "what it said is not known"
    ]
    (left,) = check.repair(session, A, now=1)
    assert left.changes == ()
    assert check.faults(session, A) == found, "nobody can repair it"


def test_a_rule_of_another_name_is_left_to_itself(session: Session) -> None:
    run = session.connection().execute
    run(text(of_epoch("record", "filtered = 'same again'", " AND seq = 1")))
    found = check.faults(session, A)
    assert [line.split(":")[1].split()[0] for line in found] == ["sums", "count", "filtered"]
    list(check.repair(session, A, now=1))
    assert check.faults(session, A) == []
    kept = select(Record.filtered).where(Record.device_id == A, Record.epoch == story.A1, Record.seq == 1)
    assert session.exec(kept).one() == "same again"


def test_an_unknown_device_is_named(session: Session) -> None:
    with pytest.raises(ValueError, match="device 'nobody' is not registered"):
        check.faults(session, "nobody")
