"""Every change leaves an entry that says who, what, before and after, and that gives no secret away."""

import ast
from pathlib import Path

import fleet_server
from fleet_server.accounts import audit
from fleet_server.accounts.wording import ACTIONS, OBJECT_KINDS
from tests.fleet_server.accounts.county import County


def test_every_action_has_its_words() -> None:
    """An action that is written anywhere is listed with what it is done to, so that both can be translated."""
    written, kinds = set(), set()
    for path in Path(fleet_server.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(node, "func", None)
            called = getattr(name, "attr", getattr(name, "id", ""))
            place = {"record": 2, "_record_change": 2, "happened": 4}.get(called)
            if isinstance(node, ast.Call) and place is not None and len(node.args) >= 5:
                written |= _text(node.args[place])
                kinds |= _text(node.args[3]) if called == "record" else set()
    assert {"create unit", "change place", "publish question set", "halt rollout"} <= written
    assert written <= set(ACTIONS)
    assert {"place", "rollout"} <= kinds <= set(OBJECT_KINDS)


def _text(node: ast.expr) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_the_log_names_people_places_and_roles(county: County) -> None:
    page = county.browser("otto").get("/audit").text
    assert "Supervisor (social en)" in page
    assert "clinic en" in page
    assert "place exit" in page


def test_the_log_can_be_narrowed_to_a_person_and_to_an_object(county: County) -> None:
    browser = county.browser("alice")
    browser.post(
        f"/places/{county.places['exit']}/edit",
        data={"name": "South exit", "unit_id": str(county.units["clinic"])},
    )
    own = browser.get("/audit?actor=alice@example.org").text
    assert own.count("<tr>") == 2
    assert "<del>exit</del>" in own
    assert "<ins>South exit</ins>" in own
    thing = browser.get(f"/audit?kind=place&object={county.places['lobby']}").text
    assert "lobby" in thing
    assert "South exit" not in thing


def test_older_entries_are_a_page_further(county: County) -> None:
    with county.database.write() as session:
        for number in range(audit.PAGE_ENTRIES + 5):
            audit.record(session, "fleet", "set password", "person", number, now=county.now)
    browser = county.browser("otto")
    first = browser.get("/audit").text
    assert first.count("<time") == audit.PAGE_ENTRIES
    older = first.split('class="pager"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert browser.get(older).text.count("<time") > 5


def test_the_log_is_for_operators_and_administrators(county: County) -> None:
    codes = {name: county.browser(name).get("/audit").status_code for name in county.people}
    assert codes == {"alice": 200, "otto": 200, "bob": 403, "charlie": 403, "tuula": 403}


def test_no_secret_is_in_the_log(county: County) -> None:
    browser = county.browser("alice")
    token = browser.post(
        "/people/tokens", data={"name": "W", "role": "supervisor", "unit": "", "days": "9"}
    ).text
    invitation = browser.post(f"/people/{county.people['bob']}/invite").text
    log = " ".join(f"{entry.before} {entry.after} {entry.object_id}" for entry in county.audit())
    for page, begin in ((token, "hymio_"), (invitation, "/invitation/")):
        secret = page.split(begin)[1].split("<")[0]
        assert len(secret) > 40
        assert secret not in log
