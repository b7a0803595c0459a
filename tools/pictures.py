"""Takes the README's pictures from the running thing: `make pictures`. Nothing in them is drawn by hand.

Starts the demonstration in a fresh folder, presses for a minute through its buttons, photographs the pages, and answers
at its touch kiosk in three languages, whose own pixels are the pictures of its screens.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fleet_server.questions.national import national_sets  # noqa: E402
from fleet_server.questions.views import view  # noqa: E402
from provisioning.virtual.client import VirtualKiosk, list_kiosks  # noqa: E402
from tests.browser import launch  # noqa: E402
from tests.e2e.conftest import sign_in  # noqa: E402
from tests.e2e.demo import Demo  # noqa: E402
from tests.e2e.touch_visitor import Visitor  # noqa: E402

TARGET = ROOT / "docs" / "pictures"
LOCK_OUT_S = 2.2
TOUCH_SET = 7  # what the demonstration's touch kiosk asks
SWEDISH, ENGLISH = 1, 2
ICE = (
    ("fi", "Oliko pihalla liukasta?", ("Kyllä", "Ei")),
    ("sv", "Var det halt på gården?", ("Ja", "Nej")),
    ("en", "Was the yard slippery?", ("Yes", "No")),
)
PHONE = {"width": 390, "height": 844}


def main() -> None:
    """Write docs/pictures/*.png."""
    TARGET.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="hymio-pictures-"))
    demo = Demo(folder).start()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            context = browser.new_context(
                base_url=demo.address,
                locale="en-GB",
                viewport={"width": 1360, "height": 850},
                device_scale_factor=1,
            )
            page = context.new_page()
            sign_in(page, demo)
            page.goto("/account")
            page.select_option("select[name=language]", "en")
            page.click("form[action='/account/language'] button")
            page.goto("/try")
            page.wait_for_selector("#front[data-screen=ready]", timeout=20_000)
            for face in (0, 1, 0):
                page.locator(".press").nth(face).click()
                time.sleep(LOCK_OUT_S)
            page.click("#net button")
            for face in (0, 4):
                page.locator(".press").nth(face).click()
                time.sleep(LOCK_OUT_S)
            page.screenshot(path=TARGET / "try-offline.png")
            page.click("#net button")
            expect(page.locator("#n-waiting")).to_have_text("0", timeout=30_000)
            time.sleep(LOCK_OUT_S)
            page.locator(".press").nth(0).click()
            page.wait_for_selector("#front[data-screen=thanks]", timeout=5_000)
            page.screenshot(path=TARGET / "try.png")
            page.locator(".front").screenshot(path=TARGET / "kiosk.png")
            for name, address in (
                ("overview", "/"),
                ("place", page.locator(".bench a[href^='/places/']").get_attribute("href")),
                ("device", page.locator(".bench a[href^='/devices/']").get_attribute("href")),
                ("question-set", "/question-sets/3"),
            ):
                page.goto(address)
                time.sleep(0.5)  # the event stream never lets the network be idle
                page.screenshot(path=TARGET / f"{name}.png", full_page=name != "question-set")
            page.goto("/results")
            page.get_by_role("link", name="Laboratorion ovi").click()
            page.locator("section.result").first.wait_for()
            page.screenshot(path=TARGET / "results.png")
            for name, way in (("texts", "Texts"), ("volumes", "Presses")):
                page.get_by_role("link", name=way, exact=True).click()
                page.wait_for_url(f"**/{name}*")
                page.screenshot(path=TARGET / f"{name}.png")
            desk(page)
            kiosks = {kiosk.name: kiosk for kiosk in list_kiosks(demo.folder / "virtual")}
            (TARGET / "paper.png").write_bytes(kiosks["kiosk-1"].screen())
            touch_screens(kiosks["kiosk-2"])
            page.goto(f"/try/{kiosks['kiosk-2'].facts.id}")
            time.sleep(1)
            page.screenshot(path=TARGET / "try-touch.png")
            page.goto(page.locator(".bench a[href^='/places/']").get_attribute("href"))
            address = page.locator("a[href*='/p/']").first.get_attribute("href")
            page.set_viewport_size(PHONE)
            page.goto(address)
            page.screenshot(path=TARGET / "phone.png")
            browser.close()
    finally:
        demo.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for picture in sorted(TARGET.glob("*.png")):
        print(f"{picture.relative_to(ROOT)}  {picture.stat().st_size // 1024} KiB")


def desk(page: Page) -> None:
    """The coordinator's desk: a set's next version with a question of its own, that question carried, the preview."""
    page.goto(f"/drafts/new?copy_of={TOUCH_SET}")
    page.fill("#name", "Health services, winter 2027")
    page.check("input[name=how][value=continue]")
    page.locator("main form .button.primary").click()
    page.locator(".desk-question").first.wait_for()
    address = page.url
    page.select_option("#new_type", "choice")
    page.locator("button[value=own]").click()
    own = page.locator('[data-code="OWN-1"]')
    for language, text, answers in ICE:
        own.locator(f'[name="questions/OWN-1/text/{language}"]').fill(text)
        for place, answer in enumerate(answers):
            own.locator(f'[name="questions/OWN-1/labels/{language}/{place}"]').fill(answer)
    page.locator("#save").click()
    expect(page.locator(".desk-state")).to_contain_text("Saved")
    own.evaluate("each => each.scrollIntoView({ block: 'center' })")
    page.screenshot(path=TARGET / "desk.png")
    own.evaluate("each => scrollBy(0, each.getBoundingClientRect().top - 600)")
    carry(page, own, page.locator('[data-code="KTI"]'))
    page.screenshot(path=TARGET / "desk-carry.png")
    page.keyboard.press("Escape")
    page.mouse.up()
    page.goto(f"{address}/preview?model=touch&language=sv")
    for picture in page.locator(".screen img").all()[:6]:
        picture.scroll_into_view_if_needed()
        picture.evaluate("each => each.decode()")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=TARGET / "desk-preview.png")


def carry(page: Page, box: Locator, over: Locator) -> None:
    """Take a question by its handle and hold it where another one is."""

    def to(where: Locator, more: float) -> None:
        found = where.bounding_box()
        assert found is not None
        page.mouse.move(found["x"] + 16, found["y"] + found["height"] / 2 + more, steps=4)

    to(box.locator(".handle"), 0)
    page.mouse.down()
    to(box.locator(".handle"), 12)
    to(over, -6)


def touch_screens(kiosk: VirtualKiosk) -> None:
    """A visitor in each language: the resting screen, a statement, the open question, the thank-you."""
    body = next(body for body in national_sets() if body["number"] == TOUCH_SET)
    visitor = Visitor(kiosk, view(body, "touch"))

    def picture(name: str) -> None:
        (TARGET / f"touch-{name}.png").write_bytes(kiosk.screen())

    visitor.arrive()
    picture("rest")
    visitor.answer(10)
    picture("statement")
    visitor.go("leave")
    visitor.arrive()
    visitor.go("language", SWEDISH)
    visitor.answer(5)
    visitor.answer(1)
    visitor.touch("mode", "contrast")
    picture("contrast")
    visitor.go("leave")
    visitor.arrive()
    visitor.go("language", ENGLISH)
    visitor.answer(9)
    visitor.answer(0)
    visitor.answer(0)
    picture("pei")
    visitor.answer(1)
    visitor.answer(0)
    visitor.write("You listened to me", done=False)
    picture("text")
    visitor.go("next")
    picture("thanks")


if __name__ == "__main__":
    main()
