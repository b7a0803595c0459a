"""The page of translating in Chromium: axe finds nothing, it fits 320 px and twice the size, and it counts."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from fleet_server.drafts.models import Draft
from tests.fleet_server.accounts.county import County
from tests.fleet_server.drafts.desks import FIND_FI, FIND_SV, edit, make_draft, set_

CHROMIUM = shutil.which("chromium")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
PICTURES = os.environ.get("HYMIO_PICTURES", "")  # a folder, for somebody who wants to look
# Twice the size on a desktop of 1280 px leaves 640 px; 320 px is what WCAG 1.4.10 asks for.
WIDTHS = {"desktop": (1280, 1), "double": (640, 2), "phone": (320, 1)}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


@pytest.fixture
def address(county: County) -> Iterator[str]:
    """The county with a draft that has a missing and a stale text, served on a free port."""
    with county.database.write() as session:
        draft = make_draft(session, county.now)
        edit(session, draft, set_("languages", ["fi", "sv", "en", "sme"]))
        edit(session, draft, set_(FIND_FI, "Oliko tänne helppo löytää?"), set_("thanks/sv", None))
        assert isinstance(draft, Draft)
    config = uvicorn.Config(county.app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_the_page_of_translating_is_for_everybody(county: County, address: str, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    bob = county.browser("bob")
    bob.post("/account/language", data={"language": "fi"})
    sheet = tmp_path / "texter.xlsx"
    sheet.write_bytes(bob.get("/drafts/1/texts.xlsx").content)
    cookie = {"name": "hymio_session", "value": bob.cookies["hymio_session"], "url": address}
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(locale="fi")
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)

        def look(name: str) -> None:
            for size, (width, _scale) in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": 800})
                found = Axe().run(page, options=RULES).response["violations"]
                faults.extend(
                    f"{name} {size}: {each['id']} {each['nodes'][0]['html'][:150]}" for each in found
                )
                scroll = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                if page.evaluate(scroll) > 0:
                    faults.append(f"{name}: scrolls sideways at {width} px")
                if PICTURES:
                    page.screenshot(path=f"{PICTURES}/{name}-{size}.png")

        page.goto(f"{address}/drafts/1/texts?show=stale")
        look("stale")
        page.set_viewport_size({"width": 1280, "height": 800})
        field = page.locator(f'[id="{FIND_SV}"]')
        field.fill("Hittade du hit? 🙂")
        assert page.locator(f'[id="{FIND_SV}/count"]').inner_text() == "17 / 200", (
            "letters, not halves of them"
        )
        page.locator("form[data-texts] button.primary").click()
        page.wait_for_selector(".notice.ok")
        page.goto(f"{address}/drafts/1/texts")
        look("texts")
        with county.database.write() as session:
            edit(session, session.get(Draft, 1), set_(FIND_SV, "Är det lätt?"), by="charlie@example.org")
        from openpyxl import load_workbook

        book = load_workbook(sheet)
        for row in book.active.iter_rows(min_row=2):
            if row[0].value in ("thanks", "questions/FIND/text"):
                row[5].value = "Stort tack för ditt svar!"
        book.save(sheet)
        page.set_input_files("#sheet", sheet)
        page.locator(".sheet-card button").click()
        page.wait_for_selector(".sheet-changes")
        look("sheet")
        browser.close()
    assert faults == []
