"""The results pages in Chromium: nothing for axe to find, on a phone's width, at 200 % and on paper."""

import shutil
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_exports import code_of, switch_on
from tests.fleet_server.results.test_result_pages import answer

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
WIDTHS = (320, 640, 1280)  # 640 is 1280 at 200 %

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The county served on a free port, with answers in both clinics."""
    answer(world, "A", *[5] * 20, *[1] * 5)
    answer(world, "B", *[4] * 10)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_results_pass_axe_at_every_width_and_fit(world: World, address: str) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    cookie = world.sign_in("alice@example.org").cookies["hymio_session"]
    unit, place = world.units["A"], world.places["A"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=address)
        context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
        page: Any = context.new_page()
        for path in (
            "/results",
            f"/results/units/{unit}?span=year",
            f"/results/places/{place}?filtered=with",
        ):
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(path)
                found = Axe().run(page, options=RULES).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (path, width)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
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
        browser.close()


def test_the_public_page_and_the_national_one_pass_axe_and_fit(world: World, address: str) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    switch_on(world)
    with world.database.write() as session:
        accounts.create_user(
            session, email="rita@example.org", name="Rita", language="en", roles=[(Role.COORDINATOR, None)],
            now=world.now,
        )  # fmt: skip
    cookie = world.sign_in("rita@example.org").cookies["hymio_session"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=address, locale="en")
        context.add_cookies([{"name": "hymio_session", "value": cookie, "url": address}])
        page: Any = context.new_page()
        for path in (
            f"/p/{code_of(world, 'A')}/results",
            "/results/national/file.csv?from=2026-03&to=2026-01",
        ):
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(path)
                found = Axe().run(page, options=RULES).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (path, width)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        page.get_by_label("First month").select_option("2026-01")
        with page.expect_download() as started:
            page.get_by_role("button", name="Download the file").click()
        assert started.value.suggested_filename == "national-2026-01-2026-01-month.csv"
        browser.close()
