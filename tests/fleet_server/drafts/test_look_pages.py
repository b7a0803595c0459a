"""Looking at a draft: its screens as the kiosks will draw them, a walk by touching, and who has seen exactly what."""

import html
import re

import pytest

from fleet_server.drafts import seen, service
from fleet_server.questions import service as questions
from tests.fleet_server.accounts.county import County


@pytest.fixture
def desk(county: County) -> County:
    """The ready sets, and draft 1: the next version of set 7."""
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        service.new(session, "test", "Terveys", copy_of=7, continues=True, now=county.now)
    return county


def edit(desk: County, path: str, to: object) -> None:
    with desk.database.write() as session:
        draft = service.get(session, 1)
        assert draft is not None
        done = service.apply(
            session, "test", 1, [{"do": "set", "path": path, "to": to}], draft.revision, now=desk.now
        )
        assert not done.conflicts


def was_seen(desk: County, model: str) -> bool:
    with desk.database.read() as session:
        draft = service.get(session, 1)
        assert draft is not None
        return seen.seen(session, service.content_hash(draft), [model])


def field(page: str, name: str) -> str:
    (value,) = re.findall(rf'name="{name}" value="([^"]*)"', page)
    return html.unescape(value)


def test_a_look_is_noted_for_what_the_draft_says_and_gone_after_one_edit(desk: County) -> None:
    browser = desk.browser("bob")
    page = browser.get("/drafts/1/preview?language=sv").text
    assert "Everything has room" in page
    shown = re.findall(r'<img src="(/drafts/1/preview/[^"]+)"', page)
    assert len(shown) > 15
    assert browser.get(html.unescape(shown[0])).content[:4] == b"\x89PNG"
    sent = {"content": field(page, "content"), "model": field(page, "model")}
    assert browser.post("/drafts/1/preview", data=sent).status_code == 303
    assert was_seen(desk, "touch")
    assert "Bob, " in browser.get("/drafts/1/preview").text
    edit(desk, "thanks/fi", "Kiitos!")
    assert not was_seen(desk, "touch")
    again = browser.post("/drafts/1/preview", data=sent)
    assert again.status_code == 409
    assert "was changed while you looked" in again.text
    assert not was_seen(desk, "touch")


def test_what_has_no_room_is_shown_with_its_picture_and_cannot_be_confirmed(desk: County) -> None:
    edit(desk, "thanks/sv", "Omhändertagandeplaneringsmöte " * 6)
    browser = desk.browser("bob")
    page = browser.get("/drafts/1/preview?language=sv").text
    assert "has no room" in page
    (address,) = re.findall(r'<a href="([^"]+\.png[^"]*)">See it', page)
    assert browser.get(html.unescape(address)).status_code == 200
    with desk.database.read() as session:
        draft = service.get(session, 1)
        assert draft is not None
        content = service.content_hash(draft)
    answer = browser.post("/drafts/1/preview", data={"content": content, "model": "touch"})
    assert answer.status_code == 422
    assert not was_seen(desk, "touch")


def test_while_one_language_is_missing_the_others_can_be_looked_at(desk: County) -> None:
    edit(desk, "thanks/sv", "")
    page = desk.browser("bob").get("/drafts/1/preview").text
    assert "has no Swedish" in page
    assert "only the languages without a fault are shown" in page
    assert "language=sv" not in page
    assert "language=en" in page
    assert 'name="content"' not in page


def test_a_walk_to_the_thank_you_is_noted_and_is_no_look(desk: County) -> None:
    browser = desk.browser("bob")
    page = browser.get("/drafts/1/walk").text
    for _ in range(30):
        if "This is the thank-you page" in page:
            break
        places = re.findall(r'<button class="button small[^"]*" name="do" value="(\d+)"([^>]*)>([^<]*)', page)
        answers = [value for value, attributes, _text in places if "lang=" in attributes]
        skips = [value for value, _attributes, text in places if "Skip" in text]
        sent = {"walk": field(page, "walk"), "do": (answers or skips)[0]}
        page = browser.post("/drafts/1/walk", data=sent).text
    assert "It is noted that somebody walked through" in page
    assert not was_seen(desk, "touch")
    with desk.database.read() as session:
        draft = service.get(session, 1)
        assert draft is not None
        (row,) = seen.previews(session, service.content_hash(draft))
        assert (row.walked, row.by) == (True, "bob@example.org")


def test_a_draft_is_compared_with_the_version_it_was_made_from(desk: County) -> None:
    edit(desk, "questions/KTI/text/fi", "Onnistuiko asiasi hoitaminen tänään?")
    page = html.unescape(desk.browser("bob").get("/drafts/1/compare").text)
    assert "KTI: its Finnish wording changed" in page
    assert "<ins>" in page


@pytest.mark.parametrize("path", ["preview", "walk", "compare"])
def test_only_coordinators_look_at_drafts(desk: County, path: str) -> None:
    assert desk.browser("bob").get(f"/drafts/1/{path}").status_code == 200
    assert desk.browser("charlie").get(f"/drafts/1/{path}").status_code == 403
    assert desk.browser("bob").get(f"/drafts/99/{path}").status_code == 404
