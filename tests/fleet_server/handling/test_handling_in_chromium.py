"""The pages of handling in Chromium: nothing for axe to find at any width, by keyboard alone, and on paper."""

from typing import Any

import pytest

from tests import wcag
from tests.fleet_server import chromium as browser_of
from tests.fleet_server.chromium import chromium
from tests.fleet_server.handling.test_handling_pages import TEXTS, ids_of
from tests.fleet_server.handling.writers import coordinator, write
from tests.fleet_server.pages.world import World

LONG = "Kiitosviestintuojahenkilökunnankehuminenjatkuukoko_sivunleveydeltä " * 3

__all__ = ["chromium"]
pytestmark = [*browser_of.MARKS, pytest.mark.xdist_group("chromium")]


def window(chromium: Any, world: World, address: str, email: str) -> Any:
    context = chromium.new_context(base_url=address, locale="en")
    cookie = world.sign_in(email).cookies["hymio_session"]
    context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
    context.set_default_timeout(browser_of.PATIENCE_MS)
    return context.new_page()


def test_texts_are_handled_by_keyboard_and_every_page_passes_axe(chromium: Any, world: World) -> None:
    write(world, "A", *TEXTS[:4], LONG)
    place = f"/results/places/{world.places['A']}"
    text = ids_of(world)["Hoitaja Virtanen auttoi"]
    with browser_of.serving(world.app) as address:
        page = window(chromium, world, address, "alice@example.org")
        page.goto(f"{place}/texts?state=names")
        page.get_by_role("link", name="Handle…").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Discussed").focus()
        page.keyboard.press("Space")
        page.get_by_label("Note").fill("With the whole shift")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("It is saved.").wait_for()
        assert "With the whole shift" in page.inner_text("main")
        page.get_by_role("button", name="To the reading list").focus()
        page.keyboard.press("Enter")
        page.get_by_text("The text is on your reading list.").wait_for()
        page.goto(f"/results/texts/{text}")
        page.get_by_text("Black out words…").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Virtanen").focus()
        page.keyboard.press("Space")
        page.get_by_label("I know that this cannot be undone").focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Black out the chosen words").focus()
        page.keyboard.press("Enter")
        page.get_by_text("The words are blacked out for good.").wait_for()
        assert "Hoitaja [▪▪▪] auttoi" in page.inner_text("main")
        page.goto(f"{place}/said-and-did/new?text={text}")
        page.locator("#said_fi").fill("Hoitaja auttoi")
        page.locator("#did_fi").fill("Kiitos on kerrottu hänelle")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Publish").click()
        page.get_by_text("It is published").wait_for()
        cora = window(chromium, world, address, coordinator(world))
        for who, path in (
            (page, f"{place}/texts"),
            (page, f"/results/texts/{text}"),
            (page, "/results/reading-list"),
            (page, f"{place}/said-and-did"),
            (page, f"{place}/said-and-did/new"),
            (page, f"{place}/handling"),
            (page, place),
            (cora, "/results/themes"),
            (cora, "/results/themes/1"),
        ):
            who.goto(path)
            assert wcag.faults(who, path) == []
        page.goto("/results/reading-list")
        assert page.locator(".room").is_hidden()
        page.emulate_media(media="print")
        assert page.locator(".room").is_visible()
        assert page.get_by_role("button", name="Take off the reading list").is_hidden()
