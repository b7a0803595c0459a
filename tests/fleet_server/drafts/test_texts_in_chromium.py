"""The page of translating in Chromium, with its script: it counts letters, and lets nobody leave typed texts behind."""

from typing import Any

import pytest
from playwright.sync_api import Dialog, expect

from tests.fleet_server.accounts.county import County
from tests.fleet_server.chromium import MARKS, address, chromium, page_of
from tests.fleet_server.drafts.desks import FIND_SV, make_draft

__all__ = ["address", "chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium-desk")]


def test_letters_are_counted_and_leaving_asks_first(county: County, address: str, chromium: Any) -> None:
    with county.database.write() as session:
        make_draft(session, county.now)
    page = page_of(chromium, county, address, "bob")
    page.goto("/drafts/1/texts")
    field = page.locator(f'[id="{FIND_SV}"]')
    field.fill("Hittade du hit? 🙂")
    count = page.locator(f'[id="{FIND_SV}/count"]')
    expect(count).to_have_text("17 / 200")  # letters, not halves of them
    expect(page.locator(".unsaved")).to_have_text("not saved yet")
    field.fill("x" * 201)
    expect(count).to_have_class("counter over")
    field.fill("Hittade du hit?")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.evaluate("location.href = '/drafts'")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    expect(field).to_have_value("Hittade du hit?")
    page.locator("form[data-texts] .save-bar button").click()
    expect(page.locator(".notice.ok")).to_be_visible()
    expect(page.locator(f'[id="{FIND_SV}"]')).to_have_value("Hittade du hit?")
    assert asked == ["beforeunload"], "saving asks nothing"
    page.context.close()
