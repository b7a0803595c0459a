"""An operator before the form of a kiosk's network: a mistake, the wish, and what the kiosk says became of it."""

from typing import Any

import pytest

from fleet_server.devices import network, reports
from tests import wcag
from tests.fleet_server.accounts.county import County
from tests.fleet_server.answers.conftest import postgresql
from tests.fleet_server.chromium import MARKS, address, chromium, page_of
from tests.fleet_server.technician.conftest import county

__all__ = ["address", "chromium", "county", "postgresql"]

pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]
DEVICE = "real00000001"


def test_a_mistake_then_a_wish_then_its_end(county: County, chromium: Any, address: str) -> None:
    from playwright.sync_api import expect

    page = page_of(chromium, county, address, "otto", viewport={"width": 320, "height": 740})
    faults: list[str] = []

    def look(name: str) -> None:
        faults.extend(wcag.faults(page, name, widths=(320,)))

    def said(state: str, reason: str = "") -> None:
        with county.database.write() as session:
            row = network.newest(session, DEVICE)
            assert row is not None
            report = {"v": 1, "network": {"version": row.version, "state": state, "reason": reason}}
            reports.take(session, DEVICE, report, now=county.now)

    page.goto(f"/devices/{DEVICE}")
    page.get_by_role("link", name="Network settings").click()
    look("empty")
    page.get_by_label("Address of the broker").fill("mqtt .example")
    page.get_by_label("Key of the Wi-Fi").fill("hunter22-secret")
    page.get_by_label("The kiosk may be without network").check()
    page.get_by_role("button", name="Let the kiosk try it").click()
    expect(page.get_by_role("alert")).to_contain_text("2 things have to be put right")
    look("refused")
    expect(page.get_by_label("Address of the broker")).to_have_value("mqtt .example")
    expect(page.get_by_label("Key of the Wi-Fi")).to_have_value("")
    page.get_by_label("Network", exact=True).select_option("Wi-Fi")
    page.get_by_label("Name of the Wi-Fi").fill("Sairaala")
    page.get_by_label("Key of the Wi-Fi").fill("hunter22-secret")
    page.get_by_label("Address of the broker").fill("mqtt.example")
    page.get_by_label("The kiosk may be without network").check()
    page.get_by_role("button", name="Let the kiosk try it").click()
    expect(page.locator("#network-state")).to_contain_text("on their way")
    look("wished")
    said("trying")
    page.reload()
    expect(page.locator("#network-state")).to_contain_text("trying")
    expect(page.get_by_role("button", name="Let the kiosk try it")).to_have_count(0)
    look("trying")
    said("back", "no address from the network (wifi)")
    page.goto(f"/devices/{DEVICE}")
    expect(page.locator("#network-state")).to_contain_text(
        "went back because: no address from the network (wifi)"
    )
    look("the kiosk's page")
    assert not faults, faults
