"""Presses outside opening hours: what is filtered, hours that change, and rules that are run later."""

import pytest
from sqlmodel import select

from fleet_server.accounts.models import AuditEntry
from fleet_server.answers import rerun, runs
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.jobs import Jobs
from fleet_server.places.models import Installation
from fleet_server.places.opening import SETTLED_MS, pending_places
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.judged import LATER, filtered, keep_hours, send, stand_at_a_new_place
from tests.fleet_server.answers.messages import clock, press


def an_hours_day(database: Database, device: str, uncertainty_ms: int = 50) -> list[int]:
    """A clock at Monday ten, and a press a minute after each quarter of an hour until 18; their minutes since ten."""
    minutes = list(range(1, 8 * 60, 15))
    presses = [press(seq, uptime=600 * at) for seq, at in enumerate(minutes, 1)]
    send(database, device, clock(0, MONDAY_10, 0, uncertainty_ms), *presses)
    return minutes


def test_presses_well_outside_opening_hours_are_filtered(shared_database: Database, device: str) -> None:
    place = stand_at_a_new_place(shared_database, device)
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, 0, mon="11.00-16.00")
    minutes = an_hours_day(shared_database, device)
    outside = {seq for seq, at in enumerate(minutes, 1) if not 30 <= at <= 6 * 60 + 30}
    assert filtered(shared_database, device) == dict.fromkeys(outside, "hours")


def test_a_press_that_may_lie_within_counts(shared_database: Database, device: str) -> None:
    place = stand_at_a_new_place(shared_database, device)
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, 0, mon="11.00-16.00")
    an_hours_day(shared_database, device, uncertainty_ms=8 * HOUR_MS)
    assert filtered(shared_database, device) == {}


def test_without_a_clock_nothing_is_outside_until_the_time_is_learned(
    shared_database: Database, device: str
) -> None:
    place = stand_at_a_new_place(shared_database, device)
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, 0, tue="8.00-16.00")
    send(shared_database, device, press(0))
    assert filtered(shared_database, device) == {}
    send(shared_database, device, clock(1, MONDAY_10 + HOUR_MS, 10))
    assert filtered(shared_database, device) == {0: "hours"}


def test_other_hours_hold_from_their_date_on(shared_database: Database, device: str) -> None:
    place = stand_at_a_new_place(shared_database, device)
    midnight = MONDAY_10 - 10 * HOUR_MS
    keep_hours(shared_database, place, midnight, 0, tue="8.00-16.00", mon="8.00-16.00")
    keep_hours(shared_database, place, midnight + DAY_MS, 0, mon="8.00-16.00")
    send(shared_database, device, clock(0, MONDAY_10, 0), press(1, uptime=10), press(2, uptime=864_000))
    assert filtered(shared_database, device) == {2: "hours"}


def test_hours_changed_into_the_past_are_run_over_what_was_booked(
    shared_database: Database, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = stand_at_a_new_place(shared_database, device)
    an_hours_day(shared_database, device)
    assert filtered(shared_database, device) == {}
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, LATER, mon="10.30-12.00")
    assert filtered(shared_database, device) == {}
    monkeypatch.setattr(rerun, "STEP_SEQS", 7)
    Jobs(shared_database, Changes()).look(LATER)
    assert filtered(shared_database, device) == {}, (
        "a booking that began before the change may still be under way"
    )
    Jobs(shared_database, Changes()).look(LATER + SETTLED_MS)
    assert set(filtered(shared_database, device)) == {seq for seq in range(1, 33) if 15 * (seq - 1) + 1 > 150}
    with shared_database.read() as session:
        assert not pending_places(session, now=LATER + HOUR_MS)


def test_hours_that_change_while_they_are_applied_are_applied_once_more(
    shared_database: Database, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There and back: what was judged in between must not stay so."""
    place = stand_at_a_new_place(shared_database, device)
    an_hours_day(shared_database, device)
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, LATER, mon="10.30-12.00")
    monkeypatch.setattr(rerun, "STEP_SEQS", 7)
    texts = iter(("8.00-9.00", "10.30-12.00"))

    def meanwhile(_done: int, _runs: int, _step: rerun.Step) -> None:
        if (text := next(texts, None)) is not None:
            keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, LATER + SETTLED_MS + 1, mon=text)

    rerun.rerun(shared_database, actor="test", now=LATER + SETTLED_MS, place_id=place, progress=meanwhile)
    with shared_database.read() as session:
        assert pending_places(session, now=LATER + HOUR_MS) == [place]
    Jobs(shared_database, Changes()).look(LATER + HOUR_MS)
    assert set(filtered(shared_database, device)) == {seq for seq in range(1, 33) if 15 * (seq - 1) + 1 > 150}


def test_new_hours_leave_older_presses_to_the_rules_that_decided_on_them(
    shared_database: Database, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = stand_at_a_new_place(shared_database, device)
    with monkeypatch.context() as before_there_were_rules:
        before_there_were_rules.setattr(runs, "CURRENT", 0)
        send(
            shared_database, device, clock(0, MONDAY_10, 0), *(press(seq, uptime=seq) for seq in range(1, 20))
        )
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, LATER, mon="8.00-20.00")
    Jobs(shared_database, Changes()).look(LATER + SETTLED_MS)
    assert filtered(shared_database, device) == {}


def test_rules_that_were_cut_off_are_known_to_be_so(
    shared_database: Database, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before_there_were_rules:
        before_there_were_rules.setattr(runs, "CURRENT", 0)
        send(shared_database, device, *(press(seq, uptime=10 * seq) for seq in range(19)))
    monkeypatch.setattr(rerun, "STEP_SEQS", 5)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rerun.rerun(shared_database, actor="test", now=LATER, device_id=device, progress=cut)
    with shared_database.read() as session:
        assert rerun.outdated(session, [device]) == 1
    rerun.rerun(shared_database, actor="test", now=LATER, device_id=device)
    other = new_device(shared_database)
    send(shared_database, other, *(press(seq, uptime=10 * seq) for seq in range(19)))
    assert filtered(shared_database, device) == filtered(shared_database, other) != {}
    with shared_database.read() as session:
        assert rerun.outdated(session, [device]) == 0


def test_the_writer_is_free_between_the_steps(shared_database: Database, device: str) -> None:
    send(shared_database, device, *(press(seq, uptime=300 * seq) for seq in range(5)))
    pauses: list[float] = []
    rerun.rerun(shared_database, actor="test", now=LATER, device_id=device, pause=pauses.append)
    assert pauses
    assert min(pauses) >= rerun.LEAST_PAUSE_S


def test_a_job_that_cannot_be_done_ends_no_other(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[int] = []

    def look(self: Jobs, now: int) -> None:
        looks.append(now)
        if len(looks) > 1:
            self._ending.set()
        raise ValueError("place 77 does not exist")

    monkeypatch.setattr(Jobs, "look", look)
    monkeypatch.setattr("fleet_server.jobs.LOOK_S", 0.0)
    jobs = Jobs(shared_database, Changes())
    jobs.start()
    jobs._thread.join(10)
    assert len(looks) == 2
    assert "place 77 does not exist" in caplog.text


def test_rules_run_later_end_as_if_they_had_held_from_the_start(
    shared_database: Database, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small steps, with presses that come while they run."""
    records = [press(seq, uptime=30 * seq, value=4 + seq % 3 // 2) for seq in range(40)]
    with monkeypatch.context() as before_there_were_rules:
        before_there_were_rules.setattr(runs, "CURRENT", 0)
        send(shared_database, device, *records[:10], *records[11:30])
    assert filtered(shared_database, device) == {}
    monkeypatch.setattr(rerun, "STEP_SEQS", 4)
    late = iter([records[10], *records[30:]])

    def meanwhile(_done: int, _runs: int, _step: rerun.Step) -> None:
        if (record := next(late, None)) is not None:
            send(shared_database, device, record, start=record.seq)

    done = rerun.rerun(shared_database, actor="test", now=LATER, device_id=device, progress=meanwhile)
    for record in late:
        send(shared_database, device, record, start=record.seq)
    other = new_device(shared_database)
    send(shared_database, other, *records)
    assert filtered(shared_database, device) == filtered(shared_database, other) != {}
    assert done.filtered > 0
    with shared_database.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.object_id == device)).all()
        assert [entry.action for entry in entries] == ["start rerun of rules", "finish rerun of rules"]
    again = rerun.rerun(shared_database, actor="test", now=LATER, device_id=device)
    assert (again.filtered, again.restored) == (0, 0)


def test_a_move_finds_the_hours_of_the_place_where_it_was(shared_database: Database, device: str) -> None:
    place = stand_at_a_new_place(shared_database, device)
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, 0, mon="8.00-9.00")
    send(shared_database, device, clock(0, MONDAY_10 + MINUTE_MS, 0), press(1, uptime=10))
    assert filtered(shared_database, device) == {1: "hours"}
    from fleet_server.answers.moves import reinstalled

    with shared_database.write() as session:
        (stay,) = session.exec(select(Installation).where(Installation.device_id == device))
        stay.place_id = 1
        session.flush()
        reinstalled(session, device, since=MONDAY_10, now=LATER)
    assert filtered(shared_database, device) == {}
