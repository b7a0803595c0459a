"""Who leads a unit reads, marks, gathers and answers its texts; nobody does so with those of another unit."""

import re
from html import unescape

from sqlmodel import col, select

from fleet_server.accounts.models import AuditEntry
from fleet_server.handling import said
from fleet_server.instants import DAY_MS
from fleet_server.results.models import ReleasedText
from fleet_server.results.scores import Where
from tests.fleet_server.handling.writers import coordinator, write
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_result_pages import answer

TEXTS = ("Odotin kauan", "Hoitaja Virtanen auttoi", "Kylmä aula", "Kiitos 100 %", "Hyvä")


def ids_of(world: World) -> dict[str, int]:
    with world.database.read() as session:
        return {row.text: row.id or 0 for row in session.exec(select(ReleasedText))}


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def listed(html: str) -> set[str]:
    return {unescape(one) for one in re.findall(r"<q>(.*?)</q>", html)}


def test_texts_are_found_by_words_theme_state_and_likely_names(world: World) -> None:
    write(world, "A", *TEXTS)
    write(world, "B", *(f"B{number}" for number in range(5)))
    alice = world.sign_in("alice@example.org")
    for address in (f"/results/units/{world.units['A']}/texts", f"/results/places/{world.places['A']}/texts"):
        page = alice.get(address).text
        assert listed(page) == set(TEXTS)
        assert "5 texts , 5 not yet read" in plain(page).replace("texts,", "texts ,")
        assert plain(page).count("May name a person") == 3  # a choice, the mark, the explanation
        assert listed(alice.get(f"{address}?words=HOITAJA").text) == {"Hoitaja Virtanen auttoi"}
        assert listed(alice.get(f"{address}?state=names").text) == {"Hoitaja Virtanen auttoi"}
        waiting = re.search(r'theme=(\d+)"[^>]*>Waiting <b>1</b>', page)
        assert waiting
        assert listed(alice.get(f"{address}?theme={waiting[1]}").text) == {"Odotin kauan"}
        assert "No text of this time fits." in alice.get(f"{address}?theme={waiting[1]}&words=aula").text
        assert alice.get(f"{address}?state=eaten").status_code == 422
    results = alice.get(f"/results/places/{world.places['A']}").text
    assert listed(results) == set(TEXTS)
    assert "Read and handle all 5 texts" in results
    world.now += 500 * DAY_MS
    alice = world.sign_in("alice@example.org")
    assert listed(alice.get(f"{address}?span=year").text) == set()
    assert listed(alice.get(f"{address}?span=kept").text) == set(TEXTS)


def test_marks_are_set_taken_back_and_filtered_by(world: World) -> None:
    write(world, "A", *TEXTS)
    alice, ids = world.sign_in("alice@example.org"), ids_of(world)
    address = f"/results/places/{world.places['A']}/texts"
    one = f"/results/texts/{ids['Kylmä aula']}"
    form = {"state": "acted", "note": "  Heater ordered\n", "next": f"{address}?state=unread"}
    answered = alice.post(f"{one}/mark", data=form)
    assert answered.status_code == 303
    assert answered.headers["location"].startswith(f"{address}?state=unread&done=marked&at=")
    page = alice.get(answered.headers["location"]).text
    assert listed(page) == set(TEXTS) - {"Kylmä aula"}
    world.now += 1
    answered = alice.post(f"{address}/read", data={"text": list(ids.values()), "next": address})
    page = alice.get(answered.headers["location"]).text
    assert "The texts of the page are marked as read." in page
    assert listed(alice.get(f"{address}?state=acted").text) == {"Kylmä aula"}
    assert "Heater ordered" in page
    undo = re.search(r'name="at" value="(\d+)"', page)
    assert undo
    alice.post("/results/texts/undo", data={"at": undo[1], "next": address})
    assert listed(alice.get(f"{address}?state=unread").text) == set(TEXTS) - {"Kylmä aula"}
    refused = alice.post(f"{one}/mark", data={"state": "unread", "note": "kept <b>", "next": address})
    assert refused.status_code == 422
    assert "kept &lt;b&gt;" in refused.text
    assert (
        alice.post(f"{one}/mark", data=form | {"next": "https://example.org/"})
        .headers["location"]
        .startswith("/?")
    )
    answer(world, "A", 5, 5, 5, 4, 1)
    place = f"/results/places/{world.places['A']}"
    series = re.search(r'<option value="(\d+)"[^>]*>\S+ · How', alice.get(f"{place}/handling").text)
    assert series
    form = {"question": series[1], "span": "quarter", "state": "discussed", "note": "Agreed on greeting"}
    assert alice.post(f"{place}/handling", data=form).status_code == 303
    assert "Agreed on greeting" in alice.get(place).text
    assert alice.post(f"{place}/handling", data=form | {"question": "999"}).status_code == 422


def test_words_are_blacked_out_only_when_it_is_confirmed(world: World) -> None:
    write(world, "A", *TEXTS)
    alice = world.sign_in("alice@example.org")
    one = f"/results/texts/{ids_of(world)['Hoitaja Virtanen auttoi']}"
    page = alice.get(one).text
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen
    refused = alice.post(f"{one}/black-out", data={"word": ["1"], "seen": seen[1]})
    assert refused.status_code == 422
    assert 'value="1" checked' in refused.text
    done = alice.post(f"{one}/black-out", data={"word": ["1"], "seen": seen[1], "confirmed": "yes"})
    page = alice.get(done.headers["location"]).text
    assert "blacked out for good" in page
    assert "Virtanen" not in page
    assert "May name a person" not in plain(page)
    again = alice.post(f"{one}/black-out", data={"word": ["0"], "seen": seen[1], "confirmed": "yes"})
    assert "blacked out meanwhile" in again.text
    with world.database.read() as session:
        log = session.exec(select(AuditEntry).where(col(AuditEntry.object_kind) == "released text")).all()
        assert [(entry.action, entry.after) for entry in log] == [("black out words", '{"words": 1}')]


def test_a_reading_list_is_gathered_printed_and_cleared(world: World) -> None:
    write(world, "A", *TEXTS)
    alice, ids = world.sign_in("alice@example.org"), ids_of(world)
    for text in TEXTS[:3]:
        alice.post(f"/results/texts/{ids[text]}/reading-list", data={"on": "yes"})
    alice.post(f"/results/texts/{ids[TEXTS[0]]}/reading-list", data={})
    assert listed(alice.get("/results/reading-list").text) == set(TEXTS[1:3])
    assert alice.post("/results/reading-list/clear").status_code == 422
    assert listed(alice.get("/results/reading-list").text) == set(TEXTS[1:3])
    cora = world.sign_in(coordinator(world))
    assert listed(cora.get("/results/reading-list").text) == set(), "a list is one person's"
    alice.post("/results/reading-list/clear", data={"confirmed": "yes"})
    assert "No text is on your list yet" in alice.get("/results/reading-list").text
    with world.database.read() as session:
        log = session.exec(select(AuditEntry.after).where(AuditEntry.action == "open reading list")).all()
    assert log == ['{"texts": 2}', '{"texts": 2}'], "each look at texts, none at an empty list"


def test_the_countys_coordinator_keeps_the_themes(world: World) -> None:
    write(world, "A", *TEXTS)
    assert world.sign_in("alice@example.org").get("/results/themes").status_code == 403
    cora = world.sign_in(coordinator(world))
    names = {f"name_{language}": "Aula" for language in ("fi", "sv", "en")}
    refused = cora.post("/results/themes/new", data=names | {"words_fi": "a, aula"})
    assert refused.status_code == 422
    assert "“a” has 1 characters" in refused.text
    assert cora.post("/results/themes/new", data=names | {"words_fi": "aula\nkylm"}).status_code == 303
    page = cora.get("/results/themes").text
    theme = re.findall(r'href="/results/themes/(\d+)"', page)[-1]
    assert re.search(r'href="/results/themes/\d+">Aula</a></th>\s*<td[^>]*>1<', page)
    cora.post(f"/results/themes/{theme}", data=names | {"words_fi": "kiitos"})
    address = f"/results/units/{world.units['A']}/texts?theme={theme}"
    assert listed(cora.get(address).text) == {"Kiitos 100 %"}
    cora.post(f"/results/themes/{theme}/delete", data={"confirmed": "yes"})
    assert cora.get(f"/results/themes/{theme}").status_code == 404


def test_you_said_we_did_is_public_only_while_it_is_published(world: World) -> None:
    write(world, "A", *TEXTS)
    alice, ids, place = world.sign_in("alice@example.org"), ids_of(world), world.places["A"]
    address = f"/results/places/{place}/said-and-did"
    assert "Kylmä aula" in alice.get(f"{address}/new?text={ids['Kylmä aula']}").text
    half = {"said_fi": "Aulassa oli kylmä <i>", "text": str(ids["Kylmä aula"])}
    refused = alice.post(f"{address}/new", data=half)
    assert refused.status_code == 422
    assert "Aulassa oli kylmä &lt;i&gt;" in refused.text
    assert alice.post(f"{address}/new", data=half | {"did_fi": "Ovi tiivistettiin"}).status_code == 303
    said_id = re.findall(r"/results/said-and-did/(\d+)/publish", alice.get(address).text)[0]

    def public() -> list[str]:
        with world.database.read() as session:
            return [one.did for one in said.published(session, place, "en", now=world.now)]

    assert public() == []
    alice.post(f"/results/said-and-did/{said_id}/publish")
    assert public() == ["Ovi tiivistettiin"]
    alice.post(f"/results/said-and-did/{said_id}", data={"said_fi": "Kylmä", "did_fi": "Lämmin nyt"})
    assert public() == ["Lämmin nyt"]
    alice.post(f"/results/said-and-did/{said_id}/withdraw")
    assert public() == []
    alice.post(f"/results/said-and-did/{said_id}/delete", data={"confirmed": "yes"})
    with world.database.read() as session:
        assert said.of_subject(session, Where("place", place)) == []


def test_what_is_not_theirs_is_not_there(world: World) -> None:
    write(world, "A", *TEXTS)
    text = ids_of(world)["Hyvä"]
    alice = world.sign_in("alice@example.org")
    place = f"/results/places/{world.places['A']}"
    alice.post(f"{place}/said-and-did/new", data={"said_fi": "a", "did_fi": "b"})
    said_id = re.findall(r"/results/said-and-did/(\d+)/publish", alice.get(f"{place}/said-and-did").text)[0]
    read = ("/texts", "/handling", "/said-and-did", "/said-and-did/new")
    pages = [*(place + path for path in read), f"/results/texts/{text}", f"/results/said-and-did/{said_id}"]
    posts = [
        f"{place}/texts/read", f"{place}/handling", f"{place}/said-and-did/new", f"/results/texts/{text}/mark",
        f"/results/texts/{text}/black-out", f"/results/texts/{text}/reading-list",
        *(f"/results/said-and-did/{said_id}{path}" for path in ("", "/publish", "/withdraw", "/delete")),
    ]  # fmt: skip
    charlie = world.sign_in("charlie@example.org")
    assert {charlie.get(path).status_code for path in pages} == {404}
    assert {charlie.post(path, data={"text": str(text)}).status_code for path in posts} == {404}
    stolen = charlie.post(f"/results/places/{world.places['B']}/texts/read", data={"text": str(text)})
    assert stolen.status_code == 404
    tuula = world.sign_in("tuula@example.org")
    assert {tuula.get(path).status_code for path in [*pages, "/results/reading-list"]} == {403}
    cora = world.sign_in(coordinator(world))  # reads and marks, but does not lead
    assert cora.get(f"{place}/texts").status_code == 200
    for path in (f"/results/texts/{text}/black-out", f"/results/said-and-did/{said_id}/publish"):
        assert cora.post(path).status_code == 403
    assert alice.get("/results/elsewhere/1/texts").status_code in (404, 422)
