"""The form in Chromium at a phone's width, in its three languages: WCAG 2.1 A and AA, targets, no JavaScript."""

from collections.abc import Iterator
from typing import Any

import pytest

from fleet_server.answers.wire import MAX_TEXT_BYTES
from tests import wcag
from tests.fleet_server.chromium import MARKS, chromium, serving
from tests.fleet_server.phone.visitors import Exit

SMALL, PHONE = 320, 390
TARGETS = """[...document.querySelectorAll('.pick, .phone-languages > *, .phone-send, textarea')].flatMap(one => {
    const box = one.getBoundingClientRect();
    return box.width >= 44 && box.height >= 44 ? [] : [one.outerHTML.slice(0, 100)];
})"""

__all__ = ["chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]


@pytest.fixture
def address(exit_: Exit) -> Iterator[str]:
    """The county served on a free port."""
    with serving(exit_.county.app) as address:
        yield address


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_page_of_a_phone_passes_axe_and_can_be_touched(
    exit_: Exit, address: str, chromium: Any, language: str
) -> None:
    faults: list[str] = []
    page = chromium.new_context(locale=language, viewport={"width": PHONE, "height": 844}).new_page()
    page.on("console", lambda said: faults.append(said.text))

    def look(name: str) -> None:
        faults.extend(wcag.faults(page, name, widths=(PHONE, SMALL), contrast=language == "fi"))
        for width in (PHONE, SMALL):
            page.set_viewport_size({"width": width, "height": 844})
            faults.extend(f"{name} at {width}: too small: {each}" for each in page.evaluate(TARGETS))
        page.set_viewport_size({"width": PHONE, "height": 844})

    page.goto(address + exit_.path)
    assert page.evaluate("document.documentElement.lang") == language
    look("form")
    page.fill("textarea", "ä" * 501)
    assert page.evaluate("document.querySelector('.question-left').className").endswith("over")
    assert " 1 " in page.inner_text(".question-left")
    page.check("[name='nps-NPS'][value='7']")
    page.click(".phone-send")
    page.wait_for_selector("[role=alert]")
    assert page.is_checked("[name='nps-NPS'][value='7']")
    assert page.input_value("textarea") == "ä" * 501
    look("form with a fault")
    page.fill("textarea", "ä" * (MAX_TEXT_BYTES // 2))
    page.click(".phone-send")
    page.wait_for_selector(".phone-calm")
    look("thanks")
    page.reload()
    assert len(exit_.records()) == 2
    page.goto(address + "/p/nothing")
    look("no such place")
    assert page.context.cookies() == []
    assert [fault for fault in faults if "404" not in fault and "422" not in fault] == []


def test_the_form_works_without_javascript_and_a_language_keeps_what_is_filled_in(
    exit_: Exit, address: str, chromium: Any
) -> None:
    page = chromium.new_context(locale="fi", java_script_enabled=False).new_page()
    page.goto(address + exit_.path)
    page.check("[name='pei-PEI-H'][value='0']")
    page.fill("textarea", "pitkä odotus")
    page.click("button[value=sv]")
    assert page.input_value("textarea") == "pitkä odotus"
    page.press("[name='pei-PEI-H'][value='0']", "Enter")  # sends, and does not change the language
    page.wait_for_selector(".phone-calm")
    assert [one.language for one in exit_.records()] == [1, 1]


def test_going_back_and_sending_again_counts_once(exit_: Exit, address: str, chromium: Any) -> None:
    page = chromium.new_context(locale="fi").new_page()
    page.goto(address + exit_.path)
    page.check("[name='nps-NPS'][value='4']")
    page.click(".phone-send")
    page.wait_for_selector(".phone-calm")
    page.go_back()
    page.wait_for_selector(".phone-send")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.dblclick(".phone-send")
    assert sent.value.status in (303, 422), "sent before, or empty"
    assert len(exit_.records()) == 1


def test_a_double_click_in_a_browser_counts_once(exit_: Exit, address: str, chromium: Any) -> None:
    page = chromium.new_context(locale="fi").new_page()
    page.goto(address + exit_.path)
    page.check("[name='nps-NPS'][value='4']")
    page.dblclick(".phone-send")
    page.wait_for_selector(".phone-calm")
    assert len(exit_.records()) == 1


def test_the_poster_is_one_sheet_of_a5_and_of_a4(exit_: Exit, address: str, chromium: Any) -> None:
    alice = exit_.county.browser("alice")
    context = chromium.new_context()
    context.add_cookies([{"name": "hymio_session", "value": alice.cookies["hymio_session"], "url": address}])
    page = context.new_page()
    page.goto(f"{address}/places/{exit_.place.id}/poster")
    for sheet in ("A5", "A4"):
        assert page.pdf(format=sheet, print_background=True).count(b"/Type /Page\n") == 1
