"""The steps of the desk through the API: what a page can do, a program can, by the same rules."""

from typing import Any

import pytest

from fleet_server.places import service as places
from fleet_server.questions import service as questions
from tests.fleet_server.accounts.county import County, county

__all__ = ["county"]
DEVICE = "real00000001"


@pytest.fixture
def stands(county: County) -> County:
    """A kiosk at the clinic's exit, and the ready sets."""
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        places.install(session, "test", device_id=DEVICE, place_id=county.places["exit"], now=county.now)
    return county


def post(county: County, path: str, who: str = "alice", **body: Any) -> Any:
    return county.browser(who).post(f"/api/v1{path}", json=body)


def test_a_draft_is_dropped_and_restored(stands: County) -> None:
    draft = post(stands, "/drafts", name="Autumn", copy_of=5).json()["id"]
    assert post(stands, f"/drafts/{draft}/restore").json()["field"] == "draft", "it is not a dropped one"
    assert post(stands, f"/drafts/{draft}/drop").json()["state"] == "dropped"
    refused = post(stands, f"/drafts/{draft}/undo")
    assert (refused.status_code, refused.json()["error"]) == (
        422,
        f"Draft {draft} was dropped. Restore it to go on.",
    )
    assert post(stands, f"/drafts/{draft}/restore").json()["state"] == "open"
    assert [entry.action for entry in stands.audit()][-2:] == ["drop draft", "restore draft"]


def test_a_schedule_is_changed_by_who_keeps_its_places_until_it_has_ended(stands: County) -> None:
    asked = {"name": "Flu", "set_number": 2, "choice": {"units": [stands.units["clinic"]]}}
    number = post(stands, "/schedules", "bob", **asked).json()["id"]
    changed = post(stands, f"/schedules/{number}", "bob", **asked | {"weekly": {"mon": "8-16"}}).json()
    assert changed["weekly"]["mon"] == [["08:00", "16:00"]]
    assert changed["id"] == number
    wider = post(stands, f"/schedules/{number}", "alice", **asked | {"choice": {}})
    assert wider.status_code == 200
    assert post(stands, f"/schedules/{number}", "bob", **asked).status_code == 403, "the county's by now"
    assert post(stands, f"/schedules/{number}/end").status_code == 200
    ended = post(stands, f"/schedules/{number}", **asked)
    assert (ended.status_code, ended.json()["error"]) == (
        422,
        f"Schedule {number} has ended. Make a new one.",
    )
    assert post(stands, "/schedules/99", **asked).json()["code"] == "not_found"


def test_the_next_stage_of_a_rollout_begins_at_once(stands: County) -> None:
    stages = [{"places": 1, "wait_min": 60}, {"all": True, "wait_min": 60}]
    with stands.database.write() as session:
        there = stands.places["lobby"]
        places.install(session, "test", device_id="real00000002", place_id=there, now=stands.now)
    both = [stands.places["exit"], there]
    begun = post(stands, "/rollouts", set_number=5, choice={"places": both}, stages=stages)
    assert begun.status_code == 201
    number = begun.json()["id"]
    assert begun.json()["reason"] == ""
    assert post(stands, f"/rollouts/{number}/go-on").json()["stage"] == 1
    last = post(stands, f"/rollouts/{number}/go-on").json()
    assert (last["code"], last["faults"]) == ("hindered", [f"rollout {number} is in its last stage"])
