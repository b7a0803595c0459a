"""The pages of people, units and places in Chromium: WCAG 2.1 A and AA by axe, no sideways scrolling on a phone."""

import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from fleet_server.accounts.access import Person
from tests.fleet_server.accounts.county import County

CHROMIUM = shutil.which("chromium")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
PHONE, DESKTOP = 320, 1280  # 320 is what WCAG 1.4.10 asks for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


@pytest.fixture
def address(county: County) -> Iterator[str]:
    """The county served on a free port."""
    server = uvicorn.Server(
        uvicorn.Config(county.app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def pages(county: County, person: Person) -> list[str]:
    """The addresses to look at; some with faults in their forms are made by the test itself."""
    clinic, exit_ = county.units["clinic"], county.places["exit"]
    return [
        "/account",
        "/people",
        "/people/new",
        f"/people/{person.id}",
        "/people/tokens",
        "/audit",
        "/units",
        f"/units/{clinic}",
        f"/units/new?parent={clinic}",
        f"/places/new?unit={clinic}",
        f"/places/{exit_}/edit",
        "/nothing-here",
    ]


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_every_page_passes_axe_and_fits_a_phone(county: County, address: str, language: str) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    alice = county.browser("alice")
    alice.post("/account/language", data={"language": language})
    alice.post(f"/places/{county.places['exit']}/device", data={"device_id": "real00000001"})
    invited = alice.post(f"/people/{county.people['bob']}/invite").text
    link = "/invitation/" + invited.split("/invitation/")[1].split("<")[0]
    cookie = {"name": "hymio_session", "value": alice.cookies["hymio_session"], "url": address}
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = browser.new_context(locale=language)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)

        def look(name: str) -> None:
            page.set_viewport_size({"width": DESKTOP, "height": 800})
            found = Axe().run(page, options=RULES).response["violations"]
            faults.extend(f"{name}: {each['id']} {each['nodes'][0]['html'][:150]}" for each in found)
            page.set_viewport_size({"width": PHONE, "height": 700})
            scroll = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            if page.evaluate(scroll) > 0:
                faults.append(f"{name}: scrolls sideways at {PHONE} px")

        for path in ("/sign-in", link):
            page.goto(address + path)
            look(path)
        context.add_cookies([cookie])  # type: ignore[list-item]
        for path in pages(county, county.person("bob")):
            page.goto(address + path)
            look(path)
        page.goto(f"{address}/people/new")
        page.fill("#email", "not an address")
        page.eval_on_selector("form.card", "form => { form.noValidate = true; form.submit() }")
        page.wait_for_selector("#email-error")
        look("/people/new with faults")
        page.goto(f"{address}/people/new")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip", (
            "the first stop leads past the menu"
        )
        browser.close()
    assert faults == []
