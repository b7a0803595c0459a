"""The pages of schedules in Chromium: WCAG 2.1 A and AA by axe, no sideways scrolling at 320 px nor at 200 %."""

import shutil
from pathlib import Path

import pytest

from tests.fleet_server.accounts.county import County
from tests.fleet_server.schedules.test_schedules import fleet, make
from tests.fleet_server.web.test_pages_in_chromium import RULES, address

__all__ = ["address", "fleet"]
CHROMIUM = shutil.which("chromium")
PHONE, ZOOMED, DESKTOP = 320, 640, 1280  # 640 is a desktop at 200 %

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_every_page_passes_axe_and_fits(fleet: County, address: str, language: str, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    make(fleet, name="Talvikysely koko päivän", first_day="2026-03-02", holidays="not")
    make(
        fleet,
        name="Aamut",
        first_day="2026-03-03",
        set_number="1",
        tue="8-12",
        thu="8-12, 14-18.30",
        sun="0-24",
    )
    alice = fleet.browser("alice")
    alice.post("/account/language", data={"language": language})
    cookie = {"name": "hymio_session", "value": alice.cookies["hymio_session"], "url": address}
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(locale=language)
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)

        def look(name: str) -> None:
            for width in (DESKTOP, ZOOMED, PHONE):
                page.set_viewport_size({"width": width, "height": 800})
                scroll = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                if page.evaluate(scroll) > 0:
                    faults.append(f"{name}: scrolls sideways at {width} px")
                page.screenshot(
                    path=str(tmp_path / f"{name.strip('/').replace('/', '-')}-{width}.png"), full_page=True
                )
                found = Axe().run(page, options=RULES).response["violations"]
                faults.extend(f"{name} {width}: {one['id']} {one['nodes'][0]['html'][:150]}" for one in found)

        for path in ("/schedules", "/schedules/new", "/schedules/2", "/devices/real00000001"):
            page.goto(address + path)
            look(path)
        page.goto(f"{address}/schedules/new")
        page.eval_on_selector("form.card", "form => { form.noValidate = true; form.submit() }")
        page.wait_for_selector("#name-error")
        look("/schedules/new/faults")
        browser.close()
    assert faults == []
