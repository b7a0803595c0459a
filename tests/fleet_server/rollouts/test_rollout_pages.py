"""The coordinator's pages of rollouts and labels: who may do what, and that a plan comes before anything is sent."""

import re

import pytest
from sqlmodel import select

from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.rollouts import advancing
from fleet_server.rollouts.models import Rollout, RolloutDevice
from tests.fleet_server.accounts.county import County, county

__all__ = ["county"]

FORM = {
    "set": "3",
    "kind1": "places",
    "count1": "1",
    "hours1": "0,5",
    "kind2": "all",
    "hours2": "1",
    "refused": "5",
}


@pytest.fixture
def stands(county: County) -> County:
    """A device at the clinic's exit, one in the social services' lobby."""
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        for device, place in (("real00000001", "exit"), ("real00000002", "lobby")):
            places.install(session, "test", device_id=device, place_id=county.places[place], now=county.now)
    return county


def rollouts(county: County) -> dict[int, list[str]]:
    with county.database.read() as session:
        found: dict[int, list[str]] = {row.id or 0: [] for row in session.exec(select(Rollout))}
        for part in session.exec(select(RolloutDevice).order_by(RolloutDevice.device_id)):
            found[part.rollout_id].append(part.device_id)
        return found


def test_the_plan_is_shown_before_anything_begins(stands: County) -> None:
    browser = stands.browser("alice")
    plan = browser.post("/rollouts/new", data=FORM)
    assert plan.status_code == 200
    assert "Begin the rollout" in plan.text
    assert rollouts(stands) == {}
    begun = browser.post("/rollouts/new", data=FORM | {"go": "yes"})
    assert begun.status_code == 303
    assert begun.headers["location"] == "/rollouts/1"
    page = browser.get("/rollouts/1").text
    assert "1 places, watched for 0.5 h" in page
    assert "comes in a later stage" in page


def test_what_was_changed_after_the_plan_was_shown_begins_nothing_unseen(stands: County) -> None:
    browser = stands.browser("alice")
    one_place = FORM | {"places": str(stands.places["exit"])}
    plan = browser.post("/rollouts/new", data=one_place).text
    assert "At: exit" in re.sub(r"\s+", " ", re.sub("<[^>]*>", "", plan))
    shown = {"planned": re.search('name="planned" value="([0-9a-f]{64})"', plan)[1], "go": "yes"}
    again = browser.post("/rollouts/new", data=FORM | shown)  # the tick at the place was taken away
    assert again.status_code == 200
    assert "Something was changed since the plan was shown" in again.text
    assert rollouts(stands) == {}
    assert browser.post("/rollouts/new", data=one_place | shown).status_code == 303
    assert rollouts(stands) == {1: ["real00000001"]}


def test_a_model_that_cannot_ask_the_set_is_named_and_nothing_begins(stands: County) -> None:
    browser = stands.browser("alice")
    for more in ({}, {"go": "yes"}):
        answer = browser.post("/rollouts/new", data=FORM | {"set": "6"} | more)
        assert "cannot be asked by a button kiosk (model button5)" in answer.text
        assert "Begin the rollout" not in answer.text
    assert rollouts(stands) == {}


def test_a_coordinator_reaches_only_the_own_units_kiosks(stands: County) -> None:
    stands.browser("bob").post("/rollouts/new", data=FORM | {"go": "yes"})
    assert rollouts(stands) == {1: ["real00000001"]}


def test_who_may_not_publish_to_all_of_it_neither_halts_nor_takes_it_back(stands: County) -> None:
    stands.browser("alice").post("/rollouts/new", data=FORM | {"go": "yes"})
    assert len(rollouts(stands)[1]) > 1
    bob = stands.browser("bob")
    page = bob.get("/rollouts/1").text
    assert "Roll back" not in page
    assert "real00000002" not in page
    for action in ("pause", "resume", "go-on", "back"):
        assert bob.post(f"/rollouts/1/{action}").status_code == 403
    with stands.database.read() as session:
        assert session.get_one(Rollout, 1).state == "running"


def test_pause_resume_and_back_by_their_buttons(stands: County) -> None:
    browser = stands.browser("alice")
    browser.post("/rollouts/new", data=FORM | {"go": "yes"})
    with stands.database.write() as session:
        advancing.advance(session, now=stands.now)
    for action, shown in (("pause", "paused"), ("resume", "under way"), ("back", "rolled back")):
        assert browser.post(f"/rollouts/1/{action}").status_code == 303
        assert shown in browser.get("/rollouts/1").text
    late = browser.post("/rollouts/1/pause")
    assert late.status_code == 409
    assert "somebody else has changed it" in late.text
    actions = [entry.action for entry in stands.audit()]
    assert actions[-4:] == ["start rollout", "pause rollout", "resume rollout", "roll back rollout"]


def test_faults_of_the_form_stand_at_their_fields(stands: County) -> None:
    wrong = {"count1": "x", "refused": "500", "set": "", "go": "yes"}
    answer = stands.browser("alice").post("/rollouts/new", data=FORM | wrong)
    assert answer.status_code == 422
    assert "Stage 1: “x” is not a whole number" in answer.text
    assert "“500” is not a whole number from 1 to 100" in answer.text
    assert '<a href="#set">Choose the question set that is to be rolled out.</a>' in answer.text
    assert rollouts(stands) == {}


def test_only_coordinators_begin_one(stands: County) -> None:
    for name in ("charlie", "tuula", "otto"):
        assert stands.browser(name).get("/rollouts/new").status_code == 403
        assert stands.browser(name).post("/rollouts/new", data=FORM | {"go": "yes"}).status_code == 403
        assert stands.browser(name).get("/rollouts").status_code == 200
    assert rollouts(stands) == {}


def test_a_label_chooses_its_places(stands: County) -> None:
    browser = stands.browser("alice")
    exit_, lobby = stands.places["exit"], stands.places["lobby"]
    saved = browser.post("/labels", data={f"place-{exit_}": "Winter, ward", f"place-{lobby}": "ward"})
    assert saved.status_code == 303
    assert "winter · 1" in browser.get("/labels").text
    browser.post("/rollouts/new", data=FORM | {"labels": "winter", "go": "yes"})
    assert rollouts(stands) == {1: ["real00000001"]}
    bob = stands.browser("bob")
    bob.post("/labels", data={f"place-{lobby}": "taken over"})
    assert "taken over" not in browser.get("/labels").text
    refused = browser.post("/labels", data={f"place-{exit_}": "x" * 41})
    assert refused.status_code == 422
    assert "too long" in refused.text
