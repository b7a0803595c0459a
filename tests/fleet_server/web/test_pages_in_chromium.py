"""The pages of people, units and places in Chromium: WCAG 2.1 A and AA by axe, no sideways scrolling on a phone."""

from typing import Any

import pytest

from fleet_server.accounts.access import Person
from tests import wcag
from tests.fleet_server.accounts.county import County
from tests.fleet_server.chromium import MARKS, address, chromium

__all__ = ["address", "chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]


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
def test_every_page_passes_axe_and_fits_a_phone(
    county: County, address: str, chromium: Any, language: str
) -> None:
    alice = county.browser("alice")
    alice.post("/account/language", data={"language": language})
    alice.post(f"/places/{county.places['exit']}/device", data={"device_id": "real00000001"})
    invited = alice.post(f"/people/{county.people['bob']}/invite").text
    link = "/invitation/" + invited.split("/invitation/")[1].split("<")[0]
    cookie = {"name": "hymio_session", "value": alice.cookies["hymio_session"], "url": address}
    faults = []
    context = chromium.new_context(locale=language)
    page = context.new_page()
    page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)

    def look(name: str) -> None:
        faults.extend(wcag.faults(page, name, contrast=language == "fi"))

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
    assert page.evaluate("document.activeElement.className") == "skip", "the first stop leads past the menu"
    context.close()
    assert faults == []
