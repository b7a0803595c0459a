"""Placed with a phone and taken back; swapped with all that was wished there; waiting answers count where given."""

import json
from typing import Any

from sqlmodel import col, select

from fleet_server.answers.check import faults
from fleet_server.answers.models import Record
from fleet_server.devices import credentials, desired
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.schedules import service as schedules
from fleet_server.technician.models import Swap
from tests.fleet_server.accounts.county import County
from tests.fleet_server.pages.world import PaperKiosk
from tests.fleet_server.technician.conftest import Tool, both, token_of

OLD, NEW = "real00000001", "real00000002"


def stands(county: County, device: str) -> int | None:
    with county.database.read() as session:
        standing = places.standing_of(session, device)
        return standing.place_id if standing else None


def furnish(county: County) -> None:
    """The old one stands at the exit since a week, set 5 is wished of it, and a schedule is kept there."""
    since = county.now - 7 * DAY_MS
    with county.database.write() as session:
        questions.add_national(session, now=since)
        places.install(session, "test", device_id=OLD, place_id=county.places["exit"], now=since)
        assert questions.publish(session, 5, [OLD], actor="test", now=since) == []
        schedules.save(
            session, county.person("alice"), None, name="Winter", set_number=4,
            choice={"places": [county.places["exit"]], "units": [], "labels": [], "models": []},
            first_day="", last_day="", weekly="", holidays="any", now=since,
        )  # fmt: skip


def wishes(county: County, device: str) -> list[int]:
    with county.database.read() as session:
        sets = json.loads(session.get_one(Device, device).desired or "{}").get("sets", [])
        return [entry["number"] for entry in sets]


@both
def test_placed_from_its_own_page_and_taken_back_where_it_was(county: County) -> None:
    tuula = county.browser("tuula")
    page = tuula.get(f"/devices/{OLD}").text
    assert f'href="/devices/{OLD}/place"' in page
    found = tuula.get(f"/devices/{OLD}/place", params={"q": "CLINIC ex"}).text
    assert "exit" in found
    assert "lobby" not in found
    assert "No place fits “nowhere”." in tuula.get(f"/devices/{OLD}/place?q=nowhere").text
    ask = tuula.get(f"/devices/{OLD}/place", params={"place": county.places["exit"]}).text
    assert "From this moment its answers count for this place." in ask
    assert stands(county, OLD) is None, "nothing happens before it is confirmed"
    assert tuula.post(f"/devices/{OLD}/place", data={"place": county.places["exit"]}).status_code == 303
    county.now += MINUTE_MS
    tuula.post(f"/devices/{OLD}/place", data={"place": county.places["lobby"]})
    done = tuula.get(f"/devices/{OLD}/place").text
    assert "Undo: back to exit" in done
    number = done.partition('name="installation" value="')[2].partition('"')[0]
    county.now += MINUTE_MS
    assert tuula.post(f"/devices/{OLD}/place/undo", data={"installation": number}).status_code == 303
    assert stands(county, OLD) == county.places["exit"]
    assert tuula.post(f"/devices/{OLD}/place/undo", data={"installation": number}).status_code == 409
    county.now += 16 * MINUTE_MS
    assert "Undo" not in tuula.get(f"/devices/{OLD}/place").text
    moves = ["install device", "move device", "move device"]
    assert [one.action for one in county.audit()[-3:]] == moves


def test_others_place_and_swap_nothing(county: County) -> None:
    with county.database.write() as session:
        places.install(session, "test", device_id=NEW, place_id=county.places["lobby"], now=county.now)
    for who, device, status in (
        ("charlie", OLD, 403),
        ("otto", OLD, 403),
        ("charlie", NEW, 403),
        ("bob", NEW, 404),
        ("bob", OLD, 200),
    ):
        browser = county.browser(who)
        assert browser.get(f"/devices/{device}/place").status_code == status
        if status != 200:
            assert browser.post(f"/devices/{device}/place", data={"place": 1}).status_code == status
            assert browser.post(f"/devices/{device}/place/undo", data={}).status_code == status
            assert browser.get(f"/devices/{device}/swap").status_code == status
            assert browser.post(f"/devices/{device}/swap", data={"new": NEW}).status_code == status
        else:
            refused = browser.post(f"/devices/{device}/place", data={"place": county.places["lobby"]})
            assert (refused.status_code, "There is no place" in refused.text) == (422, True)
    assert stands(county, NEW) == county.places["lobby"]
    assert stands(county, OLD) is None


@both
def test_a_swap_takes_over_place_question_set_and_schedules_and_says_what_waits(
    county: County, tool: Tool
) -> None:
    furnish(county)
    kiosk = PaperKiosk(OLD, county.database, county.now - 4 * HOUR_MS)
    kiosk.learn_time(county.now - 3 * HOUR_MS)
    kiosk.press(county.now - 2 * HOUR_MS, value=5)
    kiosk.press(county.now - HOUR_MS, value=4)
    kiosk.press(county.now - 30 * MINUTE_MS, value=3)
    kiosk.send(county.now - 20 * MINUTE_MS, but_last=2)
    tuula = county.browser("tuula")
    assert "Real two" in tuula.get(f"/devices/{OLD}/swap").text
    assert "2 records that are not here yet" in tuula.get(f"/devices/{OLD}/swap?new={NEW}").text
    assert tuula.post(f"/devices/{OLD}/swap", data={"new": NEW}).status_code == 303
    assert (stands(county, OLD), stands(county, NEW)) == (None, county.places["exit"])
    assert wishes(county, NEW) == [5, 4]
    page = tuula.get(f"/devices/{OLD}").text
    assert "2 records wait in it: harvest them, or let it connect in the workshop." in page
    shelf = tuula.get("/technician").text
    assert shelf.index("Out of service") < shelf.index("Real one")

    county.now += 2 * HOUR_MS  # in the workshop: it delivers, twice, for the first receipt got lost
    kiosk.send(county.now)
    kiosk.sent = 0
    kiosk.send(county.now)
    with county.database.read() as session:
        given = (
            select(Record.place_id).where(Record.device_id == OLD, Record.kind == 1).order_by(col(Record.seq))
        )
        assert list(session.exec(given)) == [county.places["exit"]] * 3
        assert faults(session, OLD) == []
    status, said = tool(f"/devices/{OLD}/swap", {"new": NEW})
    assert (status, said["place"], said["question_set"], said["waiting"]) == (200, "exit", 5, 0)
    with county.database.read() as session:
        assert len(session.exec(select(Swap)).all()) == 1, "asked again, done once"
    assert "Nothing is known to wait in it." in tuula.get(f"/devices/{OLD}").text
    with county.database.write() as session:
        places.install(session, "test", device_id=OLD, place_id=county.places["lobby"], now=county.now)
    assert "Out of service" not in tuula.get(f"/devices/{OLD}").text
    actions = [one.action for one in county.audit() if one.actor == "tuula@example.org"]
    assert actions[1:] == ["publish question set", "take device away", "install device", "swap device"]


def test_a_kiosk_that_was_shut_out_is_placed_nowhere_but_can_be_swapped(county: County) -> None:
    furnish(county)
    with county.database.write() as session:
        credentials.revoke(session, OLD, now=county.now)
    tuula = county.browser("tuula")
    page = tuula.get(f"/devices/{OLD}").text
    assert ("Swap this kiosk" in page, "Move it…" in page) == (True, False)
    assert tuula.post(f"/devices/{OLD}/place", data={"place": county.places["lobby"]}).status_code == 409
    assert tuula.post(f"/devices/{OLD}/swap", data={"new": NEW}).status_code == 303
    assert (stands(county, OLD), stands(county, NEW)) == (None, county.places["exit"])


def test_a_swap_that_cannot_be_names_why_and_does_nothing(county: County, tool: Tool) -> None:
    furnish(county)
    with county.database.write() as session:
        touch, _secret = credentials.create(
            session, name="Touch", model="card4", virtual=False, now=county.now
        )
        heir = touch.id
    tries: list[tuple[str, dict[str, Any], str]] = [
        (NEW, {"new": OLD}, "Real two stands nowhere, so there is no place to take over."),
        (OLD, {"new": OLD}, "Real one cannot take over from itself."),
        (OLD, {"new": "virt00000001"}, "one of the two is virtual, the other is not"),
        (OLD, {"new": heir}, "question set 5"),
    ]
    for old, body, words in tries:
        status, said = tool(f"/devices/{old}/swap", body)
        assert status == 422, said
        assert words in said["error"]
    assert tool(f"/devices/{OLD}/swap", {"new": "unknown00000"})[0] == 404
    assert tool(f"/devices/{OLD}/swap", {"new": NEW}, token_of(county, "bob"))[0] == 200
    county.now += MINUTE_MS
    assert tool(f"/devices/{NEW}/swap", {"new": heir, "without_questions": True})[1]["question_set"] is None
    with county.database.write() as session:
        desired.refresh(session, heir, now=county.now)
    assert wishes(county, heir) == []
