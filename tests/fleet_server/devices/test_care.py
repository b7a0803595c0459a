"""A kiosk is cleaned in peace for ten minutes, and a card kiosk asks a new question once its card was changed."""

import json

import pytest

from fleet_server.devices import care, desired, reports
from fleet_server.devices.models import Device
from fleet_server.instants import MINUTE_MS
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.questions.national import national_sets
from fleet_server.questions.views import hash_of, view_bytes
from tests.fleet_server.accounts.county import County

CARD = "card00000001"
TOUCH = "touch0000001"


@pytest.fixture
def fleet(county: County) -> County:
    """A button kiosk, a card kiosk and a touchscreen at the clinic's exit; set 1 is wished of all."""
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        session.add(Device(id=CARD, name="Card", model="card5", secret_sha256="0", created_at=county.now))
        session.add(Device(id=TOUCH, name="Touch", model="touch", secret_sha256="0", created_at=county.now))
        session.flush()
        for device in (CARD, TOUCH, "real00000001"):
            places.install(session, "test", device_id=device, place_id=county.places["exit"], now=county.now)
        assert (
            questions.publish(session, 1, [CARD, TOUCH, "real00000001"], actor="test", now=county.now) == []
        )
    return county


def settings(county: County, device: str) -> dict:
    """What would be sent to the kiosk at its next report, beside its name."""
    with county.database.write() as session:
        desired.refresh(session, device, now=county.now)
        found: dict = json.loads(session.get_one(Device, device).desired)["settings"]
        assert found.pop("name")
        return found


def report(county: County, **body: object) -> list:
    with county.database.write() as session:
        messages, faults = reports.take(session, CARD, body, now=county.now)
    assert faults == []
    return messages


def of_set(number: int) -> str:
    return hash_of(view_bytes(national_sets()[number - 1], "card5"))


def page(county: County, who: str, device: str = CARD) -> str:
    return county.browser(who).get(f"/devices/{device}").text


def confirm(county: County, who: str, number: int, device: str = CARD):
    return county.browser(who).post(f"/devices/{device}/card", data={"hash": of_set(number)})


@pytest.mark.parametrize("who", ["tuula", "bob", "alice"])
def test_cleaning_is_wished_for_ten_minutes_and_ends_by_itself(fleet: County, who: str) -> None:
    assert settings(fleet, TOUCH) == {}
    answer = fleet.browser(who).post(f"/devices/{TOUCH}/cleaning")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/devices/{TOUCH}#state-title")
    until = fleet.now + 10 * MINUTE_MS
    assert settings(fleet, TOUCH) == {"cleaning": until}
    assert "Being cleaned: touches are ignored until" in page(fleet, who, TOUCH)
    assert "End cleaning now" in page(fleet, who, TOUCH)
    entry = fleet.audit()[-1]
    assert (entry.action, entry.object_id, json.loads(entry.after)) == (
        "start cleaning", TOUCH, {"minutes": 10},
    )  # fmt: skip
    fleet.now = until
    assert settings(fleet, TOUCH) == {}
    assert "Being cleaned" not in page(fleet, who, TOUCH)


def test_cleaning_can_be_ended_before_its_time(fleet: County) -> None:
    fleet.browser("tuula").post(f"/devices/{TOUCH}/cleaning")
    fleet.browser("tuula").post(f"/devices/{TOUCH}/cleaning", data={"end": "true"})
    assert settings(fleet, TOUCH) == {}
    assert fleet.audit()[-1].action == "end cleaning"
    fleet.browser("tuula").post(f"/devices/{TOUCH}/cleaning", data={"end": "true"})
    assert [entry.action for entry in fleet.audit()].count("end cleaning") == 1


def test_a_kiosk_with_buttons_is_not_told_from_here(fleet: County) -> None:
    assert "Cleaning for 10 minutes" in page(fleet, "tuula", TOUCH)
    assert "Cleaning for 10 minutes" not in page(fleet, "tuula", "real00000001")
    answer = fleet.browser("tuula").post("/devices/real00000001/cleaning")
    assert answer.status_code == 409
    assert "hold one button for 3 seconds" in answer.text
    assert settings(fleet, "real00000001") == {}


@pytest.mark.parametrize("path", ["cleaning", "card"])
@pytest.mark.parametrize(("who", "status"), [("otto", 403), ("charlie", 403)])
def test_who_does_not_look_after_devices_silences_none(
    fleet: County, who: str, status: int, path: str
) -> None:
    answer = fleet.browser(who).post(f"/devices/{CARD}/{path}", data={"hash": of_set(1)})
    assert answer.status_code == status
    assert settings(fleet, CARD) == {}


def test_nobody_silences_a_kiosk_of_another_unit(fleet: County) -> None:
    with fleet.database.write() as session:
        places.install(
            session, "test", device_id="real00000002", place_id=fleet.places["lobby"], now=fleet.now
        )
    assert fleet.browser("bob").post("/devices/real00000002/cleaning").status_code == 404
    assert fleet.browser("tuula").post("/devices/nobody000000/cleaning").status_code == 404
    assert "Cleaning for 10 minutes" not in page(fleet, "otto", TOUCH)


@pytest.mark.parametrize("who", ["tuula", "bob"])
def test_a_card_kiosk_shows_which_set_waits_until_somebody_says_that_its_card_is_changed(
    fleet: County, who: str
) -> None:
    text = page(fleet, who)
    assert "A new card is needed: question set 1, Kansalliset kysymykset, terveyspalvelut" in text
    assert "The kiosk has not got this set yet." in text
    report(fleet, card=of_set(1), sets=[[1, of_set(1)]])
    assert "The kiosk has got this set and waits." in page(fleet, who)
    answer = confirm(fleet, who, 1)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/devices/{CARD}#runs-title")
    assert settings(fleet, CARD) == {"card": of_set(1)}
    assert "Somebody said here that the card was changed." in page(fleet, who)
    entry = fleet.audit()[-1]
    assert (entry.action, entry.object_id, json.loads(entry.after)) == ("confirm card", CARD, {"set": 1})
    assert confirm(fleet, who, 1).status_code == 303
    assert [entry.action for entry in fleet.audit()].count("confirm card") == 1
    report(fleet, running=1, card=None)
    assert "A new card is needed" not in page(fleet, who)


def test_a_confirmation_is_for_the_card_that_was_changed_and_no_later_one(fleet: County) -> None:
    assert confirm(fleet, "tuula", 1).status_code == 303
    with fleet.database.write() as session:
        assert questions.publish(session, 3, [CARD], actor="test", now=fleet.now) == []
        change = care.card_change(session, session.get_one(Device, CARD))
    assert change is not None
    assert (change.number, change.confirmed) == (3, False)
    assert confirm(fleet, "tuula", 1).status_code == 409  # a page that was open for long
    assert settings(fleet, CARD) == {}
    assert confirm(fleet, "tuula", 3).status_code == 303
    assert settings(fleet, CARD) == {"card": of_set(3)}


def test_a_set_that_comes_back_asks_for_its_card_again(fleet: County) -> None:
    assert confirm(fleet, "tuula", 1).status_code == 303
    for number in (3, 1):
        with fleet.database.write() as session:
            assert questions.publish(session, number, [CARD], actor="test", now=fleet.now) == []
    assert "Somebody said here that the card was changed." not in page(fleet, "tuula")
    assert settings(fleet, CARD) == {}
    assert confirm(fleet, "tuula", 1).status_code == 303


def test_a_kiosk_with_a_screen_has_no_card_to_change(fleet: County) -> None:
    assert "A new card is needed" not in page(fleet, "tuula", "real00000001")
    assert confirm(fleet, "tuula", 1, "real00000001").status_code == 409


def test_the_wish_goes_out_at_once_and_again_until_the_kiosk_has_it(fleet: County) -> None:
    assert confirm(fleet, "tuula", 1).status_code == 303
    (message,) = report(fleet, desired=0)
    assert message[0] == f"hymio/1/down/{CARD}/desired"
    wish = json.loads(message[1])
    assert wish["settings"] == {"name": "Card", "card": of_set(1)}
    assert report(fleet, desired=wish["version"]) == []


@pytest.mark.parametrize("path", ["cleaning", "card"])
def test_nothing_is_sent_to_a_revoked_kiosk(fleet: County, path: str) -> None:
    with fleet.database.write() as session:
        session.get_one(Device, CARD).revoked_at = fleet.now
    answer = fleet.browser("alice").post(f"/devices/{CARD}/{path}", data={"hash": of_set(1)})
    assert answer.status_code == 409
    assert "The card was changed" not in page(fleet, "alice")
