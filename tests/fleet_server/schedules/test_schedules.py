"""Schedules from the coordinator's page to the document that a kiosk is wished."""

import json
from typing import Any

import pytest
from sqlmodel import select

from fleet_server.devices import desired
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.places import service as places
from fleet_server.places.choosing import label_place
from fleet_server.places.models import Place
from fleet_server.questions import service as questions
from fleet_server.questions.views import hash_of
from fleet_server.schedules.models import Schedule
from fleet_server.schedules.planning import MOST_BYTES, MOST_SCHEDULED
from tests.fleet_server.accounts.county import County

EXIT, LOBBY = "real00000001", "real00000002"
MOST_JSON_BYTES = 4096  # what a kiosk takes in one message


@pytest.fixture
def fleet(county: County) -> County:
    """One kiosk at the clinic's exit, one in the lobby; set 3 was published to both."""
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        for device, place in ((EXIT, "exit"), (LOBBY, "lobby")):
            places.install(session, "test", device_id=device, place_id=county.places[place], now=county.now)
        assert questions.publish(session, 3, [EXIT, LOBBY], actor="test", now=county.now) == []
        for device in (EXIT, LOBBY):
            desired.refresh(session, device, now=county.now)
    return county


def form(county: County, **typed: Any) -> dict[str, Any]:
    return {
        "name": "Winter",
        "set_number": "2",
        "holidays": "any",
        "units": [county.units["clinic"]],
        **typed,
    }


def make(county: County, who: str = "bob", **typed: Any):
    return county.browser(who).post("/schedules/new", data=form(county, **typed))


def wished(county: County, device: str = EXIT) -> list[dict[str, Any]]:
    with county.database.read() as session:
        return json.loads(session.get_one(Device, device).desired or "{}")["sets"]


def test_a_schedule_is_wished_of_its_places_after_the_published_set(fleet: County) -> None:
    answer = make(fleet, first_day="2026-03-09", last_day="2026-03-20", mon="8-16", fri="8-12, 13-15.30")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("week=2026-03-09")
    base, entry = wished(fleet)
    assert (base["number"], base["hours"], entry["number"]) == (3, None, 2)
    monday = fleet.now - 10 * HOUR_MS + 7 * DAY_MS
    assert (entry["from"], entry["to"]) == (monday, monday + 12 * DAY_MS)
    assert entry["hours"] == {
        "weekly": {"mon": [["08:00", "16:00"]], "fri": [["08:00", "12:00"], ["13:00", "15:30"]]}
    }
    assert [one["number"] for one in wished(fleet, LOBBY)] == [3]
    with fleet.database.read() as session:
        view = questions.view_for_hash(session, EXIT, entry["hash"])
        assert view is not None
        assert hash_of(view) == entry["hash"]
    assert fleet.audit()[-1].action == "create schedule"
    page = fleet.browser("charlie").get("/schedules?week=2026-03-09").text
    assert "Winter" in page
    assert "real00000001" not in page, "who may not see a kiosk is not told of its week"


def test_a_schedule_is_changed_and_ended_and_each_time_wished_anew(fleet: County) -> None:
    make(fleet)
    bob = fleet.browser("bob")
    assert bob.post("/schedules/1", data=form(fleet, set_number="1")).status_code == 303
    assert [one["number"] for one in wished(fleet)] == [3, 1]
    assert bob.post("/schedules/1/end").status_code == 303
    assert [one["number"] for one in wished(fleet)] == [3]
    assert [entry.action for entry in fleet.audit()[-2:]] == ["change schedule", "end schedule"]
    assert bob.post("/schedules/1", data=form(fleet)).status_code == 404


def test_a_kiosk_that_is_moved_follows_with_its_next_report(fleet: County) -> None:
    make(fleet)
    with fleet.database.write() as session:
        places.install(session, "test", device_id=EXIT, place_id=fleet.places["lobby"], now=fleet.now + 1)
        device = session.get_one(Device, EXIT)
        assert desired.answer(session, device, device.desired_version, now=fleet.now + 2) is not None
    assert [one["number"] for one in wished(fleet)] == [3]


def test_labels_choose_places(fleet: County) -> None:
    with fleet.database.write() as session:
        place = session.exec(select(Place).where(Place.name == "lobby")).one()
        label_place(session, "test", place, ["ward"], now=fleet.now)
    assert make(fleet, "alice", units=[], labels=["ward"]).status_code == 303
    assert [one["number"] for one in wished(fleet, LOBBY)] == [3, 2]
    assert [one["number"] for one in wished(fleet)] == [3]


def test_holidays_go_along_as_dates_two_years_ahead(fleet: County) -> None:
    make(fleet, holidays="not", **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "8-16"))
    hours = wished(fleet)[1]["hours"]
    assert "2026-04-03" in hours["not"], "Good Friday"
    assert "2026-06-19" in hours["not"], "Midsummer Eve"
    assert "2027-12-06" in hours["not"], "Independence Day, a Monday"
    assert "2026-12-06" not in hours["not"], "a Sunday, on which it does not hold anyway"
    alice = fleet.browser("alice")
    assert alice.post("/schedules/eves", data={"eve": ["christmas"]}).status_code == 303
    assert "2026-06-19" not in wished(fleet)[1]["hours"]["not"]
    assert "2026-12-24" in wished(fleet)[1]["hours"]["not"]
    assert fleet.browser("bob").post("/schedules/eves").status_code == 403, "eves are the whole county's"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "This is empty"),
        ({"set_number": "999"}, "Choose a question set"),
        ({"set_number": "6"}, "cannot be asked by a button kiosk (model button5)"),
        ({"mon": "16-8"}, "ends before it begins"),
        ({"last_day": "2026-03-01"}, "is over, or before the first day"),
        ({"first_day": "soon"}, "is not a date from 2020 on"),
        ({"models": ["touch"]}, "No kiosk stands at such a place"),
        ({"holidays": "x"}, "Choose what holds on holidays"),
        ({"units": []}, "Choose units or places that you look after"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_with_its_reason_and_nothing_is_wished(
    fleet: County, typed: dict[str, Any], said: str
) -> None:
    answer = make(fleet, **typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert [one["number"] for one in wished(fleet)] == [3]
    with fleet.database.read() as session:
        assert session.exec(select(Schedule)).all() == []


def test_a_card_kiosk_is_refused_by_name_and_gets_nothing_when_it_is_moved_there_later(fleet: County) -> None:
    make(fleet)
    with fleet.database.write() as session:
        session.get_one(Device, EXIT).model = "card5"
        desired.refresh(session, EXIT, now=fleet.now + 1)
    assert [one["number"] for one in wished(fleet)] == [3]
    answer = make(fleet)
    assert answer.status_code == 422
    assert "Model card5 asks what its printed card says" in answer.text


def test_nobody_schedules_for_places_of_others(fleet: County) -> None:
    assert make(fleet, units=[fleet.units["social"]]).status_code == 422
    assert make(fleet, "charlie").status_code == 403
    make(fleet, "alice", units=[fleet.units["social"]])
    assert fleet.browser("bob").post("/schedules/1/end").status_code == 403
    assert fleet.browser("bob").post("/schedules/1", data=form(fleet)).status_code == 403


def test_a_document_never_outgrows_what_a_kiosk_takes(fleet: County) -> None:
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "8-9,10-11,12-13,14-15")
    answers = [make(fleet, holidays="not", name=f"S{n}", **week) for n in range(MOST_SCHEDULED + 1)]
    assert answers[0].status_code == 303
    assert answers[-1].status_code == 422
    assert "has so many schedules already" in answers[-1].text
    with fleet.database.read() as session:
        document = session.get_one(Device, EXIT).desired or ""
    assert len(document) < MOST_JSON_BYTES - 1500, "room for a QR code and settings"
    assert len(json.dumps(json.loads(document)["sets"][1:], separators=(",", ":"))) <= MOST_BYTES + 2


def test_the_week_shows_who_wins_where_two_overlap(fleet: County) -> None:
    make(fleet, name="All day", first_day="2026-03-02")
    make(fleet, name="Mornings", first_day="2026-03-03", set_number="1", tue="8-12")
    page = fleet.browser("bob").get("/schedules").text
    assert "“Mornings” is asked where it and “All day” both hold" in page
    assert "00:00–08:00 All day · 08:00–12:00 Mornings · 12:00–24:00 All day" in " ".join(page.split())
