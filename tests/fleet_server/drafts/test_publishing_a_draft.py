"""A draft becomes a set when nothing stands in its way; everything that does is said, in one go, on page and in API."""

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from fleet_server.accounts import county as rules
from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.drafts import publish, seen, service
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from tests.fleet_server.accounts.county import County

TOLD = {"fi": "Oliko pihalla liukasta?", "sv": "Var det halt på gården?", "en": "Was the yard slippery?"}
ANSWERS = {"fi": ["Kyllä", "Ei"], "sv": ["Ja", "Nej"], "en": ["Yes", "No"]}
SEEN = ("button4", "button5", "touch")


@pytest.fixture
def desk(county: County) -> County:
    """The county with the ready sets, and a second coordinator."""
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        accounts.create_user(
            session,
            email="cora@example.org",
            name="Cora",
            language="en",
            roles=[(Role.COORDINATOR, None)],
            now=county.now,
        )
    return county


def _draft(desk: County, *, copy_of: int | None = 7, continues: bool = True) -> int:
    with desk.database.write() as session:
        draft = service.new(
            session, desk.person("bob"), "Talvi", copy_of=copy_of, continues=continues, now=desk.now
        )
        return draft.id or 0


def _edit(desk: County, draft_id: int, *ops: dict[str, Any], who: str = "bob") -> int:
    with desk.database.write() as session:
        draft = service.get(session, draft_id)
        assert draft is not None
        done = service.apply(session, desk.person(who), draft_id, list(ops), draft.revision, now=desk.now)
        assert done.conflicts == []
        return done.revision


def _slippery(**texts: str) -> dict[str, Any]:
    question = {"type": "choice", "text": texts or TOLD, "labels": ANSWERS}
    return {"do": "add", "path": "questions/ICE", "to": question}


def _asked_last(desk: County, draft_id: int, code: str) -> dict[str, Any]:
    with desk.database.read() as session:
        draft = service.get(session, draft_id)
        assert draft is not None
        flow = service.body(draft).get("flows", [{"ask": None}])[0]["ask"]
    return {"do": "set", "path": "flows/visitor", "to": [*flow, code]}


def _see(desk: County, draft_id: int) -> None:
    with desk.database.write() as session:
        draft = service.get(session, draft_id)
        assert draft is not None
        for model in SEEN:
            seen.note(session, service.content_hash(draft), model, "bob@example.org", now=desk.now)


def _faults(desk: County, draft_id: int) -> list[str]:
    with desk.database.read() as session:
        draft = service.get(session, draft_id)
        assert draft is not None
        return [str(fault) for fault in publish.faults(session, draft, now=desk.now)]


def _publish(desk: County, draft_id: int, who: str = "bob", **more: Any) -> QuestionSet:
    with desk.database.write() as session:
        return publish.publish(session, desk.person(who), draft_id, now=desk.now, **more)


def test_what_stands_in_the_way_is_said_all_at_once_and_nothing_is_made(desk: County) -> None:
    draft = _draft(desk)
    _edit(desk, draft, _slippery(fi=TOLD["fi"], en=TOLD["en"]))
    _edit(desk, draft, _asked_last(desk, draft, "ICE"))
    with desk.database.write() as session:
        rules.change(
            session, "test", second_person=True, required_languages=["fi", "sv", "sme"], now=desk.now
        )
    faults = _faults(desk, draft)
    assert "the county requires Northern Sámi, and the draft does not ask in it" in faults
    assert "question set Talvi: text 'ICE' has no Swedish" in faults
    assert "the county requires a second person, and nobody has approved the draft yet" in faults
    with pytest.raises(publish.NotPublished) as refused:
        _publish(desk, draft)
    assert refused.value.faults == faults
    with desk.database.read() as session:
        assert len(questions.all_sets(session)) == publish.next_number(session) - 1


def test_a_draft_without_a_fault_becomes_the_next_version_of_its_family_and_says_what_changed(
    desk: County,
) -> None:
    draft = _draft(desk)
    _edit(desk, draft, _slippery())
    _edit(desk, draft, _asked_last(desk, draft, "ICE"))
    assert _faults(desk, draft) == [
        "nobody has looked at the preview for model touch of what the draft says now"
    ]
    _see(desk, draft)
    row = _publish(desk, draft)
    assert (row.family, row.previous, row.version) == (7, 7, "1.1")
    assert (row.made_by, row.approved_by, row.change) == ("bob@example.org", "", "added")
    body = questions.body_of(row)
    assert body["number"] == row.number
    assert body["questions"][-1]["text"] == TOLD
    with pytest.raises(publish.NotPublished, match="published or dropped already"):
        _publish(desk, draft)
    entry = desk.audit()[-1]
    assert (entry.actor, entry.action) == ("bob@example.org", "publish draft")
    assert json.loads(entry.after or "")["set"] == row.number


def test_what_cannot_be_compared_any_more_is_named_and_published_only_when_that_is_confirmed(
    desk: County,
) -> None:
    first = _draft(desk, copy_of=7)
    _edit(desk, first, _slippery())
    _edit(desk, first, _asked_last(desk, first, "ICE"))
    _see(desk, first)
    number = _publish(desk, first).number
    draft = _draft(desk, copy_of=number)
    _edit(desk, draft, {"do": "set", "path": "questions/ICE/text/fi", "to": "Oliko parkkipaikalla liukasta?"})
    _see(desk, draft)
    assert _faults(desk, draft) == []
    with pytest.raises(publish.NotPublished) as refused:
        _publish(desk, draft)
    assert refused.value.faults == [
        f"answers to ICE cannot be compared with those to set {number}; confirm that this is wished"
    ]
    page = desk.browser("bob").get(f"/drafts/{draft}/publish").text
    assert "Answers before and after cannot be compared" in page
    row = _publish(desk, draft, breaks_confirmed=True)
    assert (row.previous, row.change) == (number, "wording")


def test_nobody_approves_what_they_edited_last_or_asked_for(desk: County) -> None:
    with desk.database.write() as session:
        rules.change(session, "test", second_person=True, required_languages=["fi", "sv"], now=desk.now)
    draft = _draft(desk)
    _edit(desk, draft, _slippery())
    revision = _edit(desk, draft, _asked_last(desk, draft, "ICE"))
    _see(desk, draft)
    bob, alice, cora = (desk.browser(name) for name in ("bob", "alice", "cora"))
    address = f"/drafts/{draft}/publish"
    assert alice.post(f"{address}/ask").status_code == 303
    for browser, who in ((bob, "Bob"), (alice, "Alice")):
        answer = browser.post(f"{address}/approve", data={"revision": revision})
        assert answer.status_code == 422
        assert f"{who} edited this draft last or asked for the approval" in answer.text
    assert cora.post(f"{address}/approve", data={"revision": revision - 1}).status_code == 422
    back = cora.post(f"{address}/send-back", data={"comment": "Liian pitkä"})
    assert back.status_code == 303
    assert "“Liian pitkä”" in bob.get(address).text
    assert bob.post(f"{address}/ask").status_code == 303
    assert cora.post(f"{address}/approve", data={"revision": revision}).status_code == 303

    with desk.database.read() as session:
        approved = service.get(session, draft)
        assert approved is not None
        assert (approved.state, approved.approved_by) == ("approved", "cora@example.org")
    changed = _edit(desk, draft, {"do": "set", "path": "name", "to": "Talvi 2"})
    assert bob.post(address, data={"revision": changed}).status_code == 422, "an edit asks for a new approval"
    assert bob.post(f"{address}/ask").status_code == 303
    assert cora.post(f"{address}/approve", data={"revision": changed}).status_code == 303
    assert bob.post(address, data={"revision": changed - 1}).status_code == 422, "not what was looked at"
    assert bob.post(address, data={"revision": changed}).status_code == 303
    with desk.database.read() as session:
        row = questions.all_sets(session)[-1]
        assert (row.made_by, row.approved_by) == ("bob@example.org", "cora@example.org")
    assert f"/rollouts/new?set={row.number}" in bob.get(address).text


def test_only_coordinators_get_to_a_draft_and_one_that_is_not_there_is_none(desk: County) -> None:
    draft = _draft(desk)
    for name in ("charlie", "tuula", "otto"):
        for way in ("", "/ask", "/approve", "/send-back"):
            answer = desk.browser(name).post(f"/drafts/{draft}/publish{way}", data={"revision": 0})
            assert answer.status_code == 403
    bob = desk.browser("bob")
    assert bob.get("/drafts/99/publish").status_code == 404
    for way in ("", "/ask", "/approve", "/send-back"):
        assert bob.post(f"/drafts/99/publish{way}", data={"revision": 0}).status_code == 404


def test_the_api_goes_the_whole_way_with_the_same_rules(desk: County) -> None:
    with desk.database.write() as session:
        secret = accounts.create_token(
            session, name="desk", role=Role.COORDINATOR, unit_id=None, days=1, now=desk.now
        )
        reader = accounts.create_token(
            session, name="reader", role=Role.SUPERVISOR, unit_id=None, days=1, now=desk.now
        )
    api = TestClient(
        desk.app, base_url="http://testserver/api/v1", headers={"authorization": f"Bearer {secret}"}
    )
    api.headers["accept-language"] = "en"
    strange = api.post("/drafts", json={"name": "Talvi", "copy": 7})
    assert (strange.status_code, strange.json()["field"]) == (422, "copy")
    missing = api.post("/drafts", json={"name": "Talvi", "copy_of": 77}).json()
    assert (missing["field"], missing["value"]) == ("copy_of", "77")
    made = api.post("/drafts", json={"name": "Talvi", "copy_of": 7, "continues": True})
    assert made.status_code == 201
    draft = made.json()["id"]
    done = api.post(
        f"/drafts/{draft}/ops", json={"revision": 0, "ops": [_slippery(), _asked_last(desk, draft, "ICE")]}
    )
    assert done.json() == {"revision": 1, "conflicts": []}
    assert api.post(f"/drafts/{draft}/undo").json()["revision"] == 2
    assert api.post(f"/drafts/{draft}/redo").json()["revision"] == 3
    locked = api.post(
        f"/drafts/{draft}/ops",
        json={"revision": 3, "ops": [{"do": "set", "path": "questions/NPS/text/fi", "to": "x"}]},
    )
    assert (locked.status_code, locked.json()["field"]) == (422, "questions/NPS/text/fi")
    refused = api.post(f"/drafts/{draft}/publish", json={"revision": 3})
    assert refused.status_code == 422
    assert refused.json()["faults"] == api.get(f"/drafts/{draft}").json()["faults"] != []
    _see(desk, draft)
    published = api.post(f"/drafts/{draft}/publish", json={"revision": 3})
    assert published.status_code == 201, published.text
    number = published.json()["number"]
    assert published.json() | {"hash": ""} == {
        "number": number,
        "hash": "",
        "family": 7,
        "previous": 7,
        "change": "added",
    }
    compared = api.get(f"/question-sets/7/compare/{number}").json()
    assert (compared["classes"], compared["added"], compared["breaks"]) == (["added"], ["ICE"], {})
    assert api.get("/drafts").json()["drafts"][0]["published_number"] == number

    labelled = api.post(f"/question-sets/{number}/label", json={"label": "talvi"}).json()
    assert labelled == {"number": number, "label": "talvi", "archived": False}
    assert api.post(f"/question-sets/{number}/archive").json()["archived"] is True
    assert api.post(f"/question-sets/{number}/restore").json()["archived"] is False

    with desk.database.write() as session:
        rules.change(session, "test", second_person=True, required_languages=["fi"], now=desk.now)
        second = service.new(session, desk.person("bob"), "Toinen", copy_of=7, now=desk.now).id
    assert api.post(f"/drafts/{second}/ask").status_code == 200
    alone = api.post(f"/drafts/{second}/approve", json={"revision": 0})
    assert alone.status_code == 422
    assert "token:desk is a program" in alone.json()["error"]

    api.headers["authorization"] = f"Bearer {reader}"
    for way in ("/drafts", f"/drafts/{draft}"):
        assert api.get(way).status_code == 403
    assert api.post(f"/drafts/{draft}/publish", json={"revision": 3}).status_code == 403
    assert api.get(f"/question-sets/7/compare/{number}").status_code == 200


def test_each_fault_leads_to_where_it_is_put_right(desk: County) -> None:
    with desk.database.write() as session:
        rules.change(
            session, "test", second_person=True, required_languages=["fi", "sv", "sme"], now=desk.now
        )
    draft = _draft(desk)
    _edit(desk, draft, _slippery(fi=TOLD["fi"], en=TOLD["en"]))
    address = f"/drafts/{draft}"
    page = desk.browser("bob").get(f"{address}/publish").text
    assert f'<a href="{address}/texts#questions/ICE/text/sv">' in page
    assert f'<a href="{address}#f-questions-ICE">' in page
    assert f'<a href="{address}/texts#add">' in page
    assert f'<a href="{address}/publish#approval">' in page
    _edit(desk, draft, {"do": "set", "path": "questions/ICE/text/sv", "to": TOLD["sv"]})
    _edit(desk, draft, _asked_last(desk, draft, "ICE"))
    page = desk.browser("bob").get(f"{address}/publish").text
    assert f'<a href="{address}/preview?model=touch">' in page
    for link in set(re.findall(rf'<a href="({address}[^"#]*)', page)):
        assert desk.browser("bob").get(link).status_code == 200


def test_a_translation_that_its_source_left_behind_is_told_before_publishing(desk: County) -> None:
    draft = _draft(desk)
    _edit(desk, draft, _slippery())
    browser = desk.browser("bob")
    assert "behind" not in browser.get(f"/drafts/{draft}/publish").text
    _edit(desk, draft, {"do": "set", "path": "questions/ICE/text/fi", "to": "Oliko piha liukas?"})
    assert "2 translations are behind their source." in browser.get(f"/drafts/{draft}/publish").text
