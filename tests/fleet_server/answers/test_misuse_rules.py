"""Misuse is filtered, never deleted: what each rule leaves out, what it leaves in, and that order makes no difference.

That any history of any kiosk ends as the plain model says is in test_booking_property.py.
"""

import itertools
import random

import pytest
from sqlmodel import select

from fleet_server.accounts.models import AuditEntry
from fleet_server.answers import check, rerun, runs
from fleet_server.answers.book import book
from fleet_server.answers.models import FilterCount, JournalEpoch, Record
from fleet_server.answers.rules import CURRENT, VERSIONS
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.jobs import Jobs
from fleet_server.places import opening
from fleet_server.places.hours import read_week
from fleet_server.places.models import Installation, Place
from fleet_server.places.opening import SETTLED_MS, pending_places
from tests import effort, evidence
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.messages import Rec, batch, clock, press

EPOCH = 3
RULES = VERSIONS[CURRENT]
LATER = MONDAY_10 + 3 * DAY_MS
_places = itertools.count(100)


def send(database: Database, device: str, *records: Rec, start: int | None = None) -> None:
    message = batch(EPOCH, *records, start=start, next=1_000, pressed=1_000)
    with database.write() as session:
        assert book(session, device, message.encode(), source="mqtt", now=LATER).receipt is not None


def filtered(database: Database, device: str) -> dict[int, str]:
    """{seq: rule} as the records say, after making sure that counts and sums say the same."""
    with database.read() as session:
        faults = check.faults(session, device)
        assert faults == []
        rows = session.exec(select(Record).where(Record.device_id == device)).all()
        found = {row.seq: row.filtered for row in rows if row.filtered is not None}
        by_rule = session.exec(select(FilterCount).where(FilterCount.device_id == device)).all()
        epoch = session.get_one(JournalEpoch, (device, EPOCH))
        assert sum(row.answers for row in by_rule) == epoch.filtered_answers == len(found)
        return found


def at_seconds(*seconds: float, value: int = 5) -> list[Rec]:
    return [press(seq, uptime=round(10 * at), value=value) for seq, at in enumerate(seconds)]


def test_the_same_face_within_five_seconds_is_filtered_another_face_and_a_later_press_count(
    shared_database: Database, device: str
) -> None:
    first, second, third = at_seconds(0, 5, 10.1)
    other = press(3, uptime=120, value=4)
    again = press(4, uptime=140, value=5)
    send(shared_database, device, first, second, third, other, again)
    assert filtered(shared_database, device) == {1: "repeat"}


def test_of_a_long_row_of_quick_presses_the_first_six_count(shared_database: Database, device: str) -> None:
    row = [press(seq, uptime=30 * seq, value=1 + seq % 2) for seq in range(9)]
    after = press(9, uptime=30 * 8 + 201, value=1)
    send(shared_database, device, *row, after)
    assert filtered(shared_database, device) == {6: "burst", 7: "burst", 8: "burst"}


def test_six_presses_within_twenty_seconds_are_no_burst(shared_database: Database, device: str) -> None:
    quick = [press(seq, uptime=40 * seq, value=1 + seq % 2) for seq in range(6)]
    send(shared_database, device, *quick, press(6, uptime=201, value=1))
    assert filtered(shared_database, device) == {}


@pytest.mark.parametrize("more", [{"flags": 2}, {"body": b"good", "question": 1, "value": 0}])
def test_what_shows_no_face_repeats_nothing(shared_database: Database, device: str, more: dict) -> None:
    send(shared_database, device, *(press(seq, uptime=20 * seq, **more) for seq in range(3)))
    assert filtered(shared_database, device) == {}


def test_a_visit_is_judged_by_its_first_answer_and_goes_as_a_whole(
    shared_database: Database, device: str
) -> None:
    visits = [
        Rec(4 * number + step, uptime=30 * number + step, session=step, set_number=98, question=step)
        for number in range(2)
        for step in range(4)
    ]
    send(shared_database, device, *visits)
    assert filtered(shared_database, device) == dict.fromkeys(range(4, 8), "repeat")


def test_a_corrected_answer_stays_corrected(shared_database: Database, device: str) -> None:
    begun = [Rec(seq, uptime=10 * seq, session=0, set_number=98) for seq in range(2)]
    corrected = Rec(2, uptime=12, session=1, set_number=98, value=1)
    send(shared_database, device, *begun)
    assert filtered(shared_database, device) == {1: "repeat"}
    send(shared_database, device, corrected)
    assert filtered(shared_database, device) == {1: "corrected", 2: "repeat"}


def test_a_press_that_was_lost_and_comes_late_is_judged_with_its_neighbours(
    shared_database: Database, device: str
) -> None:
    records = at_seconds(0, 4, 8)
    send(shared_database, device, records[0], records[2])
    assert filtered(shared_database, device) == {}
    send(shared_database, device, records[1], start=1)
    assert filtered(shared_database, device) == {1: "repeat", 2: "repeat"}


def test_a_press_between_two_faces_takes_a_repeat_back(shared_database: Database, device: str) -> None:
    send(shared_database, device, press(0, uptime=0), press(2, uptime=40))
    assert filtered(shared_database, device) == {2: "repeat"}
    send(shared_database, device, press(1, uptime=20, value=1), start=1)
    assert filtered(shared_database, device) == {}


def test_the_press_before_is_found_however_many_other_records_lie_between(
    shared_database: Database, device: str
) -> None:
    of_no_visit = [Rec(seq, uptime=5, session=255) for seq in range(1, 300)]
    send(shared_database, device, press(0, uptime=0))
    for first in range(0, 299, 100):
        send(shared_database, device, *of_no_visit[first : first + 100])
    send(shared_database, device, press(300, uptime=40))
    assert filtered(shared_database, device) == {300: "repeat"}


def test_a_later_answer_of_a_filtered_visit_comes_with_the_next_press(
    shared_database: Database, device: str
) -> None:
    send(shared_database, device, press(0, uptime=0), press(1, uptime=20))
    send(
        shared_database, device, Rec(2, uptime=30, session=1, set_number=98, question=1), press(3, uptime=900)
    )
    assert filtered(shared_database, device) == {1: "repeat", 2: "repeat"}


def test_clock_runs_do_not_mix(shared_database: Database, device: str) -> None:
    send(shared_database, device, press(0, uptime=0))
    send(shared_database, device, press(1, uptime=10, value=1, boot=2))
    send(shared_database, device, press(2, uptime=20))
    assert filtered(shared_database, device) == {2: "repeat"}


def test_a_counter_that_went_back_says_nothing_of_gaps(shared_database: Database, device: str) -> None:
    send(shared_database, device, press(0, uptime=100), press(1, uptime=80), press(2, uptime=300))
    assert filtered(shared_database, device) == {}


@pytest.mark.scales
@pytest.mark.parametrize("seed", effort.seeds(effort.pick(test=10, full=200, torture=3_000)))
def test_every_order_of_arrival_ends_alike(shared_database: Database, seed: int) -> None:
    dice = random.Random(seed)
    uptimes = list(itertools.accumulate(dice.choice((5, 20, 31, 50, 51, 150, 400)) for _ in range(30)))
    records = [
        Rec(seq, uptime=at, session=dice.choice((0, 0, 0, 1, 2)) if seq > 2 else 0, set_number=98,
            question=dice.randrange(2), value=dice.choice((4, 5)), boot=1 + seq // 25)
        for seq, at in enumerate(uptimes)
    ]  # fmt: skip
    in_order, shuffled = new_device(shared_database), new_device(shared_database)
    send(shared_database, in_order, *records)
    expected = filtered(shared_database, in_order)
    dice.shuffle(records)
    while records:
        size = dice.choice((1, 1, 2, 5))
        part, records = sorted(records[:size], key=lambda r: r.seq), records[size:]
        for one in part:
            send(shared_database, shuffled, one)
    again = "; again with: HYMIO_SEED=<seed> .venv/bin/pytest tests/fleet_server/answers/test_misuse_rules.py"
    assert filtered(shared_database, shuffled) == expected, f"seed {seed}{again}"
    name = "tests/fleet_server/answers/test_misuse_rules.py::test_every_order_of_arrival_ends_alike"
    evidence.note(
        "records in any order: misuse rules", len(uptimes), "records", name, "the same are filtered"
    )


def test_a_virtual_kiosk_is_for_trying_out(shared_database: Database, device: str) -> None:
    with shared_database.write() as session:
        session.get_one(Device, device).virtual = True
    send(shared_database, device, *(press(seq, uptime=25 * seq) for seq in range(12)))
    assert filtered(shared_database, device) == {}


def stand_at_a_new_place(database: Database, device: str) -> int:
    """So that its opening hours are no other test's."""
    with database.write() as session:
        number = next(_places)
        session.add(Place(id=number, unit_id=1, name=f"place {number}", created_at=0))
        session.flush()
        (stay,) = session.exec(select(Installation).where(Installation.device_id == device))
        stay.place_id = number
        return number


def keep_hours(database: Database, place: int, from_at: int, now: int, **week: str) -> None:
    with database.write() as session:
        row = session.get_one(Place, place)
        opening.save_hours(session, "test", row, from_at=from_at, weekly=read_week(week), now=now)


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


def touch_visit(first: int, at: int, answers: int = 5, value: int = 5) -> list[Rec]:
    """A visitor who answers a question each 4 seconds, the third one skipped. `at`: tenths of a second."""
    return [
        press(
            first + number,
            uptime=at + 40 * number,
            session=number,
            question=number,
            set_number=99,
            **({"flags": 1, "value": 255} if number == 2 else {"value": value}),
        )
        for number in range(answers)
    ]


def test_one_visitor_who_answers_many_questions_in_a_hurry_is_no_burst(
    shared_database: Database, device: str
) -> None:
    send(shared_database, device, *touch_visit(0, 0, answers=10))
    for record in touch_visit(10, 500, answers=10):  # as a touchscreen sends them: one by one
        send(shared_database, device, record)
    assert filtered(shared_database, device) == {2: "unanswered", 12: "unanswered"}


def test_a_visit_that_repeats_goes_whole_but_for_what_it_left_unanswered(
    shared_database: Database, device: str
) -> None:
    hurried = [record.but(uptime=10) for record in touch_visit(0, 0, answers=3)]
    again = [record.but(uptime=40 + record.seq) for record in touch_visit(3, 0, answers=4)]
    send(shared_database, device, *hurried, *again)
    wanted = {2: "unanswered", 3: "repeat", 4: "repeat", 5: "unanswered", 6: "repeat"}
    assert filtered(shared_database, device) == wanted
    rerun.rerun(shared_database, actor="test", now=LATER, device_id=device)
    assert filtered(shared_database, device) == wanted


def test_what_was_left_unanswered_at_night_is_that_alone(shared_database: Database, device: str) -> None:
    place = stand_at_a_new_place(shared_database, device)
    keep_hours(shared_database, place, MONDAY_10 - 10 * HOUR_MS, 0, mon="8.00-9.00")
    send(shared_database, device, clock(0, MONDAY_10 + MINUTE_MS, 0), *touch_visit(1, 10, answers=3))
    assert filtered(shared_database, device) == {1: "hours", 2: "hours", 3: "unanswered"}
