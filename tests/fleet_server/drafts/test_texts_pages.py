"""The page of translating and the way of a spreadsheet: what is done, what is refused, and who may."""

import io
import re

import pytest
from openpyxl import load_workbook

from fleet_server.drafts import service
from fleet_server.drafts.models import Draft
from fleet_server.drafts.texts import stale
from tests.fleet_server.accounts.county import County
from tests.fleet_server.drafts.desks import FIND_FI, FIND_SV, TEXT, edit, make_draft, set_

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def desk(county: County) -> County:
    """The county with draft 1."""
    with county.database.write() as session:
        make_draft(session, county.now)
    return county


def body(desk: County):
    with desk.database.read() as session:
        return service.body(session.get(Draft, 1))


def text(desk: County, path: str):
    return service.ops.at(body(desk), path)


def change(desk: County, *ops, by: str = "charlie@example.org") -> None:
    with desk.database.write() as session:
        edit(session, session.get(Draft, 1), *ops, by=by)


def behind(desk: County) -> list[str]:
    with desk.database.read() as session:
        return list(stale(session, session.get(Draft, 1)))


def fields_of(page: str) -> dict[str, str]:
    """The form of texts as a browser would send it."""
    form = page.split("<form", 1)[1]
    form = next(part for part in page.split("<form") if "data-texts" in part).split("</form>")[0]
    found = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    found.pop("keep", None)
    for name, value in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n([^<]*)</textarea>', form):
        found[name] = value.replace("&#39;", "'").replace("\n", "\r\n")
    return found


def test_saving_the_page_as_it_is_changes_nothing(desk: County) -> None:
    bob = desk.browser("bob")
    before = body(desk)
    sent = bob.post("/drafts/1/texts", data=fields_of(bob.get("/drafts/1/texts").text))
    assert (sent.status_code, sent.headers["location"]) == (303, "/drafts/1/texts?show=all&done=nothing")
    assert body(desk) == before


def test_what_is_typed_is_kept_and_a_word_may_be_said_otherwise(desk: County) -> None:
    bob = desk.browser("bob")
    fields = fields_of(bob.get("/drafts/1/texts").text)
    typed = {FIND_SV: " Rad ett\r\nrad två 🙂 ", "words/skip/sv": "Nästa, tack", "thanks/en": ""}
    assert bob.post("/drafts/1/texts", data=fields | typed).status_code == 303
    assert text(desk, FIND_SV) == "Rad ett\nrad två 🙂"
    assert body(desk)["words"] == {"skip": {"sv": "Nästa, tack"}}
    assert "en" not in body(desk)["thanks"]
    page = bob.get("/drafts/1/texts?show=missing").text
    assert 'id="thanks/en"' in page
    assert f'id="{FIND_SV}"' not in page


def test_national_texts_are_shown_and_have_no_field(desk: County) -> None:
    page = desk.browser("bob").get("/drafts/1/texts").text
    assert "national, locked" in page
    assert "questions/LANG/text/sv" not in page
    sent = {"revision": "1", "questions/LANG/text/sv": "Something else"}
    assert desk.browser("bob").post("/drafts/1/texts", data=sent).status_code == 303
    assert text(desk, "questions/LANG/text/sv") != "Something else"


def test_a_text_that_cannot_be_kept_is_named_and_what_was_typed_stays_on_the_page(desk: County) -> None:
    bob = desk.browser("bob")
    sent = bob.post(
        "/drafts/1/texts", data={"revision": "1", FIND_SV: "Ding\x07", "thanks/sv": "Tack så mycket"}
    )
    assert sent.status_code == 422
    assert "Nothing was saved" in sent.text
    assert "Tack så mycket" in sent.text
    assert text(desk, "thanks/sv") == "Tack för din respons!"


def test_stale_is_shown_with_what_it_was_made_for_and_still_right_clears_it(desk: County) -> None:
    change(desk, set_(FIND_FI, "Löysitkö helposti?"))
    bob = desk.browser("bob")
    page = bob.get("/drafts/1/texts?show=stale").text
    assert f"It was made for: “{TEXT['fi']}”" in page
    assert 'id="thanks/sv"' not in page
    assert bob.post("/drafts/1/texts", data=fields_of(page) | {"keep": FIND_SV}).status_code == 303
    assert behind(desk) == ["questions/FIND/text/en"]


def test_nobody_calls_right_or_translates_what_they_have_not_seen(desk: County) -> None:
    bob = desk.browser("bob")
    fields = fields_of(bob.get("/drafts/1/texts").text)
    change(desk, set_(FIND_FI, "Löysitkö helposti?"))
    sent = bob.post("/drafts/1/texts", data=fields | {FIND_SV: "Hittade du?"})
    assert sent.status_code == 422
    assert "The source was changed meanwhile to “Löysitkö helposti?”" in sent.text
    again = fields_of(sent.text)
    assert again[FIND_SV] == "Hittade du?"
    assert again[FIND_FI] == "Löysitkö helposti?", "the source on the page is the one that holds"
    assert bob.post("/drafts/1/texts", data=again).status_code == 303
    assert (text(desk, FIND_SV), text(desk, FIND_FI)) == ("Hittade du?", "Löysitkö helposti?")
    assert bob.post("/drafts/1/texts", data=fields | {"keep": FIND_SV}).status_code == 422


def test_of_two_who_edit_the_same_text_the_second_sees_both_and_decides(desk: County) -> None:
    bob = desk.browser("bob")
    fields = fields_of(bob.get("/drafts/1/texts").text)
    change(desk, set_(FIND_SV, "Charlies text"))
    sent = bob.post("/drafts/1/texts", data=fields | {FIND_SV: "Bobs text", "thanks/sv": "Tack!"})
    assert sent.status_code == 409
    assert "charlie@example.org" in sent.text
    assert text(desk, FIND_SV) == "Charlies text"
    assert text(desk, "thanks/sv") == "Tack!", "the other text was saved"
    mine = next(part for part in sent.text.split("<form") if "Use mine" in part)
    data = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', mine))
    assert bob.post("/drafts/1/texts", data=data).status_code == 303
    assert text(desk, FIND_SV) == "Bobs text"


def test_a_language_comes_and_goes_and_its_texts_come_back_with_it(desk: County) -> None:
    bob = desk.browser("bob")
    languages = "/drafts/1/texts/languages"
    assert bob.post(languages, data={"revision": 1, "add": "sme"}).status_code == 303
    page = bob.get("/drafts/1/texts").text
    assert body(desk)["languages"] == ["fi", "sv", "en", "sme"]
    assert "no official text yet" in page
    assert bob.post("/drafts/1/texts", data={"revision": "2", "thanks/sme": "Giitu!"}).status_code == 303
    assert bob.post(languages, data={"revision": 3, "remove": "sme"}).status_code == 303
    assert "Giitu" not in bob.get("/drafts/1/texts").text
    assert bob.post(languages, data={"revision": 4, "add": "sme"}).status_code == 303
    assert "Giitu!" in bob.get("/drafts/1/texts").text
    for revision, language in enumerate(("sme", "en", "sv"), start=5):
        assert bob.post(languages, data={"revision": revision, "remove": language}).status_code == 303
    assert bob.post(languages, data={"revision": 8, "remove": "fi"}).status_code == 409


@pytest.mark.parametrize("who", ["charlie", "tuula", "otto"])
def test_only_coordinators_and_administrators_translate(desk: County, who: str) -> None:
    browser = desk.browser(who)
    assert browser.get("/drafts/1/texts").status_code == 403
    assert browser.get("/drafts/1/texts.xlsx").status_code == 403
    assert browser.post("/drafts/1/texts", data={"revision": "1", FIND_SV: "x"}).status_code == 403
    assert browser.post("/drafts/1/texts/sheet", files={"sheet": ("a.xlsx", b"", XLSX)}).status_code == 403
    assert (
        browser.post("/drafts/1/texts/sheet/apply", data={"revision": 1, "wanted": "[]"}).status_code == 403
    )
    assert browser.post("/drafts/1/texts/languages", data={"revision": 1, "add": "sme"}).status_code == 403
    assert desk.stranger().get("/drafts/1/texts").status_code == 303
    assert desk.browser("alice").get("/drafts/1/texts").status_code == 200


def test_a_draft_that_does_not_exist_has_no_page(desk: County) -> None:
    bob = desk.browser("bob")
    assert bob.get("/drafts/9/texts").status_code == 404
    assert bob.get("/drafts/9/texts.xlsx").status_code == 404
    assert bob.post("/drafts/9/texts", data={"revision": "1"}).status_code == 404
    assert bob.post("/drafts/1/texts", data={"revision": "many"}).status_code == 422


def sheet(desk: County, changes: dict[str, str | None]) -> bytes:
    """The workbook as it comes, translated in Swedish where `changes` (by key) say so."""
    book = load_workbook(io.BytesIO(desk.browser("bob").get("/drafts/1/texts.xlsx").content))
    for row in book.active.iter_rows(min_row=2):
        if row[0].value in changes:
            row[5].value = changes[row[0].value]
            row[5].data_type = "s"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def send(desk: County, content: bytes):
    return desk.browser("bob").post("/drafts/1/texts/sheet", files={"sheet": ("texter.xlsx", content, XLSX)})


def form_of(page: str) -> dict[str, object]:
    """What the page of changes sends when its button is pressed."""
    form = next(part for part in page.split("<form") if "sheet/apply" in part)
    found = {
        name: value.replace("&#34;", '"')
        for name, value in re.findall(r'name="(\w+)" value="([^"]*)">', form)
    }
    found.pop("take", None)
    return found | {"take": re.findall(r'name="take" value="(\d+)" checked', form)}


def test_a_sheet_shows_what_would_change_and_does_it_only_when_told_to(desk: County) -> None:
    content = sheet(desk, {"questions/FIND/text": "=Hittade du?", "words/skip": "Nästa"})
    before = body(desk)
    page = send(desk, content)
    assert page.status_code == 200
    assert "2 texts would change" in page.text
    assert body(desk) == before, "nothing is done until somebody says so; leaving the page is cancelling"
    done = desk.browser("bob").post("/drafts/1/texts/sheet/apply", data=form_of(page.text))
    assert done.headers["location"] == "/drafts/1/texts?show=all&done=sheet"
    assert (text(desk, FIND_SV), text(desk, "words/skip/sv")) == ("=Hittade du?", "Nästa")
    assert "says nothing that the draft does not say already" in send(desk, content).text


def test_only_ticked_changes_are_done(desk: County) -> None:
    page = send(desk, sheet(desk, {"questions/FIND/text": "Hittade du?", "thanks": "Tack!"}))
    form = form_of(page.text) | {"take": ["1"]}
    assert desk.browser("bob").post("/drafts/1/texts/sheet/apply", data=form).status_code == 303
    assert (text(desk, FIND_SV), text(desk, "thanks/sv")) == (TEXT["sv"], "Tack!")


def test_what_was_altered_here_while_the_sheet_was_away_is_replaced_only_when_ticked(desk: County) -> None:
    content = sheet(desk, {"questions/FIND/text": "Från arket", "thanks": "Tack från arket"})
    change(desk, set_(FIND_SV, "Från sidan"), set_("thanks/fi", "Suuret kiitokset!"))
    change(desk, set_("words/skip/sv", "Skriven här"))
    page = send(desk, content).text
    assert "changed here meanwhile" in page
    assert "the source changed meanwhile" in page
    assert form_of(page)["take"] == []
    desk.browser("bob").post("/drafts/1/texts/sheet/apply", data=form_of(page))
    assert text(desk, FIND_SV) == "Från sidan"
    assert text(desk, "words/skip/sv") == "Skriven här", "the sheet did not touch it"


def test_a_faulty_sheet_lists_every_fault_and_does_nothing(desk: County) -> None:
    page = send(desk, sheet(desk, {"questions/LANG/text": "Annat", "thanks": "x" * 201}))
    assert page.status_code == 422
    assert "is locked and was changed to “Annat”" in page.text
    assert "it has 201 characters, at most 200 fit" in page.text
    assert "sheet/apply" not in page.text
    assert "no workbook" in send(desk, b"PK\x03\x04 no").text


def test_a_sheet_of_another_draft_is_not_taken(desk: County) -> None:
    content = sheet(desk, {"thanks": "Tack!"})
    with desk.database.write() as session:
        service.new(session, "bob", "Toinen", copy_of=5, now=desk.now)
    sent = desk.browser("bob").post("/drafts/2/texts/sheet", files={"sheet": ("a.xlsx", content, XLSX)})
    assert "made of draft 1, not of this one (2)" in sent.text


@pytest.mark.parametrize("path", ["languages", "questions/LANG/text/sv", "name", "questions/FIND/type"])
def test_the_form_of_a_sheet_does_nothing_but_texts(desk: County, path: str) -> None:
    wanted = f'[{{"do": "set", "path": "{path}", "to": "x"}}]'
    data = {"revision": 1, "wanted": wanted, "take": ["0"]}
    before = body(desk)
    assert desk.browser("bob").post("/drafts/1/texts/sheet/apply", data=data).status_code == 422
    assert body(desk) == before


def test_the_pages_are_in_the_readers_language(desk: County) -> None:
    bob = desk.browser("bob")
    bob.post("/account/language", data={"language": "sv"})
    assert "Frågeserier" in bob.get("/drafts/1/texts").text
    book = load_workbook(io.BytesIO(bob.get("/drafts/1/texts.xlsx").content))
    assert [cell.value for cell in book.active[1]][4:] == ["fi · finska", "sv · svenska", "en · engelska"]
