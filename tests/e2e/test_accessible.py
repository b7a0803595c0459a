"""The pages of the main job, as they run: WCAG 2.1 A and AA by axe, and no sideways scrolling on a phone."""

import pytest
from playwright.sync_api import Browser, Page

from tests import wcag
from tests.e2e.conftest import sign_in
from tests.e2e.demo import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("demo")]

PAGES = ("/try", "/question-sets", "/question-sets/1", "/", "/devices")


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_pages_of_the_main_job_pass_axe_and_fit_a_phone(browser: Browser, demo: Demo, language: str):
    context = browser.new_context(base_url=demo.address, locale=language)
    page = context.new_page()
    sign_in(page, demo)
    page.goto("/account")
    page.select_option("select[name=language]", language)
    page.click("form[action='/account/language'] button")
    faults = []
    page.goto("/try")
    tries = [tab.get_attribute("href") for tab in page.locator(".try-tab").all()]
    for address in (*PAGES, *tries[1:2]):  # the second has a touchscreen
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language
        faults += wcag.faults(page, address, contrast=language == "fi")
    context.close()
    assert faults == []


def test_a_kiosk_can_be_pressed_with_the_keyboard(page: Page, demo: Demo):
    page.goto("/try")
    page.wait_for_selector("#front[data-screen=ready]", timeout=15_000)
    page.locator(".press").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#front[data-screen=thanks]", timeout=20_000)
