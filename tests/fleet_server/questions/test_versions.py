"""Families of sets: copied, continued, labelled and put away; never while a kiosk is to ask them."""

import copy
import html

import pytest

from fleet_server.drafts.models import Draft
from fleet_server.questions import service, versions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.national import national_sets
from fleet_server.refusals import Refused
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
