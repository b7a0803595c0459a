"""The main job in a browser: from the finger on a face to the thanks, and to the place's total on another page."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import launch
from tests.e2e.conftest import sign_in
from tests.e2e.demo import Demo

PRESSES = 20
LOCK_OUT_S = 2.5
PATIENCE_MS = 20_000
THANKS_MS, COUNTED_MS = 500, 1_000  # what a visitor, and who watches the page, takes for "at once"


def measure() -> list[dict[str, Any]]:
    """Press to thanks and press to the total (median and the slowest of 20, ms), by whole demonstration and browser."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = Demo(Path(folder), "--no-patients", "--no-history").start()
        # A browser each: what is behind another page is drawn once a second only.
        browsers = [launch(playwright) for _ in range(2)]
        try:
            kiosk, place = (browser.new_page(base_url=demo.address) for browser in browsers)
            thanked, counted = _times(kiosk, place, demo)
        finally:
            for browser in browsers:
                browser.close()
            demo.stop()
    return [
        {"name": f"press to {what}, {name}", "value": value, "unit": "ms", "limit": limit}
        for what, times, limit in (
            ("thanks on the kiosk", thanked, THANKS_MS),
            ("total on the place's page", counted, COUNTED_MS),
        )
        for name, value in (("median", statistics.median(times)), ("slowest of 20", max(times)))
    ]


def _times(kiosk: Page, place: Page, demo: Demo) -> tuple[list[float], list[float]]:
    for page in (kiosk, place):
        sign_in(page, demo)
    kiosk.goto("/try")
    expect(kiosk.locator("#led")).to_have_attribute("data-status", "online", timeout=PATIENCE_MS)
    place.goto(kiosk.locator(".bench a[href^='/places/']").get_attribute("href") or "")
    total = int(place.locator("[data-figure=today]").inner_text())
    thanked, counted = [], []
    for number in range(1, PRESSES + 1):
        kiosk.locator("#front[data-screen=ready]").wait_for(timeout=PATIENCE_MS)
        began = time.perf_counter()
        kiosk.locator(".press").first.click()
        kiosk.locator("#front[data-screen=thanks]").wait_for(timeout=PATIENCE_MS)
        thanked.append(1_000 * (time.perf_counter() - began))
        shown = f"[data-figure=today]:text-is('{total + number}')"
        place.locator(shown).wait_for(timeout=PATIENCE_MS)
        counted.append(1_000 * (time.perf_counter() - began))
        time.sleep(LOCK_OUT_S)
    return thanked, counted
