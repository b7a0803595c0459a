"""The pages of alerts and weekly mails in Chromium: nothing for axe to find, at every width, and by keyboard alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from fleet_server.alerts import watching
from fleet_server.mails import rules
from tests import wcag
from tests.fleet_server.chromium import MARKS, PATIENCE_MS, chromium, serving
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_result_pages import answer

__all__ = ["chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The county served on a free port, with low scores in clinic A."""
    answer(world, "A", *[1] * 20)
    with world.database.write() as session:
        rules.keep(session)
    with serving(world.app) as address:
        yield address


def test_what_is_watched_by_keyboard_is_told_and_acknowledged(
    world: World, address: str, chromium: Any
) -> None:
    context = chromium.new_context(base_url=address, locale="en", viewport={"width": 1280, "height": 900})
    cookie = world.sign_in("alice@example.org").cookies["hymio_session"]
    context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()

    def sound(path: str) -> None:
        page.goto(path)
        assert wcag.faults(page, path) == []

    unit = world.units["A"]
    page.goto(f"/results/units/{unit}")
    page.get_by_role("link", name="Alerts").focus()
    page.keyboard.press("Enter")
    form = page.get_by_role("form", name="A low score")
    form.get_by_label("Lower than").fill("nothing")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="“nothing” is no whole number").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert watching.look(world.database, now=world.now) == 1
    sound("/results/alerts")
    sound(f"/results/alerts/new?on=unit-{unit}")
    page.goto("/results/alerts")
    page.get_by_label("Comment").focus()
    page.keyboard.type("Seen to")
    page.keyboard.press("Enter")
    page.get_by_text("Acknowledged, still so").wait_for()
    page.goto(f"/results/mails?on=unit-{unit}")
    page.get_by_role("button", name="Send me this").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    sound("/results/mails")
    context.close()
