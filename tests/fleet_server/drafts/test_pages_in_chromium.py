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
from tests.fleet_server.accounts.county import County, county_in
from tests.fleet_server.chromium import MARKS, chromium, page_of, serving
from tests.fleet_server.working_county import FORMS, PAGES, SHEETS, UNFINISHED, furnish, sheets

__all__ = ["chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium-desk")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
SIZES = {"desktop": (1280, 900), "double": (640, 450), "phone": (320, 640)}
PICTURES = os.environ.get("HYMIO_PICTURES", "")
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? []
    : [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 3).map((each) => each.outerHTML.slice(0, 120))"""
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
    with serving(working) as address:
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
    found = complaints(page, COLOURS, address)
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/other{address.replace('/', '-')}-dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
    assert found == []


def look(page: Page, name: str) -> list[str]:
    """What is wrong with the page that is open."""
    from axe_playwright_python.base import AXE_SCRIPT

    faults: list[str] = []
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate(AXE_SCRIPT)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        too_wide = page.evaluate(TOO_WIDE)
        faults += [f"{name} {size}: scrolls sideways: {html}" for html in too_wide]
        faults += complaints(page, RULES, f"{name} {size}")
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name.replace(' ', '-')}-{size}.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 1280, "height": 900})
    faults += complaints(page, COLOURS, f"{name} dark")
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name.replace(' ', '-')}-dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
    faults += page.faults
    page.faults = []
    return faults


def complaints(page: Page, options: dict[str, Any], where: str) -> list[str]:
    found = page.evaluate(
        "(options) => axe.run(document, options).then((found) => found.violations)", options
    )
    return [
        f"{where}: {each['id']} {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for each in found
        for node in each["nodes"][:3]
    ]
