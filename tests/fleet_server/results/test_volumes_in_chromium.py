"""Volumes and the comparison in Chromium: nothing for axe to find at any width, by keyboard, and live."""

from typing import Any

import pytest

from tests import wcag
from tests.fleet_server.chromium import MARKS, PATIENCE_MS, chromium
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_result_pages import FIRST
from tests.fleet_server.results.test_results_in_chromium import address
from tests.fleet_server.results.test_volumes_pages import coordinator

pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]
__all__ = ["address", "chromium"]


def test_volumes_and_comparison_pass_axe_fit_and_are_live(world: World, address: str, chromium: Any) -> None:  # noqa: F811
    from playwright.sync_api import expect

    cookie = world.sign_in(coordinator(world)).cookies["hymio_session"]
    root = next(unit for unit in range(1, 4) if unit not in world.units.values())
    place = world.places["A"]
    context = chromium.new_context(base_url=address)
    context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
    context.set_default_timeout(PATIENCE_MS)
    page: Any = context.new_page()
    for path in (
        f"/results/places/{place}/volumes",
        f"/results/units/{root}/volumes?from=never",
        f"/results/units/{root}/compare",
    ):
        page.goto(path)
        assert wcag.faults(page, path) == []

    page.get_by_label("Question").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**question=**")
    page.get_by_role("link", name="Clinic A").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Presses", exact=True).focus()
    page.keyboard.press("Enter")
    figure = page.locator("[data-figure=today]")
    expect(figure).to_have_text("25", timeout=PATIENCE_MS)
    kiosk = world.kiosks["A"]
    kiosk.press(FIRST + 60_000 * 2 * len(kiosk.records))
    kiosk.send(world.now)
    world.changes.notify(f"place:{place}")
    expect(figure).to_have_text("26", timeout=PATIENCE_MS)
    context.close()
