"""Overview, places and devices in Chromium: WCAG 2.1 A and AA by axe, a phone's width, figures that follow a press."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from fleet_server.instants import MINUTE_MS
from tests import wcag
from tests.conftest import MONDAY_10
from tests.fleet_server.chromium import MARKS, chromium, serving
from tests.fleet_server.pages.world import SET_TO_ASK, World, a_busy_morning

__all__ = ["chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The county served on a free port, after a busy morning."""
    a_busy_morning(world)
    world.publish(SET_TO_ASK, "A")
    for quarter in (3, 2, 1, 0):
        world.kiosks["A"].report(MONDAY_10 - quarter * 15 * MINUTE_MS, health={"buttons": [1]})
    world.kiosks["A"].say("ready", MONDAY_10)
    world.kiosks["B"].say("lost", MONDAY_10)
    with serving(world.app) as address:
        yield address


@pytest.fixture
def page(world: World, address: str, chromium: Any) -> Iterator[Any]:
    """A page of the operator, whose console must stay empty but for a refused part (which is its own test)."""
    cookie = world.sign_in("otto@example.org").cookies["hymio_session"]
    said: list[str] = []
    context = chromium.new_context(base_url=address)
    context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
    opened = context.new_page()
    opened.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda fault: said.append(str(fault)))
    yield opened
    context.close()
    expected = re.compile(getattr(opened, "expected", "401") + "|401")
    assert [line for line in said if not expected.search(line)] == []


def test_every_page_passes_axe_and_fits_a_phone(world: World, page: Any) -> None:
    place, device, store = world.places["A"], world.kiosks["A"].id, world.kiosks["store"].id
    paths = [
        "/",
        "/devices",
        f"/places/{place}?days=7",
        f"/devices/{device}",
        f"/devices/{store}",
        "/question-sets/1",
        "/question-sets/7/screens?mode=large",
        "/question-sets/1/screens?model=button5",
    ]
    faults = []
    for language in ("fi", "sv"):
        page.request.post("/account/language", form={"language": language})
        for path in paths:
            page.goto(path)
            assert page.locator("html").get_attribute("lang") == language
            faults += wcag.faults(page, f"{language} {path}", contrast=language == "fi")
    assert faults == []


def _open(page: Any, path: str) -> None:
    """Open a page and wait until it has heard `ready`, upon which it asks for its parts anew."""
    with page.expect_response(lambda answer: "part=numbers" in answer.url):
        page.goto(path)


def test_a_press_comes_to_an_open_page_by_itself_and_nothing_else_moves(world: World, page: Any) -> None:
    from playwright.sync_api import expect

    _open(page, f"/places/{world.places['A']}")
    page.locator("#hours-table summary").click()
    page.evaluate("window.sameDocument = true")
    today = page.locator('[data-figure="today"]')
    assert today.inner_text() == "12"
    kiosk = world.kiosks["A"]
    kiosk.press(MONDAY_10 - MINUTE_MS // 2)
    places = kiosk.send(MONDAY_10).places
    world.changes.notify(*(f"place:{place}" for place in places))
    expect(today).to_have_text("16")  # how soon is in `make bench`
    assert page.evaluate("window.sameDocument"), "the page was not loaded anew"
    assert page.locator("#hours-table").get_attribute("open") is not None, "what was open stays open"


def test_a_page_says_since_when_the_server_is_away_until_it_is_back(world: World, page: Any) -> None:
    page.request.post("/account/language", form={"language": "fi"})
    page.clock.install()
    _open(page, f"/places/{world.places['A']}")
    banner = page.locator(".connection")
    assert not banner.is_visible()
    page.context.set_offline(True)
    page.clock.run_for(16_000)
    banner.get_by_text(re.compile(r"Ei yhteyttä palvelimeen klo \d\d\.\d\d lähtien")).wait_for()
    page.clock.run_for(60_000)
    page.context.set_offline(False)
    page.clock.run_for(6_000)
    banner.wait_for(state="hidden")
    page.expected = r"ERR_INTERNET_DISCONNECTED"


def test_a_page_whose_reader_was_signed_out_goes_to_the_sign_in(world: World, page: Any) -> None:
    _open(page, f"/places/{world.places['A']}")
    page.context.clear_cookies()
    world.changes.notify(f"place:{world.places['A']}")
    page.wait_for_url(re.compile("/sign-in"))


def test_without_scripts_the_page_is_whole(world: World, address: str, chromium: Any) -> None:
    cookie = world.sign_in("otto@example.org").cookies["hymio_session"]
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
    page = context.new_page()
    page.goto(f"/places/{world.places['A']}")
    assert page.locator('[data-figure="today"]').inner_text() == "12"
    assert page.locator(".chart-bar").count() == 2
    context.close()
