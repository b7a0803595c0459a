"""Families of sets: copied, continued, labelled and put away; never while a kiosk is to ask them."""

import copy
import html

import pytest
from sqlmodel import col, select

from fleet_server.devices.models import Device
from fleet_server.drafts.models import Draft
from fleet_server.places import service as places
from fleet_server.questions import service, versions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.national import national_sets
from fleet_server.refusals import Refused
from fleet_server.rollouts import advancing
from fleet_server.rollouts import service as rollouts
from fleet_server.rollouts.models import RolloutDevice
from fleet_server.rollouts.plan import AT_ONCE, Stage, StopRule
from fleet_server.schedules import service as schedules
from fleet_server.schedules.models import Schedule
from tests.fleet_server.accounts.county import County


@pytest.fixture
def fleet(county: County) -> County:
    """The ready sets, and set 70, the next version of set 1."""
    body = copy.deepcopy(national_sets()[0]) | {"number": 70, "version": "1.1"}
    body["questions"][1]["text"]["fi"] = "Sain apua heti, kun sitä tarvitsin"
    with county.database.write() as session:
        service.add_national(session, now=county.now)
        row = service.add(session, body, source="test", now=county.now)
        row.family, row.previous, row.change = 1, 1, "wording"
        session.add(row)
    return county


def test_the_list_shows_families_with_what_each_version_changed(fleet: County) -> None:
    page = html.unescape(fleet.browser("charlie").get("/question-sets").text)
    assert 'href="/question-sets/1/compare/70"' in page
    assert "/manage" not in page
    assert 'href="/question-sets/70/manage"' in fleet.browser("alice").get("/question-sets").text


def test_two_versions_are_compared_word_by_word(fleet: County) -> None:
    page = html.unescape(fleet.browser("charlie").get("/question-sets/1/compare/70").text)
    assert "K1: its Finnish wording changed" in page
    assert "Sain apua<ins> heti</ins>, kun sitä tarvitsin" in page
    assert fleet.browser("charlie").get("/question-sets/1/compare/99").status_code == 404


def test_a_set_that_is_wished_of_a_kiosk_is_not_put_away_and_the_page_says_of_which(fleet: County) -> None:
    alice = fleet.browser("alice")
    with fleet.database.write() as session:
        assert service.publish(session, 70, ["real00000001"], actor="test", now=fleet.now) == []
    assert "Real one" in alice.get("/question-sets/70/manage").text
    answer = alice.post("/question-sets/70/archive", data={"sure": "yes"})
    assert answer.status_code == 422
    assert "wished of these kiosks: Real one" in answer.text
    with fleet.database.write() as session:
        assert service.publish(session, 1, ["real00000001"], actor="test", now=fleet.now) == []
    assert alice.post("/question-sets/70/archive", data={"sure": "yes"}).status_code == 303
    with fleet.database.read() as session:
        row = session.get(QuestionSet, 70)
        assert row is not None
        assert row.archived_at == fleet.now


def test_a_set_that_a_rollout_or_a_schedule_needs_is_not_put_away_and_each_is_named(fleet: County) -> None:
    with fleet.database.write() as session:
        for device, place in (("real00000001", "exit"), ("real00000002", "lobby")):
            places.install(session, "test", device_id=device, place_id=fleet.places[place], now=fleet.now)
        assert service.publish(session, 3, ["real00000001"], actor="test", now=fleet.now) == []
        rollout = rollouts.start(
            session, "test", 5, {}, [Stage("places", 1, 60), *AT_ONCE], StopRule(), False, now=fleet.now + 1
        )
        schedules.save(
            session, fleet.person("alice"), None, name="Flu season", set_number=4,
            choice={"models": ["button5"]}, first_day="", last_day="", weekly="", holidays="any", now=fleet.now,
        )  # fmt: skip
        number = rollout.id or 0
    fleet.now += 2
    said = {
        5: "Set 5 is on its way in rollout 1. Roll it back, or wait until it is done.",
        4: "Set 4 is asked by schedule Flu season. End it first.",
    }
    refused_with(fleet, said)
    with fleet.database.write() as session:
        while advancing.advance(session, now=fleet.now).more:
            pass
        wishes = {row.id: service.published_to(session, row.id) for row in session.exec(select(Device))}
        rolled = [one for one, wished in wishes.items() if wished is not None and wished.number == 5]
        assert len(rolled) == 1
        parts = select(RolloutDevice.before_set).where(col(RolloutDevice.device_id).in_(rolled))
        before = session.exec(parts).one()
        if before is None:  # the lot fell on the kiosk that asked nothing: let the other one have it, too
            rollouts.go_on(session, "test", number, now=fleet.now)
            advancing.advance(session, now=fleet.now)
    refused_with(fleet, {3: "Rollout 1 may still go back to set 3. Wait until it is done."})
    fleet.now += 1
    with fleet.database.write() as session:
        rollouts.back(session, "test", number, now=fleet.now)
        schedules.end(session, fleet.person("alice"), session.get_one(Schedule, 1), now=fleet.now)
        while advancing.advance(session, now=fleet.now).more:
            pass
        assert service.publish(session, 1, ["real00000002"], actor="test", now=fleet.now) == []
        for given_up in (4, 5):
            versions.archive(session, "test", given_up, now=fleet.now)


def refused_with(fleet: County, said: dict[int, str]) -> None:
    """The page and the API refuse to put these away with the same words, and the page offers it for none."""
    alice = fleet.browser("alice")
    for number, text in said.items():
        page = alice.post(f"/question-sets/{number}/archive", data={"sure": "yes"})
        assert page.status_code == 422
        assert text in html.unescape(page.text)
        assert f'action="/question-sets/{number}/archive"' not in page.text
        answer = alice.post(f"/api/v1/question-sets/{number}/archive")
        assert answer.status_code == 422
        assert answer.json()["code"] == "in_use"
        assert any(text in fault for fault in answer.json()["faults"])


def test_a_rollout_does_not_go_back_to_a_set_that_was_put_away(fleet: County) -> None:
    with fleet.database.write() as session:
        places.install(
            session, "test", device_id="real00000001", place_id=fleet.places["exit"], now=fleet.now
        )
        service.publish(session, 3, ["real00000001"], actor="test", now=fleet.now)
        choice = {"places": [fleet.places["exit"]]}
        rollout = rollouts.start(session, "test", 5, choice, AT_ONCE, StopRule(), False, now=fleet.now + 1)
        advancing.advance(session, now=fleet.now + 2)
        session.get_one(Device, "real00000001").running_set = 5
        for later in (3, 4):
            advancing.advance(session, now=fleet.now + later)
        assert rollout.state == "done"
        versions.archive(session, "test", 3, now=fleet.now + 4)
        with pytest.raises(rollouts.NotDone, match="question set 3 is in the archive"):
            rollouts.back(session, "test", rollout.id or 0, now=fleet.now + 5)
        versions.restore(session, "test", 3, now=fleet.now + 6)
        rollouts.back(session, "test", rollout.id or 0, now=fleet.now + 7)


def test_what_is_away_is_neither_rolled_out_nor_scheduled(fleet: County) -> None:
    alice = fleet.browser("alice")
    with fleet.database.write() as session:
        places.install(
            session, "test", device_id="real00000001", place_id=fleet.places["exit"], now=fleet.now
        )
        versions.archive(session, "test", 5, now=fleet.now)
    everything = {"set_number": 5, "choice": {"models": ["button5"]}}
    text = "question set 5 is in the archive; take it out of there first"
    begun = alice.post("/api/v1/rollouts", json=everything | {"stages": [{"all": True}]})
    assert (begun.status_code, begun.json()["faults"]) == (422, [text])
    planned = alice.post("/api/v1/schedules", json=everything | {"name": "Flu season"})
    assert (planned.status_code, planned.json()["faults"]) == (422, [f"set_number: {text}"])
    page = alice.post("/rollouts/new", data={"set": "5", "kind1": "all", "go": "yes"})
    assert page.status_code == 422
    assert text in html.unescape(page.text)


def test_archiving_is_confirmed_and_what_is_away_goes_to_no_kiosk_until_restored(fleet: County) -> None:
    alice = fleet.browser("alice")
    alice.post("/question-sets/70/archive")
    assert "/question-sets/70/manage" in alice.get("/question-sets").text
    alice.post("/question-sets/70/archive", data={"sure": "yes"})
    assert "/question-sets/70/manage" not in alice.get("/question-sets").text
    assert "/question-sets/70/manage" in alice.get("/question-sets?archived=true").text
    with fleet.database.write() as session:
        (fault,) = service.publish(session, 70, ["real00000001"], actor="test", now=fleet.now)
        assert "is in the archive" in fault
    alice.post("/question-sets/70/restore")
    assert "/question-sets/70/manage" in alice.get("/question-sets").text
    assert [entry.action for entry in fleet.audit()][-2:] == ["archive question set", "restore question set"]


def test_a_label_is_kept_or_refused_with_its_reason(fleet: County) -> None:
    alice = fleet.browser("alice")
    assert alice.post("/question-sets/70/label", data={"label": " kesä 2026 "}).status_code == 303
    assert "kesä 2026" in alice.get("/question-sets").text
    answer = alice.post("/question-sets/70/label", data={"label": "x" * 41})
    assert answer.status_code == 422
    assert "at most 40" in answer.text
    with fleet.database.write() as session, pytest.raises(Refused):
        versions.label(session, "test", 999, "x", now=1)


def test_copy_and_next_version_become_drafts(fleet: County) -> None:
    alice = fleet.browser("alice")
    assert alice.post("/question-sets/70/copy").headers["location"] == "/drafts/1"
    assert alice.post("/question-sets/70/continue").headers["location"] == "/drafts/2"
    with fleet.database.read() as session:
        copied, continued = (session.get(Draft, number) for number in (1, 2))
        assert copied is not None
        assert continued is not None
        assert (copied.family, copied.previous) == (None, 70)
        assert (continued.family, continued.previous) == (1, 70)
    assert 'href="/drafts/2"' in alice.get("/question-sets").text


@pytest.mark.parametrize("what", ["copy", "continue", "archive", "restore", "label"])
def test_only_coordinators_may(fleet: County, what: str) -> None:
    assert fleet.browser("charlie").post(f"/question-sets/70/{what}").status_code == 403
