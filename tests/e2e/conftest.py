"""The running demonstration and a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import CHROMIUM, MISSING, launch
from tests.e2e.demo import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`make run` without simulated patients."""
    running = Demo(tmp_path_factory.mktemp("demo"), "--no-patients", "--no-history").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """A page of somebody who has signed in."""
    context = browser.new_context(
        base_url=demo.address, locale="fi-FI", viewport={"width": 1360, "height": 900}
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    sign_in(page, demo)
    yield page
    context.close()
    assert faults == [], "the browser's console must stay empty"


def sign_in(page: Page, demo: Demo) -> None:
    """Through the form, as a person does."""
    email, password = demo.sign_in
    page.goto("/sign-in")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.click("main form button")
    page.wait_for_url("**/")
