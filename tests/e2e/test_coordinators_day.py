"""A coordinator's whole day: a seasonal question from the national set to a kiosk's visitor, and back again."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fleet_server.db import Database
from tests.e2e.conftest import sign_in
from tests.e2e.demo import ROOT, Demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("demo")]

NATIONAL = 1
PLACE = "Sote-asema, pääovi"
QUESTION = {
    "fi": "Oliko odotustila viihtyisä?",
    "sv": "Var väntrummet trivsamt?",
    "en": "Was the waiting room pleasant?",
}
PASSWORD = "three words that differ"  # noqa: S105  (of a person who lives as long as the test)
AUDITED = [
    "look at preview", "ask for approval", "approve draft", "publish draft", "start rollout", "roll back rollout",
]  # fmt: skip
SOON_MS = 30_000  # a busy machine may take its time; what happens is not judged by it


@pytest.fixture
def people(browser: Browser, demo: Demo) -> Iterator[dict[str, Page]]:
    """Pages of the administrator and of two coordinators, who came by their invitations."""
    faults: list[str] = []

    def page_of_somebody() -> Page:
        context = browser.new_context(
            base_url=demo.address, locale="en-GB", viewport={"width": 1360, "height": 900}
        )
        page = context.new_page()
        page.set_default_timeout(SOON_MS)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        return page

    admin = page_of_somebody()
    sign_in(admin, demo)
    found = {"admin": admin}
    for name in ("editor", "second"):
        admin.goto("/people/new")
        admin.get_by_label("Name").fill(name.capitalize())
        admin.get_by_label("E-mail address").fill(f"{name}@example.org")
        admin.get_by_label("Language of the pages").select_option("en")
        admin.get_by_label("Role 1", exact=True).select_option("coordinator")
        admin.get_by_role("button", name="Create and make the link").click()
        link = admin.get_by_label("Invitation link").inner_text()
        found[name] = page_of_somebody()
        found[name].goto(link)
        found[name].get_by_label("New password").fill(PASSWORD)
        found[name].get_by_label("The same password again").fill(PASSWORD)
        found[name].get_by_role("button", name="Save and sign in").click()
        found[name].wait_for_url("**/")
    yield found
    for page in found.values():
        page.context.close()
    # Chromium logs each answer 4xx as an error; publishing what has a fault is one.
    assert [fault for fault in faults if "status of 422" not in fault] == []


def test_a_seasonal_question_goes_from_the_national_set_to_a_visitor_and_back(
    people: dict[str, Page], demo: Demo
) -> None:
    admin, editor, second = people["admin"], people["editor"], people["second"]
    require_a_second_person(admin)
    kiosk = people["admin"].context.new_page()
    kiosk.goto("/try")
    kiosk.get_by_role("link", name=PLACE).first.click()
    asked = kiosk.locator("#question .first")
    device = kiosk.locator("#try").get_attribute("data-device")
    press(kiosk, 1)
    old_question = asked.inner_text()

    draft = copy_and_add(editor)
    fail_for_the_missing_texts(editor, draft)
    translate(editor)
    preview(editor)
    approve(editor, second)
    number = publish(editor)

    roll_out_to_one_place(editor)
    expect(asked).to_have_text(QUESTION["fi"], timeout=SOON_MS)
    press(kiosk, 0)
    kiosk.locator(f".bench a[href='/devices/{device}']").click()
    expect(kiosk.locator("#newest-answer")).to_contain_text(f"{number} · ")
    expect(kiosk.locator("#newest-answer")).to_contain_text("OWN-1")

    roll_back(editor)
    kiosk.goto(f"/try/{device}")
    expect(asked).to_have_text(old_question, timeout=SOON_MS)
    press(kiosk, 2)
    kiosk.goto(f"/devices/{device}")
    expect(kiosk.locator(".books").get_by_text("Balanced")).to_be_visible()
    expect(kiosk.locator("#newest-answer")).to_contain_text(f"{NATIONAL} · ")

    # Each answer names the set that was asked, for ever.
    assert recorded(demo, device) == [(NATIONAL, 4, None), (number, 5, None), (NATIONAL, 3, None)]
    assert checked(demo) == 0
    assert [action for action in done(demo) if action in AUDITED] == AUDITED


def press(kiosk: Page, face: int) -> None:
    """On "Try a kiosk": press, be thanked, be counted."""
    expect(kiosk.locator("#front")).to_have_attribute("data-screen", "ready", timeout=SOON_MS)
    before = int(kiosk.locator("#n-counted").inner_text())
    kiosk.locator(".press").nth(face).click()
    expect(kiosk.locator("#front")).to_have_attribute("data-screen", "thanks", timeout=SOON_MS)
    expect(kiosk.locator("#n-counted")).to_have_text(str(before + 1), timeout=SOON_MS)


def require_a_second_person(admin: Page) -> None:
    admin.goto("/county")
    admin.get_by_label("A second person approves each question set").check()
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("status").get_by_text("The changes were saved.")).to_be_visible()


def copy_and_add(editor: Page) -> str:
    """Returns the draft's address."""
    editor.goto("/question-sets")
    editor.get_by_role("link", name=f"Copy, label or archive set {NATIONAL}").click()
    editor.get_by_role("button", name="Copy to a new set").click()
    editor.wait_for_url(re.compile(r"/drafts/\d+$"))
    draft = editor.url
    editor.get_by_role("button", name="Add own question").click()
    editor.get_by_label("Question, Finnish").fill(QUESTION["fi"])
    editor.get_by_label("Name", exact=True).fill("Terveyspalvelut, kesä")
    editor.get_by_label("Button kiosks ask").select_option("OWN-1")
    expect(editor.locator("#side")).to_contain_text("question of button kiosks: OWN-1")
    expect(editor.locator(".desk-question.national textarea")).to_have_count(0)
    return draft


def fail_for_the_missing_texts(editor: Page, draft: str) -> None:
    editor.get_by_role("link", name="Publish", exact=True).click()
    editor.get_by_role("button", name="Publish as question set").click()
    refused = editor.locator("#refused")
    expect(refused).to_contain_text("text 'OWN-1' has no Swedish")
    expect(refused).to_contain_text("text 'OWN-1' has no English")
    expect(refused).to_contain_text("the county requires a second person")
    refused.get_by_role("link", name="has no Swedish").click()
    assert editor.url.startswith(f"{draft}/texts#")
    expect(editor.locator("textarea:target")).to_have_attribute("lang", "sv")


def translate(editor: Page) -> None:
    for language in ("sv", "en"):
        editor.locator(f"textarea[name='questions/OWN-1/text/{language}']").fill(QUESTION[language])
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_text("The changes were saved.")).to_be_visible()
    expect(editor.get_by_role("link", name="Missing (0)")).to_be_visible()


def preview(editor: Page) -> None:
    editor.get_by_role("link", name="Publish", exact=True).click()
    editor.get_by_role("link", name="nobody has looked at the preview for model button5").click()
    assert editor.url.endswith("/preview?model=button5")
    expect(editor.get_by_alt_text(re.compile(re.escape(QUESTION["fi"])))).not_to_have_count(0)
    editor.get_by_role("button", name="I have looked at these screens of model button5").click()
    editor.get_by_role("link", name="Go on to model touch").click()
    editor.get_by_role("button", name="I have looked at these screens of model touch").click()
    expect(editor.locator("#looked")).not_to_contain_text("touch: nobody yet")
    editor.get_by_role("link", name="Go on to publishing").click()


def approve(editor: Page, second: Page) -> None:
    left = editor.locator("section[aria-labelledby=left] li")
    expect(left).to_have_count(1)
    editor.get_by_role("button", name="Ask for approval").click()
    expect(editor.get_by_role("button", name="Approve")).to_have_count(0)
    second.goto("/question-sets")
    expect(second.locator("li", has_text="Terveyspalvelut, kesä")).to_contain_text("waits for approval")
    second.get_by_role("link", name="Terveyspalvelut, kesä").click()
    second.get_by_role("link", name="See what changes, and approve it or send it back").click()
    second.get_by_text("Send it back…").click()
    second.get_by_label("What should be changed").fill("Until when is it summer?")
    second.get_by_role("button", name="Send it back").click()
    expect(second.locator("#approval + .notice")).to_contain_text(
        "Second sent it back: “Until when is it summer?”"
    )

    editor.get_by_role("link", name="See it as it is now").click()  # her page says so by itself
    expect(editor.locator("#approval + .notice")).to_contain_text("Second sent it back")
    editor.get_by_role("button", name="Ask for approval").click()
    second.reload()
    expect(second.locator("section[aria-labelledby=changes]")).to_contain_text("questions added")
    second.get_by_role("button", name="Approve").click()
    expect(second.locator("#approval + p")).to_contain_text("Second approved it")
    editor.get_by_role("link", name="See it as it is now").click()


def publish(editor: Page) -> int:
    """Returns the set's number."""
    expect(editor.locator("section[aria-labelledby=left]")).to_contain_text("Everything is in order")
    editor.get_by_role("button", name="Publish as question set").click()
    heading = editor.get_by_role("heading", name="Published as question set")
    return int(re.search(r"\d+", heading.inner_text())[0])


def roll_out_to_one_place(editor: Page) -> None:
    editor.get_by_role("link", name="Roll it out").click()
    editor.get_by_text("Single places").click()
    editor.get_by_label(PLACE).check()
    editor.get_by_role("button", name="Show the plan").click()
    plan = editor.locator("#plan")
    expect(plan).to_contain_text("One kiosk gets the set")
    expect(plan).to_contain_text(PLACE)
    editor.get_by_role("button", name="Begin the rollout").click()
    # Nobody loads the page anew: it says so by itself.
    expect(editor.locator("tbody")).to_contain_text("asks it", timeout=SOON_MS)
    expect(editor.locator("body")).to_contain_text("1 of 1 kiosks ask the set.")


def roll_back(editor: Page) -> None:
    editor.get_by_text("Roll back…").click()
    editor.get_by_role("button", name="Roll back now").click()
    expect(editor.locator("tbody")).to_contain_text("asks again what it asked before", timeout=SOON_MS)
    expect(editor.locator("body")).to_contain_text("1 of 1 kiosks ask again what they asked before.")


def recorded(demo: Demo, device: str) -> list[tuple[Any, ...]]:
    """Set, value and filter of each answer of a device, as the database has them."""
    return rows(
        demo,
        "SELECT set_number, value, filtered FROM record WHERE device_id = ? AND kind = 1 ORDER BY seq",
        device,
    )


def done(demo: Demo) -> list[str]:
    """What the audit log has, each action once, in the order in which it was done first."""
    return list(
        dict.fromkeys(action for (action,) in rows(demo, "SELECT action FROM audit_entry ORDER BY id"))
    )


def rows(demo: Demo, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    database = Database(f"sqlite:///{demo.folder / 'hymio.db'}")
    try:
        with database.read() as session:
            return [tuple(row) for row in session.connection().exec_driver_sql(sql, values)]
    finally:
        database.close()


def checked(demo: Demo) -> int:
    """Exit code of `fleet check`."""
    command = [sys.executable, "-m", "fleet_server", "check"]
    return subprocess.run(command, cwd=ROOT, env=demo.environment, check=False).returncode  # noqa: S603
