"""A phone before a wall: from the label to the place and back, a swap, and a report on one sheet of paper."""

from typing import Any

import pytest

from fleet_server.questions import service as questions
from tests import wcag
from tests.fleet_server.accounts.county import County
from tests.fleet_server.chromium import MARKS, address, chromium, page_of
from tests.fleet_server.technician.conftest import Tool
from tests.fleet_server.technician.test_reports_and_codes import REPORT

__all__ = ["address", "chromium"]

pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]
OLD, NEW = "real00000001", "real00000002"


def test_label_place_undo_swap_and_report(county: County, tool: Tool, chromium: Any, address: str) -> None:
    from playwright.sync_api import expect

    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        assert questions.publish(session, 5, [OLD], actor="test", now=county.now) == []
    page = page_of(chromium, county, address, "tuula", viewport={"width": 320, "height": 740})
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text))

    def look(name: str) -> None:
        faults.extend(wcag.faults(page, name, widths=(320,)))

    page.goto(f"/devices/{OLD}")  # where the label's code leads
    page.get_by_role("link", name="Place it here").click()
    look("choose")
    page.get_by_label("Search a place").fill("clinic")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="exit").click()
    look("confirm")
    page.get_by_role("button", name="It stands here now").click()
    expect(page.get_by_role("heading", name="It stands at exit")).to_be_visible()
    look("placed")
    page.get_by_role("button", name="Undo: it stands nowhere again").click()
    expect(page.get_by_role("heading", name="Where does it stand?")).to_be_visible()
    page.get_by_role("link", name="exit").click()
    page.get_by_role("button", name="It stands here now").click()
    page.get_by_role("link", name="The kiosk's page").click()
    page.get_by_role("link", name="Swap this kiosk").click()
    look("swap")
    page.get_by_role("link", name="Real two").click()
    look("swap asked")
    page.get_by_role("button", name="Swap now").click()
    expect(page.get_by_role("heading", name="Out of service since")).to_be_visible()
    expect(page.locator("#out-of-service")).to_contain_text("Real two took over at exit.")
    look("old one")
    for path in ("/technician", "/technician/codes"):
        page.goto(path)
        look(path)
    page.get_by_role("link", name="To be put up").click()
    page.get_by_role("button", name="Make the token").click()
    look("token")

    steps = [{"name": name, "result": "passed", "note": "x" * 60} for name in ("buttons", "sound", "flash")]
    tool(f"/devices/{NEW}/acceptance", REPORT | {"steps": REPORT["steps"] + steps * 5})
    page.goto(f"/devices/{NEW}/acceptance")
    look("report")
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1, "eighteen steps on one sheet"
    page.context.close()
    assert faults == []
