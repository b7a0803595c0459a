"""What a draft says, through the API: chosen from the library, translated by field or by sheet, looked at; and eves."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from fleet_server.devices.models import Device
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from tests.fleet_server.accounts.county import County, county

__all__ = ["county"]
OWN = "questions/OWN-1"


@pytest.fixture
def desk(county: County) -> County:
    """The ready sets, and draft 1: set 5 with a question of its own that has no Swedish yet."""
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
    draft = post(county, "/drafts", name="Autumn", copy_of=5)
    to = {"type": "text", "text": {"fi": "Mitä kuuluu?", "en": "How are you?"}}
    done = post(county, "/drafts/1/ops", revision=0, ops=[{"do": "add", "path": OWN, "to": to}])
    assert (draft.status_code, done.status_code, done.json()["conflicts"]) == (201, 200, [])
    return county


def post(county: County, path: str, who: str = "bob", **body: Any) -> Any:
    return county.browser(who).post(f"/api/v1{path}", json=body)


def put(county: County, path: str, who: str = "bob", **body: Any) -> Any:
    return county.browser(who).put(f"/api/v1{path}", json=body)


def get(county: County, path: str, who: str = "bob") -> Any:
    return county.browser(who).get(f"/api/v1{path}")


def swedish(desk: County) -> dict[str, dict[str, Any]]:
    answer = get(desk, "/drafts/1/texts/sv").json()
    return {text["path"]: text for text in answer["texts"]}


def test_the_library_says_what_a_draft_may_choose_and_an_item_is_chosen_by_its_code(desk: County) -> None:
    items = {item["code"]: item for item in get(desk, "/library").json()["items"]}
    assert items["K1"]["national"]
    assert items["K1"]["text"]["sv"]
    assert items["K1"]["source"]["sv"]
    assert {item["sector"] for item in items.values()} == {"", "health", "social"}
    op = {"do": "add", "path": "questions/K4-S", "to": {"item": "K4-S"}}
    assert post(desk, "/drafts/1/ops", revision=1, ops=[op]).status_code == 200
    (chosen,) = [one for one in get(desk, "/drafts/1").json()["body"]["questions"] if one["code"] == "K4-S"]
    assert (chosen["text"], chosen["item_version"]) == (items["K4-S"]["text"], items["K4-S"]["version"])


def test_a_language_is_read_beside_its_source_and_translated_field_by_field(desk: County) -> None:
    states = {one["language"]: one for one in get(desk, "/drafts/1/texts").json()["languages"]}
    assert (states["sv"]["required"], states["fi"]["is_source"], states["en"]["required"]) == (
        True,
        True,
        False,
    )
    lacking = states["sv"]["missing"]
    text = swedish(desk)[f"{OWN}/text/sv"]
    assert (text["text"], text["source"], text["stale_for"]) == ("", "Mitä kuuluu?", None)
    done = put(desk, "/drafts/1/texts/sv", revision=1, texts={f"{OWN}/text/sv": "  Hur mår du? "})
    assert done.json() == {"revision": 2, "conflicts": []}
    assert swedish(desk)[f"{OWN}/text/sv"]["text"] == "Hur mår du?"
    assert get(desk, "/drafts/1/texts").json()["languages"][1]["missing"] == lacking - 1
    edits = get(desk, "/drafts/1/history?after=1").json()
    assert [(one["revision"], one["by"]) for one in edits["edits"]] == [(2, desk.person("bob").actor)]
    assert get(desk, "/drafts/1/history?limit=1").json()["next"] == 1
    assert get(desk, "/drafts/1/compare").json()["added"] == ["OWN-1"]


def test_nobody_translates_what_they_have_not_seen(desk: County) -> None:
    put(desk, "/drafts/1/texts/sv", revision=1, texts={f"{OWN}/text/sv": "Hur mår du?"})
    post(
        desk,
        "/drafts/1/ops",
        "alice",
        revision=2,
        ops=[{"do": "set", "path": f"{OWN}/text/fi", "to": "Miten menee?"}],
    )
    assert swedish(desk)[f"{OWN}/text/sv"]["stale_for"] == "Mitä kuuluu?"
    late = put(desk, "/drafts/1/texts/sv", revision=2, texts={f"{OWN}/text/sv": "Hur är läget?"})
    assert (late.status_code, late.json()["field"], late.json()["value"]) == (
        422,
        f"{OWN}/text/sv",
        "Miten menee?",
    )
    kept = put(desk, "/drafts/1/texts/sv", revision=3, keep=[f"{OWN}/text/sv"])
    assert kept.status_code == 200
    assert swedish(desk)[f"{OWN}/text/sv"]["stale_for"] is None
    theirs = put(desk, "/drafts/1/texts/sv", "alice", revision=4, texts={f"{OWN}/text/sv": "Läget?"})
    assert theirs.status_code == 200
    mine = put(desk, "/drafts/1/texts/sv", revision=4, texts={f"{OWN}/text/sv": "Hur är läget?"}).json()
    assert [(one["now"], one["by"]) for one in mine["conflicts"]] == [("Läget?", desk.person("alice").actor)]


WRONG: tuple[tuple[str, dict[str, Any], int, str | None], ...] = (
    ("sv", {"revision": 1, "texts": {"questions/NPS/text/sv": "Ja?"}}, 422, "questions/NPS/text/sv"),
    ("sv", {"revision": 1, "texts": {f"{OWN}/text/fi": "Ja?"}}, 422, f"{OWN}/text/fi"),
    ("sv", {"revision": 1, "texts": {f"{OWN}/text/sv": "x" * 4_000}}, 422, f"{OWN}/text/sv"),
    ("sv", {"revision": 9, "texts": {}}, 422, "revision"),
    ("sv", {"revision": 1, "text": {}}, 422, "text"),
    ("sme", {"revision": 1, "texts": {}}, 404, None),
    ("xx", {"revision": 1, "texts": {}}, 404, None),
)


def test_what_cannot_be_translated_is_named_and_nothing_is_done(desk: County) -> None:
    for language, body, status, field in WRONG:
        answer = put(desk, f"/drafts/1/texts/{language}", **body)
        assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert get(desk, "/drafts/1").json()["revision"] == 1


def test_a_sheet_goes_out_and_comes_back_with_every_fault_at_once(desk: County) -> None:
    browser, address = desk.browser("bob"), "/api/v1/drafts/1/texts.xlsx"
    book = load_workbook(io.BytesIO(browser.get(address).content))
    sheet = book.active
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=2)}
    rows[f"{OWN}/text"][5].value = "Hur mår du?"
    back = browser.post(address, content=_bytes(book)).json()
    assert [(one["op"]["path"], one["now"], one["then"]) for one in back["changes"]] == [
        (f"{OWN}/text/sv", "", "Hur mår du?")
    ]
    done = post(desk, "/drafts/1/ops", revision=back["revision"], ops=[one["op"] for one in back["changes"]])
    assert done.json()["conflicts"] == []
    rows[f"{OWN}/text"][5].value = "x" * 4_000
    rows["thanks"][4].value = "Kiitos, ja tervetuloa!"
    refused = browser.post(address, content=_bytes(book))
    assert (refused.status_code, refused.json()["code"], len(refused.json()["faults"])) == (
        422,
        "hindered",
        2,
    )
    assert len(browser.post(address, content=b"no workbook").json()["faults"]) == 1


def test_a_preview_is_looked_at_picture_by_picture_and_noted_for_exactly_that(desk: County) -> None:
    swedish_text = {f"{OWN}/text/sv": "Hur mår du?"}
    assert post(desk, "/drafts/1/preview", content="0", model="touch").json()["code"] == "conflict"
    unfit = get(desk, "/drafts/1/preview").json()
    refused = post(desk, "/drafts/1/preview", content=unfit["content"], model="touch")
    assert unfit["faults"]
    assert (refused.status_code, refused.json()["field"], refused.json()["value"]) == (422, "model", "touch")
    put(desk, "/drafts/1/texts/sv", revision=1, texts=swedish_text)
    shown = get(desk, "/drafts/1/preview?model=touch&language=sv&mode=large").json()
    assert (shown["faults"], shown["to_see"]) == ([], ["button5"]), "the county has no touchscreen"
    own = next(one for one in shown["screens"] if "Hur mår du?" in one["texts"])
    assert desk.browser("bob").get(own["picture"]).content[:4] == b"\x89PNG"
    assert post(desk, "/drafts/1/preview", content=shown["content"], model="button5").status_code == 200
    after = get(desk, "/drafts/1/preview").json()
    assert after["to_see"] == []
    assert [(one["model"], one["by"]) for one in after["looks"]] == [("button5", desk.person("bob").actor)]
    assert desk.audit()[-1].action == "look at preview"
    put(desk, "/drafts/1/texts/sv", revision=2, texts={"thanks/sv": "Tack!"})
    assert get(desk, "/drafts/1/preview").json()["to_see"] == ["button5"], "one letter is another content"


def test_who_is_no_coordinator_learns_nothing_of_drafts(desk: County) -> None:
    charlie, bob, stranger = desk.browser("charlie"), desk.browser("bob"), desk.stranger()
    pages = ("history", "compare", "texts", "texts/sv", "texts.xlsx", "preview")
    for path in ("/api/v1/library", *(f"/api/v1/drafts/1/{page}" for page in pages)):
        assert charlie.get(path).status_code == 403, path
        assert stranger.get(path).status_code == 401, path
        if "drafts" in path:
            assert bob.get(path.replace("/1/", "/99/")).status_code == 404, path


def test_eves_are_chosen_for_the_whole_county_and_kiosks_hear_of_it_at_once(county: County) -> None:
    device = "real00000001"
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        places.install(session, "test", device_id=device, place_id=county.places["exit"], now=county.now)
    asked = {"name": "Closed", "set_number": 2, "choice": {}, "holidays": "only"}
    assert post(county, "/schedules", "alice", **asked).status_code == 201
    before = get(county, "/holidays", "charlie").json()
    assert before["eves"] == ["midsummer", "christmas"]
    assert {"day": "2026-12-24", "name": "Christmas Eve"} in before["holidays"]
    wish = _wish(county, device)
    assert put(county, "/holidays", eves=["easter"]).status_code == 403, "Bob keeps one unit of it"
    odd = put(county, "/holidays", "alice", eves=["easter", "monday"])
    assert (odd.status_code, odd.json()["field"], odd.json()["value"]) == (422, "eves.1", "monday")
    after = put(county, "/holidays", "alice", eves=["easter"]).json()
    assert after["eves"] == ["easter"]
    assert "2026-12-24" not in {one["day"] for one in after["holidays"]}
    assert _wish(county, device) != wish
    assert county.audit()[-1].action == "choose eves"


def test_labels_are_given_to_places_that_one_keeps_and_choose_them(county: County) -> None:
    exit_, lobby = county.places["exit"], county.places["lobby"]
    assert put(county, f"/places/{exit_}/labels", labels=["Ward", "winter"]).json() == {
        "labels": ["ward", "winter"]
    }
    given = {one["id"]: one["labels"] for one in get(county, "/places", "alice").json()["places"]}
    assert (given[exit_], given[lobby]) == (["ward", "winter"], [])
    assert put(county, f"/places/{lobby}/labels", labels=["ward"]).status_code == 404, "not Bob's to see"
    assert put(county, f"/places/{exit_}/labels", "otto", labels=[]).status_code == 403
    odd = put(county, f"/places/{exit_}/labels", labels=["one, two"])
    assert (odd.status_code, odd.json()["field"]) == (422, "labels.0")
    seen = [one["name_en"] for one in get(county, "/units").json()["units"]]
    assert seen == ["health en", "clinic en"]


def _wish(county: County, device: str) -> Any:
    with county.database.read() as session:
        row = session.get(Device, device)
        return row and row.desired


def _bytes(book: Any) -> bytes:
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()
