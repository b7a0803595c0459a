"""Misuse is filtered, never deleted: what each rule leaves out, what it leaves in, and that order makes no difference.

That any history of any kiosk ends as the plain model says is in test_booking_property.py.
"""

import itertools
import random

import pytest

from fleet_server.answers import rerun
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.instants import HOUR_MS, MINUTE_MS
from tests import effort, evidence
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.judged import (
    LATER,
    at_seconds,
    filtered,
    keep_hours,
    send,
    stand_at_a_new_place,
)
from tests.fleet_server.answers.messages import Rec, clock, press


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
