"""The results pages in Chromium: nothing for axe to find, on a phone's width, at 200 % and on paper."""

from collections.abc import Iterator
from typing import Any

import pytest

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from tests import wcag
from tests.fleet_server.chromium import MARKS, chromium, serving
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_exports import code_of, switch_on
from tests.fleet_server.results.test_result_pages import answer

__all__ = ["chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The county served on a free port, with answers in both clinics."""
    answer(world, "A", *[5] * 20, *[1] * 5)
    answer(world, "B", *[4] * 10)
    with serving(world.app) as address:
        yield address


def test_results_pass_axe_at_every_width_and_fit(world: World, address: str, chromium: Any) -> None:
    cookie = world.sign_in("alice@example.org").cookies["hymio_session"]
    unit, place = world.units["A"], world.places["A"]
    context = chromium.new_context(base_url=address)
    context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
    page: Any = context.new_page()
    for path in (
        "/results",
        f"/results/units/{unit}?span=year",
        f"/results/places/{place}?filtered=with",
    ):
        page.goto(path)
        assert wcag.faults(page, path) == []
    page.goto("/results")
    page.get_by_role("link", name="Clinic A").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="4 weeks").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**span=month**")
    assert "25 visitors" in page.inner_text("main")
    page.get_by_role("link", name="Workbook (Excel)").focus()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert started.value.suggested_filename.startswith(f"results-unit-{unit}-clinic-a-")
    context.close()


def test_the_public_page_and_the_national_one_pass_axe_and_fit(
    world: World, address: str, chromium: Any
) -> None:
    switch_on(world)
    with world.database.write() as session:
        accounts.create_user(
            session, email="rita@example.org", name="Rita", language="en", roles=[(Role.COORDINATOR, None)],
            now=world.now,
        )  # fmt: skip
    cookie = world.sign_in("rita@example.org").cookies["hymio_session"]
    context = chromium.new_context(base_url=address, locale="en")
    context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
    page: Any = context.new_page()
    for path in (
        f"/p/{code_of(world, 'A')}/results",
        "/results/national/file.csv?from=2026-03&to=2026-01",
    ):
        page.goto(path)
        assert wcag.faults(page, path) == []
    page.get_by_label("First month").select_option("2026-01")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download the file").click()
    assert started.value.suggested_filename == "national-2026-01-2026-01-month.csv"
    context.close()
