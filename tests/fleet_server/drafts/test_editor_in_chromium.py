"""The editor in Chromium, with its script: dragging, undoing, two people at one draft, and a sign-in that ends."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fleet_server.accounts import sessions
from fleet_server.drafts import service
from fleet_server.drafts.models import Draft
from fleet_server.questions import service as sets
from tests.fleet_server.accounts.county import PASSWORD, County
from tests.fleet_server.chromium import MARKS, address, chromium, page_of

__all__ = ["address", "chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium-desk")]
THANKS = "#f-thanks-fi"
STATE = ".desk-state"


@pytest.fixture
def draft_id(county: County) -> int:
    """A draft of Bob's with NPS, K1, K2 …"""
    with county.database.write() as session:
        sets.add_national(session, now=county.now)
        return service.new(session, county.person("bob"), "Kesä", copy_of=1, now=county.now).id or 0


@pytest.fixture
def bob(county: County, draft_id: int, address: str, chromium: Any) -> Iterator[Page]:
    """Bob has the draft open."""
    page = page_of(chromium, county, address, "bob", viewport={"width": 1280, "height": 800})
    page.goto(f"/drafts/{draft_id}")
    yield page
    page.context.close()


def body_of(county: County, draft_id: int) -> dict[str, Any]:
    with county.database.read() as session:
        return service.body(session.get_one(Draft, draft_id))


def stored(county: County, draft_id: int) -> list[str]:
    return [question["code"] for question in body_of(county, draft_id)["questions"]]


def shown(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        ".desk-question", "all => all.map(each => each.dataset.code)"
    )
    return found


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def handle(code: str) -> str:
    return f'.desk-question[data-code="{code}"] .handle'


def pick_up(page: Page, code: str) -> None:
    page.locator(handle(code)).evaluate("each => each.scrollIntoView({ block: 'center' })")
    x, y = middle(page, handle(code))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 8, steps=2)
    assert page.locator("#editor.carrying").count() == 1


def carry_below(page: Page, code: str) -> None:
    x, y = middle(page, f'.desk-question[data-code="{code}"]')
    page.mouse.move(x, y + 6, steps=4)


def until_all_is_saved(page: Page) -> None:
    """The page keeps in its tab what is not saved yet. (Its policy lets no `wait_for_function` in.)"""
    for _ in range(200):
        if page.evaluate("sessionStorage.length") == 0:
            return
        page.wait_for_timeout(100)
    raise AssertionError("something is not saved")


def test_a_question_is_dragged_with_the_mouse_and_taken_back(
    county: County, draft_id: int, bob: Page
) -> None:
    before = shown(bob)
    assert before[:4] == ["NPS", "K1", "K2", "K3-H"]
    pick_up(bob, "NPS")
    assert bob.locator(".desk-question .languages-side, .desk-question .wording").first.is_hidden()
    carry_below(bob, "K2")
    line = bob.eval_on_selector(
        ".drop-after", "box => [box.dataset.code, getComputedStyle(box, '::after').height]"
    )
    assert line == ["K2", "4px"], "a line shows where it would stand"
    expect(bob.locator(STATE)).to_have_text(f"NPS is question 3 of {len(before)}.")
    bob.mouse.up()
    after = ["K1", "K2", "NPS", *before[3:]]
    assert shown(bob) == after, "it stands there before the server has answered"
    expect(bob.locator(STATE)).to_have_text(re.compile(rf"NPS is question 3 of {len(before)}\. Saved"))
    assert stored(county, draft_id) == after
    assert bob.locator("#editor.carrying, .carried, .drop-after, .drop-before").count() == 0
    bob.click("#undo")
    expect(bob.locator("#side")).to_contain_text("taken back")
    assert shown(bob) == before
    assert stored(county, draft_id) == before
    bob.click("#redo")
    expect(bob.locator(".desk-question").first).to_have_attribute("data-code", "K1")
    assert stored(county, draft_id) == after


def test_a_question_is_dragged_to_the_top_and_to_the_end_of_a_long_list(
    county: County, draft_id: int, bob: Page
) -> None:
    before = shown(bob)
    last = before[-1]
    pick_up(bob, last)
    bob.mouse.move(600, 5, steps=5)  # near the edge: the page scrolls by itself
    expect(bob.locator(STATE)).to_have_text(f"{last} is question 1 of {len(before)}.")
    bob.mouse.up()
    expect(bob.locator(STATE)).to_contain_text("Saved")
    assert stored(county, draft_id) == [last, *before[:-1]]
    box = bob.locator(f'.desk-question[data-code="{last}"]').bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 800, "what was dropped is still in sight when the list is whole again"
    bob.set_viewport_size({"width": 1280, "height": 400})
    pick_up(bob, last)
    bob.mouse.move(600, 395, steps=5)
    expect(bob.locator(STATE)).to_have_text(f"{last} is question {len(before)} of {len(before)}.")
    bob.mouse.up()
    expect(bob.locator(STATE)).to_contain_text("Saved")
    assert stored(county, draft_id) == before


def test_what_is_carried_can_be_let_go_of_without_moving_it(county: County, draft_id: int, bob: Page) -> None:
    before = shown(bob)
    pick_up(bob, "NPS")
    carry_below(bob, "K2")
    bob.keyboard.press("Escape")
    assert bob.locator("#editor.carrying").count() == 0
    bob.mouse.up()
    bob.locator(handle("K1")).click()
    pick_up(bob, "K1")
    carry_below(bob, "K2")
    carry_below(bob, "NPS")
    bob.mouse.up()
    assert shown(bob) == before
    with county.database.read() as session:
        assert session.get_one(Draft, draft_id).revision == 0


def test_a_question_is_dragged_with_a_finger(
    county: County, draft_id: int, address: str, chromium: Any
) -> None:
    page = page_of(
        chromium,
        county,
        address,
        "bob",
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
    )
    page.goto(f"/drafts/{draft_id}")
    before = shown(page)
    page.locator(handle("K1")).evaluate("each => each.scrollIntoView({ block: 'center' })")
    fingers = page.context.new_cdp_session(page)

    def finger(kind: str, x: float, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    x, y = middle(page, handle("K1"))
    finger("touchStart", x, y)
    for step in range(1, 6):
        finger("touchMove", x, y + 4 * step)
    assert page.locator("#editor.carrying").count() == 1
    x, y = middle(page, '.desk-question[data-code="K3-H"]')
    finger("touchMove", x, y + 6)
    expect(page.locator(STATE)).to_contain_text("K1 is question 4")
    finger("touchEnd", x, y)
    expect(page.locator(STATE)).to_contain_text("Saved")
    assert stored(county, draft_id) == ["NPS", "K2", "K3-H", "K1", *before[4:]]
    page.context.close()


def test_a_question_is_moved_with_keys_and_the_focus_goes_along(
    county: County, draft_id: int, bob: Page
) -> None:
    before = shown(bob)
    bob.locator("#down-f-questions-NPS").focus()
    bob.keyboard.press("Enter")
    expect(bob.locator(STATE)).to_have_text(re.compile(rf"NPS is question 2 of {len(before)}\. Saved"))
    assert bob.evaluate("document.activeElement.id") == "down-f-questions-NPS"
    bob.keyboard.press("Enter")
    expect(bob.locator(STATE)).to_contain_text("NPS is question 3")
    assert stored(county, draft_id)[:3] == ["K1", "K2", "NPS"]
    bob.keyboard.press("Shift+Tab")
    bob.keyboard.press("Space")
    expect(bob.locator(STATE)).to_contain_text("NPS is question 2")
    bob.keyboard.press("Space")
    expect(bob.locator(STATE)).to_contain_text("NPS is question 1")
    assert bob.evaluate("document.activeElement.dataset.code") == "NPS", (
        "its button is off, so its box is next"
    )
    assert stored(county, draft_id) == before


def test_what_was_typed_is_saved_by_itself_and_undone_with_keys(
    county: County, draft_id: int, bob: Page
) -> None:
    before = body_of(county, draft_id)["thanks"]["fi"]
    bob.fill(THANKS, "Kiitos kesästä!")
    expect(bob.locator(STATE)).to_have_text("Not saved yet")
    expect(bob.locator(STATE)).to_contain_text("Saved 10")
    assert body_of(county, draft_id)["thanks"]["fi"] == "Kiitos kesästä!"
    bob.locator("h1").click()
    bob.keyboard.press("Control+z")
    expect(bob.locator(THANKS)).to_have_value(before)
    bob.keyboard.press("Control+y")
    expect(bob.locator(THANKS)).to_have_value("Kiitos kesästä!")
    bob.click("#undo")
    expect(bob.locator(THANKS)).to_have_value(before)
    expect(bob.locator(STATE)).to_contain_text("Taken back")
    bob.click("#undo")
    expect(bob.locator(STATE)).to_have_text("There is nothing of yours to take back.")
    assert body_of(county, draft_id)["thanks"]["fi"] == before


def test_undo_does_not_wait_for_what_is_being_saved_and_is_not_forgotten(
    county: County, draft_id: int, bob: Page
) -> None:
    before = body_of(county, draft_id)["thanks"]
    bob.fill(THANKS, "Kiitos!")
    bob.evaluate(
        """() => { const press = (id) => document.getElementById(id).click();
        press("save"); press("undo");
        const field = document.getElementById("f-thanks-sv"); field.value = "Tack, du!";
        field.dispatchEvent(new Event("input", { bubbles: true })); }"""
    )
    expect(bob.locator(THANKS)).to_have_value(before["fi"])
    expect(bob.locator("#f-thanks-sv")).to_have_value("Tack, du!")
    until_all_is_saved(bob)
    assert body_of(county, draft_id)["thanks"] == before | {"sv": "Tack, du!"}


def test_a_button_whose_answer_was_lost_is_not_done_twice(county: County, draft_id: int, bob: Page) -> None:
    before = stored(county, draft_id)
    lost = []

    def lose_the_first(route: Any) -> None:
        answer = route.fetch()
        lost.append(answer.status)
        if len(lost) == 1:
            route.abort()
        else:
            route.fulfill(response=answer)

    bob.route(f"**/drafts/{draft_id}", lose_the_first)
    bob.fill(THANKS, "Kiitos!")
    bob.get_by_role("button", name="Add own question").click()
    bob.locator(THANKS).press_sequentially("!!")
    expect(bob.locator('[data-code="OWN-1"]')).to_have_count(1)
    until_all_is_saved(bob)
    expect(bob.locator(STATE)).to_contain_text("Saved")
    assert len(lost) >= 2
    assert stored(county, draft_id) == [*before, "OWN-1"]
    expect(bob.locator(THANKS)).to_have_value("Kiitos!!!")
    assert body_of(county, draft_id)["thanks"]["fi"] == "Kiitos!!!"


def test_the_second_of_two_sees_live_who_changed_what_while_typing_on(
    county: County, draft_id: int, address: str, chromium: Any, bob: Page
) -> None:
    alice = page_of(chromium, county, address, "alice")
    alice.goto(f"/drafts/{draft_id}")
    bob.locator("#f-thanks-sv").focus()
    bob.keyboard.press("End")
    bob.keyboard.type(" Ha")
    alice.fill(THANKS, "Kiitos sinulle!")
    alice.locator("#down-f-questions-NPS").click()
    expect(alice.locator(STATE)).to_contain_text("NPS is question 2")
    expect(bob.locator(STATE)).to_have_text("Alice has changed this page")
    notice = bob.locator("#editor .notice")
    expect(notice).to_contain_text("Meanwhile others have changed this page")
    expect(notice).to_contain_text("thank-you in Finnish: Kiitos sinulle!")
    expect(notice).to_contain_text("NPS was moved below K1")
    expect(bob.locator(THANKS)).to_have_value("Kiitos sinulle!")
    assert shown(bob)[:2] == ["K1", "NPS"]
    assert bob.evaluate("document.activeElement.id") == "f-thanks-sv"
    bob.keyboard.type(" det bra!")
    expect(bob.locator(STATE)).to_contain_text("Saved")
    assert body_of(county, draft_id)["thanks"]["sv"].endswith(" Ha det bra!")
    expect(alice.locator("#f-thanks-sv")).to_have_value(re.compile(r"Ha det bra!$"))
    alice.context.close()


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_the_second_of_two_at_one_text_keeps_hers_or_takes_theirs(
    county: County, draft_id: int, bob: Page, keep: str
) -> None:
    bob.fill(THANKS, "Kiitos kaikille!")
    with county.database.write() as session:
        theirs = {"do": "set", "path": "thanks/fi", "to": "Kiitos sinulle!"}
        service.apply(session, county.person("alice"), draft_id, [theirs], 0, now=county.now)
    expect(bob.locator(STATE)).to_have_text("Not all of it is saved")
    notice = bob.locator("#conflicts")
    expect(notice).to_contain_text("Alice")
    expect(notice).to_contain_text("thank-you in Finnish: Kiitos sinulle!")
    expect(notice).to_contain_text("thank-you in Finnish: Kiitos kaikille!")
    expect(bob.locator(THANKS)).to_have_value("Kiitos kaikille!")
    assert body_of(county, draft_id)["thanks"]["fi"] == "Kiitos sinulle!"
    if keep == "mine":
        bob.click("#save")
        expect(bob.locator(STATE)).to_contain_text("Saved")
        assert body_of(county, draft_id)["thanks"]["fi"] == "Kiitos kaikille!"
    else:
        bob.get_by_role("button", name="Take this one").click()
        expect(bob.locator(THANKS)).to_have_value("Kiitos sinulle!")
        assert body_of(county, draft_id)["thanks"]["fi"] == "Kiitos sinulle!"
    expect(notice).to_have_count(0)
    bob.reload()
    assert bob.evaluate("sessionStorage.length") == 0


def test_what_somebody_else_has_changed_since_is_not_taken_back(
    county: County, draft_id: int, bob: Page
) -> None:
    bob.fill(THANKS, "Kiitos kaikille!")
    expect(bob.locator(STATE)).to_contain_text("Saved")
    with county.database.write() as session:
        theirs = {"do": "set", "path": "thanks/fi", "to": "Kiitos sinulle!"}
        service.apply(session, county.person("alice"), draft_id, [theirs], 1, now=county.now)
    bob.click("#undo")
    expect(bob.locator(STATE)).to_have_text("Not taken back")
    expect(bob.locator("#conflicts")).to_contain_text(
        "Not taken back: somebody else has changed the same since"
    )
    expect(bob.locator("#conflicts")).to_contain_text("Alice")
    expect(bob.locator(THANKS)).to_have_value("Kiitos sinulle!")
    assert body_of(county, draft_id)["thanks"]["fi"] == "Kiitos sinulle!"


def test_a_sign_in_that_ends_while_she_writes_loses_nothing(
    county: County, draft_id: int, with_passwords: County, bob: Page
) -> None:
    before = shown(bob)
    with county.database.write() as session:
        sessions.end_all(session, county.people["bob"])
    bob.fill(THANKS, "Kiitos, pitkään kirjoitettu!")
    expect(bob.locator(STATE)).to_contain_text("You were signed out. What you wrote is kept in this tab.")
    pick_up(bob, "NPS")
    carry_below(bob, "K1")
    bob.mouse.up()
    bob.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the live part asks, too
    expect(bob.locator(THANKS)).to_have_value("Kiitos, pitkään kirjoitettu!")
    expect(bob.get_by_role("link", name="Sign in and go on")).to_be_visible()
    assert bob.url.endswith(f"/drafts/{draft_id}"), "the page is not taken away"
    bob.get_by_role("link", name="Sign in and go on").click()
    bob.fill("#email", "bob@example.org")
    bob.fill("#password", PASSWORD)
    bob.locator("main form button").click()
    bob.wait_for_url(f"**/drafts/{draft_id}")
    expect(bob.locator(STATE)).to_contain_text("Saved")
    expect(bob.locator(THANKS)).to_have_value("Kiitos, pitkään kirjoitettu!")
    assert body_of(county, draft_id)["thanks"]["fi"] == "Kiitos, pitkään kirjoitettu!"
    assert stored(county, draft_id) == ["K1", "NPS", *before[2:]], "and what was dragged has its place"
    assert bob.evaluate("sessionStorage.length") == 0
