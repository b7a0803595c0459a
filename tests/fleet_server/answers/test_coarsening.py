"""After two weeks only the hour of a press is known, and the books say what they said before."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from fleet_server.answers import check, coarsening, rerun
from fleet_server.answers.book import Booking, book
from fleet_server.answers.fingerprints import COARSE, Fingerprints, kept_secret
from fleet_server.answers.models import ClockAnchor, ClockRun, JournalEpoch, PressCount, Record
from fleet_server.changes import Changes
from fleet_server.db import FINGERPRINTS, Database
from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.jobs import Jobs
from fleet_server.link.collector import Collector
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.messages import Msg, batch, boot, clock, press
from tests.fleet_server.faults import story

LATER = story.NOW + coarsening.KEPT_MS + HOUR_MS
HOUR = 36_000  # in tenths of a second
_numbers = iter(range(1_000))


@pytest.fixture(params=[b"k" * 32, b""], ids=["with secret", "without"])
def secret(
    request: pytest.FixtureRequest, shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> bytes:
    monkeypatch.setitem(shared_database._info, FINGERPRINTS, request.param)
    return request.param


def kiosks(database: Database) -> tuple[str, ...]:
    number = next(_numbers)
    ids = tuple(f"coarse{number:05d}{letter}" for letter in "abc")
    with database.write() as session:
        story.devices(session, ids)
    return ids


def tell(database: Database, mails: list[list[story.Mail]], now: int) -> None:
    collector = Collector(database, lambda *_: None, Changes(), clock=lambda: now)
    for together in mails:
        collector.process([mail.incoming for mail in together])


def coarsen(database: Database, now: int = LATER, ids: tuple[str, ...] = ()) -> int:
    """Takes step after step; after each one the books of `ids` balance. Returns how many records lost their times."""
    records, more = 0, True
    while more:
        with database.write() as session:
            done = coarsening.step(session, now=now)
        records, more = records + done.records, done.more
        with database.read() as session:
            assert [check.faults(session, device_id) for device_id in ids] == [[] for _ in ids]
    return records


def rows(database: Database, model: Any, device_id: str) -> list[Any]:
    with database.read() as session:
        return list(session.exec(select(model).where(model.device_id == device_id)))


def counts(database: Database, device_id: str) -> dict[tuple[int, str, int], tuple[int, int]]:
    return {
        (row.place_id, row.grain, row.start_at): (row.counted, row.filtered)
        for row in rows(database, PressCount, device_id)
        if row.counted or row.filtered
    }


def send(database: Database, device_id: str, message: Msg, now: int) -> Booking:
    with database.write() as session:
        return book(session, device_id, message.encode(), source="mqtt", now=now)


def test_no_count_changes_and_no_time_is_left_finer_than_its_hour(shared_database: Database) -> None:
    ids = kiosks(shared_database)
    tell(shared_database, story.told(ids), story.NOW)
    before = [counts(shared_database, one) for one in ids]
    assert coarsen(shared_database, story.NOW + coarsening.KEPT_MS - 1, ids) == 0
    assert coarsen(shared_database, LATER, ids) == sum(len(rows(shared_database, Record, one)) for one in ids)
    assert [counts(shared_database, one) for one in ids] == before
    pressed = {MONDAY_10 + HOUR_MS, story.NOW, story.NOW + 5 * HOUR_MS}
    for one in ids:
        for row in rows(shared_database, Record, one):
            assert row.crc >= COARSE
            assert row.received_at % HOUR_MS == 0
            assert row.kind == 3 or row.uptime % HOUR == 0
            if row.from_at is not None:
                assert (row.from_at % HOUR_MS, (row.to_at + 1) % HOUR_MS) == (0, 0)
        for anchor in rows(shared_database, ClockAnchor, one):
            assert anchor.utc_ms not in pressed
        for run in rows(shared_database, ClockRun, one):
            assert (run.press_uptime or 0) % HOUR == 0
    assert coarsen(shared_database, LATER, ids) == 0


@pytest.mark.parametrize("cut", range(1, 6))
def test_what_comes_late_is_booked_as_ever_and_coarsened_in_its_time(
    shared_database: Database, secret: bytes, cut: int
) -> None:
    ids = kiosks(shared_database)
    mails = story.told(ids)
    tell(shared_database, mails[:cut], story.NOW)
    coarsen(shared_database, LATER, ids)
    tell(shared_database, mails[cut:], LATER)
    tell(shared_database, mails, LATER)  # all of it again
    coarsen(shared_database, LATER + coarsening.KEPT_MS + HOUR_MS, ids)
    twins = kiosks(shared_database)
    tell(shared_database, story.told(twins) * 2, story.NOW)
    for one, twin in zip(ids, twins, strict=True):
        there = {(row.epoch, row.seq) for row in rows(shared_database, Record, one)}
        assert there == {(row.epoch, row.seq) for row in rows(shared_database, Record, twin)}
        mine, theirs = (
            {
                row.epoch: (row.received_answers, row.through, row.next, row.refused_presses)
                for row in rows(shared_database, JournalEpoch, device_id)
            }
            for device_id in (one, twin)
        )
        assert mine == theirs
        assert all(row.crc >= COARSE for row in rows(shared_database, Record, one))


def test_a_repetition_is_told_from_a_fork_as_long_as_the_secret_is_there(
    shared_database: Database, secret: bytes
) -> None:
    device = new_device(shared_database)
    message = batch(1, boot(0), clock(1, MONDAY_10, 0), press(2), press(3))
    send(shared_database, device, message, MONDAY_10)
    coarsen(shared_database)
    again = send(shared_database, device, message, LATER)
    assert (again.duplicates, again.fork, again.counted) == (4, False, 0)
    other = replace(message, records=(*message.records[:3], press(3, value=1)))
    assert send(shared_database, device, other, LATER).fork is bool(secret)


def test_later_presses_of_the_run_lie_to_the_millisecond_where_they_would_have_lain(
    shared_database: Database,
) -> None:
    """Their clock record was written with a press and is not where it was."""
    coarse, exact = new_device(shared_database), new_device(shared_database)
    first = batch(
        1, boot(0), clock(1, MONDAY_10 + 1_234, 77, 321), press(2, uptime=80), press(3, uptime=HOUR + 5)
    )
    days = range(20, 60)
    later = batch(1, *(press(seq, uptime=day * 24 * HOUR + 777 * seq) for seq, day in enumerate(days, 4)))
    soon = batch(1, press(4 + len(days), uptime=HOUR - 50), press(5 + len(days), uptime=95))
    for device in (coarse, exact):
        send(shared_database, device, first, MONDAY_10)
        if device == coarse:
            assert coarsen(shared_database, ids=(coarse,)) >= 4
        send(shared_database, device, later, LATER + 60 * DAY_MS)
        send(shared_database, device, soon, LATER + 60 * DAY_MS)  # came late; of the hour of the clock record
    mine, theirs = (
        {row.seq: (row.from_at, row.to_at, row.grain) for row in rows(shared_database, Record, device)}
        for device in (coarse, exact)
    )
    assert all(mine[seq] == theirs[seq] for seq in range(4, 4 + len(days)))
    for seq in (4 + len(days), 5 + len(days)):  # by less than a second wider, never narrower
        assert theirs[seq][0] - 1_000 < mine[seq][0] <= theirs[seq][0]
        assert theirs[seq][1] + 1_000 > mine[seq][1] >= theirs[seq][1]
    assert coarsen(shared_database, LATER + 90 * DAY_MS, ids=(coarse,)) > 0


def test_newer_rules_leave_alone_what_is_coarse(shared_database: Database) -> None:
    """All presses of an hour have one time now, and would be repeats of each other."""
    device = new_device(shared_database)
    message = batch(1, boot(0), clock(1, MONDAY_10, 0), *(press(seq) for seq in range(2, 90)))
    send(shared_database, device, message, MONDAY_10)
    before = counts(shared_database, device)
    coarsen(shared_database, ids=(device,))
    with shared_database.write() as session:
        rerun.judge_again(session, (device, 1, 1), 0, now=LATER)
    assert counts(shared_database, device) == before
    send(shared_database, device, batch(1, press(90), press(91, uptime=300 * 90 + 20)), LATER)
    assert sum(filtered for _, filtered in counts(shared_database, device).values()) == 1
    with shared_database.read() as session:
        assert check.faults(session, device) == []


def test_what_is_sent_late_into_a_gap_is_coarsened_in_its_time(shared_database: Database) -> None:
    device = new_device(shared_database)
    send(shared_database, device, batch(1, press(4), press(5)), MONDAY_10)
    coarsen(shared_database, ids=(device,))
    send(shared_database, device, batch(1, boot(0), clock(1, MONDAY_10, 0), press(2), press(3)), LATER)
    coarsen(shared_database, LATER + coarsening.KEPT_MS + HOUR_MS, ids=(device,))
    assert all(row.crc >= COARSE for row in rows(shared_database, Record, device))


def test_a_coarse_run_did_not_begin_earlier_or_end_later(shared_database: Database) -> None:
    """Its bounds are those of runs beside it that met no clock."""
    device = new_device(shared_database)
    send(shared_database, device, batch(1, boot(0), clock(1, MONDAY_10, 50), press(2, uptime=90)), MONDAY_10)
    (before,) = rows(shared_database, ClockRun, device)
    coarsen(shared_database, ids=(device,))
    (after,) = rows(shared_database, ClockRun, device)
    assert before.began_before <= after.began_before < before.began_before + HOUR_MS
    assert before.ended_after - HOUR_MS < after.ended_after <= before.ended_after


def test_an_old_answer_that_its_visitor_takes_back_late_is_taken_back(shared_database: Database) -> None:
    device = new_device(shared_database)
    send(shared_database, device, batch(1, boot(0), clock(1, MONDAY_10, 0), press(2), next=4), MONDAY_10)
    coarsen(shared_database, ids=(device,))
    late = send(shared_database, device, batch(1, press(3, session=1, uptime=640, value=1)), LATER)
    assert (late.counted, late.filtered) == (1, 0)
    assert sorted(counts(shared_database, device).values()) == [(1, 1)]
    with shared_database.read() as session:
        assert check.faults(session, device) == []


def test_the_secret_is_made_once_and_another_one_is_not_taken_for_it(tmp_path: Any) -> None:
    path = tmp_path / "fingerprints.key"
    secret = kept_secret(path)
    assert kept_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    ours, others = Fingerprints(secret), Fingerprints(b"x" * 32)
    kept = ours.of(0x12345678, "kiosk", 1, 2)
    assert ours.alike(kept, 0x12345678, "kiosk", 1, 2)
    assert not ours.alike(kept, 0x12345679, "kiosk", 1, 2)
    assert not ours.alike(kept, 0x12345678, "kiosk", 1, 3)
    assert others.alike(kept, 0x12345679, "kiosk", 1, 2)  # it cannot know
    assert ours.of(kept, "kiosk", 1, 2) == kept
    assert kept < 1 << 63
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="has 5 bytes"):
        kept_secret(path)


def test_a_step_takes_only_so_many_and_the_next_goes_on(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coarsening, "STEP_RECORDS", 3)
    ids = kiosks(shared_database)
    tell(shared_database, story.told(ids), story.NOW)
    before = [counts(shared_database, one) for one in ids]
    assert coarsen(shared_database, LATER, ids) > 30
    assert [counts(shared_database, one) for one in ids] == before


def test_the_server_does_it_by_itself(shared_database: Database) -> None:
    device = new_device(shared_database)
    send(shared_database, device, batch(1, boot(0), clock(1, MONDAY_10, 0), press(2)), MONDAY_10)
    Jobs(shared_database, Changes()).look(LATER)
    assert all(row.crc >= COARSE for row in rows(shared_database, Record, device))


def test_the_search_for_old_records_reads_no_table_of_records(database: Database) -> None:
    with database.read() as session:
        statement = str(
            coarsening._next_epoch(0).compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        )
        plan = [row.detail for row in session.connection().execute(text(f"EXPLAIN QUERY PLAN {statement}"))]
    assert any("record USING PRIMARY KEY" in line for line in plan), plan
    assert not any(line.startswith("SCAN record") for line in plan), plan
