"""The editor's pages without a script: each button sends the whole form, and nothing that was typed is ever lost."""

import html
import json
import re
from typing import Any

import pytest

from fleet_server.drafts import service
from fleet_server.drafts.models import Draft
from fleet_server.questions import service as sets
from tests.fleet_server.accounts.county import PASSWORD, County


@pytest.fixture
def desk(county: County) -> County:
    """The county with the ready sets."""
    with county.database.write() as session:
        sets.add_national(session, now=county.now)
    return county


def made(county: County, copy_of: int | None = 1) -> int:
    """A draft of Bob's."""
    with county.database.write() as session:
        return service.new(session, county.person("bob"), "Kesä", copy_of=copy_of, now=county.now).id or 0


def body_of(county: County, draft_id: int) -> dict[str, Any]:
    with county.database.read() as session:
        return service.body(session.get_one(Draft, draft_id))


def state_of(county: County, draft_id: int) -> str:
    with county.database.read() as session:
        return session.get_one(Draft, draft_id).state


def form_of(page: str) -> dict[str, Any]:
    """What a browser would send of the page's form, without a button."""
    found: dict[str, Any] = {}
    inside = page.split('id="draft"')[1].split("</form>")[0]

    def value(tag: str, name: str) -> str | None:
        match = re.search(rf'\b{name}="([^"]*)"', tag)
        return html.unescape(match[1]) if match else None

    for tag in re.findall(r"<input[^>]*>", inside):
        name = value(tag, "name") or ""
        if value(tag, "type") != "checkbox" or " checked" in tag:
            found.setdefault(name, []).append(value(tag, "value") or "")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', inside, re.S):
        found[html.unescape(name)] = [html.unescape(text)]
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', inside, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        assert chosen is not None
        found[html.unescape(name)] = [html.unescape(chosen[1])]
    return found


def send(
    county: County, who: str, draft_id: int, do: str = "", *, page: str | None = None, **changed: str
) -> Any:
    """Open the page (or take one that was opened before), change fields (`a__b` for `a/b`), press a button."""
    browser = county.browser(who)
    form = form_of(page if page is not None else browser.get(f"/drafts/{draft_id}").text)
    form |= {name.replace("__", "/"): [text] for name, text in changed.items()}
    return browser.post(f"/drafts/{draft_id}", data=form | {"do": do})


def codes(county: County, draft_id: int) -> list[str]:
    return [question["code"] for question in body_of(county, draft_id)["questions"]]


def test_a_form_that_was_not_changed_changes_nothing(desk: County) -> None:
    for number in range(1, 10):
        draft_id = made(desk, number)
        before = body_of(desk, draft_id)
        assert send(desk, "bob", draft_id).status_code == 303
        with desk.database.read() as session:
            assert session.get_one(Draft, draft_id).revision == 0
        assert body_of(desk, draft_id) == before


def test_a_set_is_copied_reordered_and_extended_without_a_script(desk: County) -> None:
    draft_id = made(desk, 7)
    send(desk, "bob", draft_id, "up:PEI-H", thanks__fi="Kiitos, hyvää kesää!")
    assert codes(desk, draft_id).index("PEI-H") == codes(desk, draft_id).index("K7-H") - 1
    assert body_of(desk, draft_id)["thanks"]["fi"] == "Kiitos, hyvää kesää!"
    ask = body_of(desk, draft_id)["flows"][0]["ask"]
    assert ask[1] == {"rotate": ["K1", "K2", "K3-H", "K4-H", "K5-H", "K6-H", "K7-H"], "take": 2}
    send(desk, "bob", draft_id, "own", new_type="smiley5")
    assert codes(desk, draft_id)[-1] == "OWN-1"
    assert body_of(desk, draft_id)["flows"][0]["ask"][-1] == "OWN-1"
    send(desk, "bob", draft_id, **{"questions/OWN-1/text/fi": "Oliko tilassa viileää?"})
    page = desk.browser("bob").get(f"/drafts/{draft_id}").text
    assert "text &#39;OWN-1&#39; has no Swedish" in page
    assert 'href="#f-questions-OWN-1-text-sv"' in page
    assert 'id="f-questions-OWN-1-text-sv"' in page
    send(desk, "bob", draft_id, "remove:K1")
    assert "K1" not in codes(desk, draft_id)
    assert "K1" not in json.dumps(body_of(desk, draft_id)["flows"])
    send(desk, "bob", draft_id, "undo")
    assert body_of(desk, draft_id)["flows"][0]["ask"][1]["rotate"][0] == "K1"
    assert codes(desk, draft_id)[1] == "K1"
    send(desk, "bob", draft_id, "redo")
    assert "K1" not in codes(desk, draft_id)


def test_own_questions_change_their_way_of_answering_and_follow_up(desk: County) -> None:
    draft_id = made(desk, 5)
    send(desk, "bob", draft_id, "own", new_type="choice")
    send(desk, "bob", draft_id, "option:OWN-1", **{"questions/OWN-1/labels/fi/1": "Toinen"})
    question = body_of(desk, draft_id)["questions"][-1]
    assert question["labels"]["fi"] == ["", "Toinen", ""]
    send(desk, "bob", draft_id, **{"questions/OWN-1/when/code": "VISIT-5"})
    assert body_of(desk, draft_id)["questions"][-1]["when"] == {"code": "VISIT-5", "values": []}
    send(desk, "bob", draft_id, **{"questions/OWN-1/when/values": "2", "questions/OWN-1/several": "yes"})
    question = body_of(desk, draft_id)["questions"][-1]
    assert question["when"] == {"code": "VISIT-5", "values": [2]}
    assert question["several"] is True
    send(desk, "bob", draft_id, **{"questions/OWN-1/type": "text"})
    question = body_of(desk, draft_id)["questions"][-1]
    assert (question["type"], "labels" in question, "several" in question) == ("text", False, False)


def test_the_second_of_two_is_told_who_changed_what_and_both_versions_are_there(desk: County) -> None:
    draft_id = made(desk)
    opened = desk.browser("alice").get(f"/drafts/{draft_id}").text
    send(desk, "bob", draft_id, thanks__fi="Kiitos sinulle!", version="1.1")
    answer = send(desk, "alice", draft_id, page=opened, thanks__fi="Kiitos kaikille!", thanks__sv="Tack!")
    assert answer.status_code == 409
    assert "<b>Bob</b>" in answer.text
    assert "Kiitos sinulle!" in answer.text
    assert form_of(answer.text)["thanks/fi"] == ["Kiitos kaikille!"]
    body = body_of(desk, draft_id)
    assert (body["thanks"]["fi"], body["thanks"]["sv"], body["version"]) == (
        "Kiitos sinulle!",
        "Tack!",
        "1.1",
    )
    mine = send(desk, "alice", draft_id, page=answer.text)
    assert mine.status_code == 303
    assert body_of(desk, draft_id)["thanks"]["fi"] == "Kiitos kaikille!"
    assert body_of(desk, draft_id)["version"] == "1.1"


def test_the_second_of_two_may_take_what_the_first_wrote(desk: County) -> None:
    draft_id = made(desk)
    opened = desk.browser("alice").get(f"/drafts/{draft_id}").text
    send(desk, "bob", draft_id, thanks__fi="Kiitos sinulle!")
    answer = send(desk, "alice", draft_id, page=opened, thanks__fi="Kiitos kaikille!")
    assert send(desk, "alice", draft_id, "take:thanks/fi", page=answer.text).status_code == 303
    assert body_of(desk, draft_id)["thanks"]["fi"] == "Kiitos sinulle!"


def test_who_saves_later_sees_what_others_changed_elsewhere(desk: County) -> None:
    draft_id = made(desk)
    opened = desk.browser("alice").get(f"/drafts/{draft_id}").text
    send(desk, "bob", draft_id, "up:K2")
    answer = send(desk, "alice", draft_id, page=opened, thanks__sv="Tack!")
    page = desk.browser("alice").get(answer.headers["location"].split("#")[0]).text
    assert "Meanwhile others have changed this page" in page
    assert "K2 was moved below NPS" in page


def test_what_cannot_be_saved_stays_in_its_field_with_the_reason(desk: County) -> None:
    draft_id = made(desk)
    answer = send(desk, "bob", draft_id, idle_s="soon", thanks__fi="x" * 1001)
    assert answer.status_code == 422
    assert "“soon” is no whole number" in answer.text
    assert "1001 characters, at most 1000" in answer.text
    assert form_of(answer.text)["idle_s"] == ["soon"]
    assert body_of(desk, draft_id)["idle_s"] == 20


def test_an_expired_sign_in_loses_nothing_without_a_script(desk: County, with_passwords: County) -> None:
    draft_id = made(desk)
    browser = desk.browser("bob")
    form = form_of(browser.get(f"/drafts/{draft_id}").text) | {"thanks/fi": ["Pitkään kirjoitettu"]}
    stranger = desk.stranger()
    asked = stranger.post(f"/drafts/{draft_id}", data=form)
    assert asked.status_code == 401
    kept = html.unescape(re.search(r'name="kept" value="([^"]*)"', asked.text)[1])  # type: ignore[index]
    sent = {"email": "bob@example.org", "password": PASSWORD, "next": f"/drafts/{draft_id}", "kept": kept}
    wrong = stranger.post("/sign-in", data=sent | {"password": "wrong"})
    assert 'name="kept"' in wrong.text
    page = stranger.post("/sign-in", data=sent)
    assert page.status_code == 200
    again = {
        html.unescape(name): html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
        if name == "thanks/fi" or name == "revision"
    }
    assert stranger.post(f"/drafts/{draft_id}", data=again).status_code == 303
    assert body_of(desk, draft_id)["thanks"]["fi"] == "Pitkään kirjoitettu"


@pytest.mark.parametrize("kept", ["{", "[1]", '[["a"]]', '{"a": 1}', "[" * 50_000, '[["a", 1]]'])
def test_a_kept_form_that_is_none_only_signs_in(with_passwords: County, kept: str) -> None:
    sent = {"email": "bob@example.org", "password": PASSWORD, "next": "/drafts/1", "kept": kept}
    answer = with_passwords.stranger().post("/sign-in", data=sent)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/drafts/1")
    elsewhere = sent | {"kept": '[["a", "b"]]', "next": "/people/new"}
    assert with_passwords.stranger().post("/sign-in", data=elsewhere).status_code == 303


@pytest.mark.parametrize("who", ["charlie", "tuula", "otto"])
def test_everybody_may_read_and_only_coordinators_write(desk: County, who: str) -> None:
    draft_id = made(desk)
    page = desk.browser(who).get(f"/drafts/{draft_id}")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    assert "Sain apua" in page.text
    assert desk.browser(who).get(f"/drafts/{draft_id}/history").status_code == 200
    for path in (
        f"/drafts/{draft_id}",
        f"/drafts/{draft_id}/drop",
        f"/drafts/{draft_id}/restore",
        "/drafts/new",
    ):
        assert desk.browser(who).post(path, data={"name": "x", "version": "9"}).status_code == 403
    assert body_of(desk, draft_id)["version"] != "9"


def test_a_draft_is_dropped_after_a_question_and_restored(desk: County) -> None:
    draft_id = made(desk)
    assert "Drop the draft?" in desk.browser("bob").get(f"/drafts/{draft_id}/drop").text
    assert state_of(desk, draft_id) == "open"
    assert desk.browser("bob").post(f"/drafts/{draft_id}/drop").status_code == 303
    assert state_of(desk, draft_id) == "dropped"
    assert (
        desk.browser("bob").post(f"/drafts/{draft_id}", data={"revision": "0", "version": "9"}).status_code
        == 422
    )
    desk.browser("alice").post(f"/drafts/{draft_id}/restore")
    assert state_of(desk, draft_id) == "open"
    actions = [entry.action for entry in desk.audit() if entry.object_kind == "draft"]
    assert actions == ["create draft", "drop draft", "restore draft"]
    assert "Kesä" in desk.browser("alice").get("/audit").text


def test_the_history_says_who_did_what_and_when(desk: County) -> None:
    draft_id = made(desk)
    send(desk, "bob", draft_id, "down:NPS", thanks__fi="Kiitos!")
    send(desk, "alice", draft_id, "item:LANG")
    send(desk, "alice", draft_id, "undo")
    page = desk.browser("bob").get(f"/drafts/{draft_id}/history").text
    for text in (
        "NPS was moved below K1",
        "thank-you in Finnish: Kiitos!",
        "LANG was added",
        "taken back",
        "Bob",
        "Alice",
    ):
        assert text in page, text


def test_a_new_draft_needs_a_name_and_a_set_that_is_there(desk: County) -> None:
    answer = desk.browser("bob").post("/drafts/new", data={"name": " ", "copy_of": "999"})
    assert answer.status_code == 422
    assert "no question set 999" in answer.text
    done = desk.browser("bob").post("/drafts/new", data={"name": "Talvi", "copy_of": "1", "how": "continue"})
    draft_id = int(done.headers["location"].rsplit("/", 1)[1])
    with desk.database.read() as session:
        row = session.get_one(Draft, draft_id)
        assert (row.family, row.previous, service.body(row)["version"]) == (1, 1, "1.1")


@pytest.mark.parametrize(
    "do",
    [
        "up:X",
        "up:",
        "after:K1:X",
        "remove:X",
        "item:X",
        "less:K1:0",
        "flow:dog",
        "nonsense",
        "take:",
        "own",
        ":::",
        "update:K1",
        "option:K1",
    ],
)
def test_a_button_that_means_nothing_breaks_nothing(desk: County, do: str) -> None:
    draft_id = made(desk)
    answer = desk.browser("bob").post(
        f"/drafts/{draft_id}", data={"revision": "0", "do": do, "new_type": "stars"}
    )
    assert answer.status_code in (303, 422)
    assert codes(desk, draft_id)[:2] == ["NPS", "K1"]
