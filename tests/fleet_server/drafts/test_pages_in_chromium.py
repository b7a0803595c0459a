"""Every page of question sets, rollouts and schedules in Chromium: axe finds nothing and nothing scrolls sideways.

On a desktop, there at 200 %, and on the narrowest phone that WCAG 1.4.10 asks for; in light and in dark colours.
HYMIO_PICTURES=folder keeps a picture of each, for somebody who wants to look.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from fleet_server.db import Database
from tests import wcag
from tests.fleet_server.accounts.county import County, county_in
from tests.fleet_server.chromium import MARKS, chromium, page_of, serving
from tests.fleet_server.working_county import FORMS, PAGES, SHEETS, UNFINISHED, furnish, sheets

__all__ = ["chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium-desk")]
PICTURES = os.environ.get("HYMIO_PICTURES", "")
# The colours are those of every page.
OTHERS = (
    "/",
    "/devices",
    "/places/4",
    "/places/4/hours",
    "/units",
    "/units/3",
    "/people",
    "/people/2",
    "/audit",
    "/account",
)
SUBMIT = """([address, fields]) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: address });
    for (const [name, value] of Object.entries(fields))
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    document.body.append(form);
    form.submit();
}"""


@pytest.fixture(scope="module")
def working(empty_database_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """One county for all pages: looking changes nothing."""
    path = tmp_path_factory.mktemp("working") / "hymio.db"
    shutil.copy(empty_database_file, path)
    database = Database(f"sqlite:///{path}")
    county = county_in(database)
    furnish(county)
    yield county
    database.close()


@pytest.fixture(scope="module")
def page(working: County, chromium: Any) -> Iterator[Page]:
    """An administrator's page, in Finnish."""
    with serving(working.app) as address:
        page = page_of(chromium, working, address, "alice", "fi", reduced_motion="reduce")
        page.faults = []
        page.on("console", lambda said: page.faults.append(said.text) if "Policy" in said.text else None)
        page.on("pageerror", lambda fault: page.faults.append(str(fault)))
        yield page
        page.context.close()


@pytest.mark.parametrize("name", [*PAGES, *FORMS, *SHEETS])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(working: County, page: Page, name: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    if name in PAGES:
        answer = page.goto(PAGES[name])
        assert answer is not None
        assert answer.status == 200
    elif name in FORMS:
        page.goto("/account")
        with page.expect_navigation():
            page.evaluate(SUBMIT, list(FORMS[name]))
    else:
        page.goto(f"{UNFINISHED}/texts")
        page.set_input_files(
            "#sheet", {"name": "texter.xlsx", "mimeType": "", "buffer": sheets(working)[name]}
        )
        with page.expect_navigation():
            page.locator(".sheet-card button").click()
    assert look(page, name) == []


@pytest.mark.parametrize("address", OTHERS)
def test_dark_colours_can_be_read_on_the_other_pages(page: Page, address: str) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    page.goto(address)
    page.evaluate(AXE_SCRIPT)
    page.emulate_media(color_scheme="dark")
    found = wcag.contrasts(page, address)
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/other{address.replace('/', '-')}-dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
    assert found == []


def look(page: Page, name: str) -> list[str]:
    """What is wrong with the page that is open."""
    faults = wcag.faults(page, name, dark=True) + page.faults
    page.faults = []
    if PICTURES:
        keep(page, name.replace(" ", "-"))
    return faults


def keep(page: Page, name: str) -> None:
    for width in wcag.WIDTHS:
        page.set_viewport_size({"width": width, "height": wcag.HEIGHT})
        page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=f"{PICTURES}/{name}-dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
