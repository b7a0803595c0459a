"""The county on a free port and Debian's Chromium to look at it with; it knows no page.

Importing `address` and `chromium` into a test module makes its fixtures; the server is new for each test, the browser
is one for the module.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from tests.browser import CHROMIUM, MISSING, launch
from tests.fleet_server.accounts.county import County

PATIENCE_MS = 20_000  # a machine that is busy with other tests

MARKS = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]


@pytest.fixture
def address(county: County) -> Iterator[str]:
    """The county served on a free port."""
    with serving(county.app) as address:
        yield address


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """An application on a free port."""
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests of a module."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def page_of(chromium: Any, county: County, address: str, name: str, language: str = "en", **more: Any) -> Any:
    """A page of this person's, in a window of their own; `errors` of it are what its console complains of."""
    signed_in = county.browser(name)
    signed_in.post("/account/language", data={"language": language})
    context = chromium.new_context(base_url=address, locale=language, **more)
    cookie = {"name": "hymio_session", "value": signed_in.cookies["hymio_session"], "url": address}
    context.add_cookies([cookie])
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()
