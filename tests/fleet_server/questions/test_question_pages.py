"""The coordinator's pages: who may publish to whom, and what happens to a choice with a fault."""

import json

import pytest
from sqlmodel import col, select

from fleet_server.devices.models import Device
from fleet_server.places import service as places
from fleet_server.questions import service
from fleet_server.questions.models import Publication
from fleet_server.questions.national import national_sets
from tests.fleet_server.accounts.county import County


@pytest.fixture
def fleet(county: County) -> County:
    """The county with the ready sets; one device at the clinic's exit, one in the social services' lobby."""
    with county.database.write() as session:
        service.add_national(session, now=county.now)
        for device, place in (("real00000001", "exit"), ("real00000002", "lobby")):
            places.install(session, "test", device_id=device, place_id=county.places[place], now=county.now)
    return county


def published(county: County) -> list[tuple[str, int]]:
    with county.database.read() as session:
        rows = session.exec(select(Publication).order_by(col(Publication.id)))
        return [(row.device_id, row.set_number) for row in rows]


def publish(county: County, who: str, number: int, *devices: str):
    return county.browser(who).post(f"/question-sets/{number}/publish", data={"device": list(devices)})


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_a_number_that_no_set_can_have_is_no_page(fleet: County, number: int) -> None:
    assert fleet.browser("bob").get(f"/question-sets/{number}").status_code == 404
    assert publish(fleet, "bob", number, "real00000001").status_code == 404


def test_a_coordinator_publishes_to_the_own_units_devices(fleet: County) -> None:
    answer = publish(fleet, "bob", 3, "real00000001")
    assert answer.status_code == 303
    assert published(fleet) == [("real00000001", 3)]
    with fleet.database.read() as session:
        wish = json.loads(session.get(Device, "real00000001").desired)
    assert [entry["number"] for entry in wish["sets"]] == [3]
    entry = fleet.audit()[-1]
    assert (entry.action, entry.object_id, json.loads(entry.after)) == (
        "publish question set",
        "real00000001",
        {"set": 3},
    )


def test_nobody_publishes_to_a_device_of_another_unit(fleet: County) -> None:
    answer = publish(fleet, "bob", 3, "real00000001", "real00000002")
    assert answer.status_code == 422
    assert "not yours to publish to" in answer.text
    assert published(fleet) == []


@pytest.mark.parametrize("who", ["charlie", "tuula", "otto"])
def test_only_coordinators_and_administrators_publish(fleet: County, who: str) -> None:
    assert publish(fleet, who, 3, "real00000001").status_code == 403
    assert published(fleet) == []
    assert "checkbox" not in fleet.browser(who).get("/question-sets/3").text


def test_a_supervisor_sees_no_box_to_tick_and_no_foreign_device(fleet: County) -> None:
    page = fleet.browser("charlie").get("/question-sets/3").text
    assert 'type="checkbox"' not in page
    assert "real00000001" not in page
    assert "real00000002" in page


def test_a_faulty_choice_sends_nothing_lists_every_fault_and_keeps_the_ticks(fleet: County) -> None:
    bad = national_sets()[0] | {"number": 77, "button": "K9"}
    del bad["questions"][1]["text"]["sv"]
    with fleet.database.write() as session:
        service.add(session, bad, source="test", now=fleet.now)
    answer = publish(fleet, "alice", 77, "real00000001")
    assert answer.status_code == 422
    assert "text &#39;K1&#39; has no Swedish" in answer.text
    assert "button asks &#39;K9&#39;" in answer.text
    assert 'value="real00000001" id="d-real00000001" checked' in answer.text
    assert published(fleet) == []


def test_faults_of_publishing_are_told_in_the_readers_language(fleet: County) -> None:
    bad = national_sets()[0] | {"number": 77, "button": "K9"}
    del bad["questions"][1]["text"]["sv"]
    with fleet.database.write() as session:
        service.add(session, bad, source="test", now=fleet.now)
    browser = fleet.browser("alice")
    browser.post("/account/language", data={"language": "fi"})
    page = browser.post("/question-sets/77/publish", data={"device": ["real00000001", "nobody"]}).text
    assert "laitetta &#39;nobody&#39; ei ole, tai et voi julkaista sille" in page
    page = browser.post("/question-sets/77/publish", data={"device": ["real00000001"]}).text
    assert "kysymyssarja 77: tekstistä &#39;K1&#39; puuttuu ruotsi" in page
    assert "has no" not in page


def test_a_set_that_a_model_cannot_ask_names_the_model(fleet: County) -> None:
    answer = publish(fleet, "alice", 6, "real00000001")
    assert answer.status_code == 422
    assert "cannot be asked by a button kiosk (model button5)" in answer.text


def test_no_choice_at_all_says_so(fleet: County) -> None:
    answer = publish(fleet, "alice", 3)
    assert answer.status_code == 422
    assert "no device was chosen" in answer.text


@pytest.mark.parametrize("number", ["999", "0", "x"])
def test_a_set_that_does_not_exist_is_not_found(fleet: County, number: str) -> None:
    assert fleet.browser("alice").get(f"/question-sets/{number}").status_code in (404, 422)


def test_every_ready_set_has_a_page_with_the_origin_of_its_texts(fleet: County) -> None:
    alice = fleet.browser("alice")
    assert "Kansalliset kysymykset, terveyspalvelut" in alice.get("/question-sets").text
    for number in range(1, 10):
        page = alice.get(f"/question-sets/{number}")
        assert page.status_code == 200
        assert "reconstructed" in page.text or "own question" in page.text
