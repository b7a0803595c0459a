"""At a schedule's times a place's form asks the scheduled set, as the kiosk beside it does."""

import html
from typing import Any

import pytest
from sqlmodel import select

from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.schedules import planning
from fleet_server.schedules import service as schedules
from fleet_server.schedules.models import Schedule
from tests.fleet_server.phone.visitors import NATIONAL, Exit

SEASONAL = 3
MORNINGS = '{"mon": [["08:00", "12:00"]]}'  # the county's clock shows Monday, 10:01


@pytest.fixture
def morning(exit_: Exit) -> Exit:
    """On Monday mornings the exit asks the seasonal set."""
    schedule(exit_, weekly=MORNINGS)
    return exit_


def schedule(exit_: Exit, **changes: Any) -> None:
    """A schedule of the exit's unit, kept as the page keeps it."""
    with exit_.county.database.write() as session:
        schedules.save(
            session,
            exit_.county.person("alice"),
            None,
            **{
                "name": "Flu season",
                "set_number": SEASONAL,
                "choice": {"places": [exit_.place.id]},
                "first_day": "",
                "last_day": "",
                "weekly": "",
                "holidays": "any",
                "now": exit_.county.now,
            }
            | changes,
        )


def asked(exit_: Exit) -> int:
    return int(exit_.open(exit_.phone())["set"])


def test_the_form_asks_what_the_schedule_says_now_and_the_published_set_at_other_times(morning: Exit) -> None:
    assert asked(morning) == SEASONAL
    morning.county.now += 2 * HOUR_MS - 2 * MINUTE_MS  # one minute to noon
    assert asked(morning) == SEASONAL
    morning.county.now += MINUTE_MS
    assert asked(morning) == NATIONAL


def test_it_asks_what_the_kiosk_beside_it_is_to_ask(morning: Exit) -> None:
    schedule(morning, name="Later", set_number=NATIONAL, weekly="", first_day="2026-03-03")
    for hours in range(0, 72, 3):
        with morning.county.database.read() as session:
            kiosk = session.exec(select(Device).where(Device.id == "real00000001")).one()
            due = planning.due_now(session, kiosk, now=morning.county.now)
            wanted = NATIONAL if due is None else due.set_number
        assert asked(morning) == wanted, hours
        morning.county.now += 3 * HOUR_MS


@pytest.mark.parametrize("ended", [False, True])
def test_a_form_that_was_opened_in_the_schedules_time_is_booked_by_its_own_set(
    morning: Exit, ended: bool
) -> None:
    phone = morning.phone()
    fields = morning.open(phone)
    if ended:
        with morning.county.database.write() as session:
            row = session.get_one(Schedule, 1)
            schedules.end(session, morning.county.person("alice"), row, now=morning.county.now)
    morning.county.now += 3 * DAY_MS
    with morning.county.database.read() as session:
        code = questions.body_of(session.get_one(QuestionSet, SEASONAL))["questions"][0]
    answer = phone.post(morning.path, data=fields | {f"{code['type']}-{code['code']}": "5"})
    assert answer.status_code == 303
    assert [record.set_number for record in morning.records()] == [SEASONAL]
    morning.balances()


def test_a_schedule_that_is_only_planned_is_not_asked_by_a_made_up_form(exit_: Exit) -> None:
    schedule(exit_, first_day="2026-04-01")
    phone = exit_.phone()
    answer = phone.post(exit_.path, data=exit_.open(phone) | {"set": str(SEASONAL), "nps-NPS": "9"})
    assert answer.status_code == 409
    assert exit_.records() == []


def test_a_set_that_was_changed_in_the_database_is_not_asked_by_phone(morning: Exit) -> None:
    with morning.county.database.write() as session:
        row = session.get_one(QuestionSet, SEASONAL)
        row.body = row.body.replace("?", "!")
    assert asked(morning) == NATIONAL
    with morning.county.database.write() as session:
        session.get_one(QuestionSet, NATIONAL).body = "{"
    page = morning.phone().get(morning.path)
    assert page.status_code == 200
    assert "data-question" not in html.unescape(page.text)
