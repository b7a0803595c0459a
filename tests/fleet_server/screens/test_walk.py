"""A walk goes where the kiosk would: every flow of every ready set comes to its thanks, by places that are there."""

import html
import random
import re
from typing import Any

import pytest

from fleet_server.questions import service
from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view, view_faults
from fleet_server.screens.walk import MOST_ACTIONS, BadWalk, Walk, unpacked, walked
from tests.fleet_server.accounts.county import County

SETS = [body for body in national_sets() if not view_faults(body, "touch")]
FLOWS = [
    (body["number"], flow["kind"], language)
    for body in SETS
    for flow in view(body, "touch")["flows"]
    for language in range(len(body["languages"]))
]


def laid_out(number: int) -> dict[str, Any]:
    return view(next(body for body in SETS if body["number"] == number), "touch")


@pytest.mark.parametrize(("number", "kind", "language"), FLOWS)
def test_every_flow_of_every_ready_set_comes_to_its_thanks(number: int, kind: str, language: int) -> None:
    chooser = random.Random(f"{number}{kind}{language}")  # noqa: S311  (which answer is touched)
    shown, walk = laid_out(number), Walk(language=language, seed=number)
    if kind != "visitor":
        walk = walk.then("kind", kind)
    for _ in range(60):
        here = walked(shown, walk)
        assert not here.page.overflows
        if here.thanked:
            break
        actions = [widget.action for widget in here.page.widgets if widget.action is not None]
        wanted = [one for one in actions if one[0] == "answer"] or [
            one for one in actions if one[0] == "next"
        ]
        wanted = wanted or [one for one in actions if one[0] in ("toggle", "skip")]
        walk = walk.then(*chooser.choice(wanted))
    assert here.thanked
    assert here.records
    positions = {question["position"] for question in shown["questions"]}
    assert {record[0] for record in here.records} <= positions
    assert all(record[1] == language for record in here.records)
    assert unpacked(walk.packed()) == walk


def test_the_same_walk_comes_to_the_same_screen_and_another_lot_may_rotate_otherwise() -> None:
    shown = laid_out(7)
    walk = Walk(seed=5).then("answer", 9).then("answer", 0).then("answer", 1)
    assert walked(shown, walk).records == walked(shown, walk).records
    asked = {
        tuple(record[0] for record in walked(shown, Walk(walk.actions, 0, seed)).records)
        for seed in range(20)
    }
    assert len(asked) > 5


def test_who_walks_away_leaves_what_the_kiosk_would_have_recorded() -> None:
    shown = laid_out(7)
    assert walked(shown, Walk().then("gone")).records == []
    here = walked(shown, Walk().then("answer", 9).then("gone"))
    assert here.scene["page"] == "rest"
    assert [record[3] for record in here.records] == [0, 2]


def test_a_walk_has_an_end() -> None:
    walk = Walk()
    for _ in range(MOST_ACTIONS + 50):
        walk = walk.then("key", "ä")
    assert walk.full
    assert len(walk.actions) == MOST_ACTIONS


@pytest.mark.parametrize(
    "sent",
    [
        "x", "ä", "A" * 7_000, "eJw=",
        Walk(language=-1).packed(), Walk(seed=2**40).packed(), Walk((("answer", "1"),)).packed(),
        Walk((("mode",),)).packed(),
        Walk((("key", "\ud800"),)).packed(), Walk((("key", "x" * 100),)).packed(), Walk((("touch", 1),)).packed(),
        Walk(tuple(("touch",) for _ in range(MOST_ACTIONS + 1))).packed(),
    ],
)  # fmt: skip
def test_what_is_no_walk_is_refused(sent: str) -> None:
    with pytest.raises(BadWalk):
        unpacked(sent)


def test_any_action_of_the_right_shape_is_played_without_a_fault() -> None:
    chooser = random.Random(3)  # noqa: S311
    values: dict[str, list[Any]] = {
        "answer": [-1, 0, 3, 99], "toggle": [-1, 0, 99], "language": [-1, 0, 2, 9], "layer": [-2, 1, 9],
        "mode": ["large", "low", "nonsense"], "kind": ["child", "kin", "x"], "key": ["a", "ä", ""],
    }  # fmt: skip
    plain = ["touch", "gone", "next", "skip", "back", "leave", "phone", "write", "rub", "caps", "nonsense"]
    for seed in range(60):
        walk = Walk(seed=seed)
        for _ in range(30):
            name = chooser.choice([*values, *plain])
            walk = walk.then(name, chooser.choice(values[name])) if name in values else walk.then(name)
        assert walked(laid_out(9), walk, phone=bool(seed % 2)).page.widgets


@pytest.fixture
def fleet(county: County) -> County:
    """The county with the ready sets."""
    with county.database.write() as session:
        service.add_national(session, now=county.now)
    return county


def test_a_touch_of_the_picture_means_what_the_kiosk_would_take_it_for(fleet: County) -> None:
    browser = fleet.browser("charlie")
    page = browser.get("/question-sets/7/walk?language=sv").text
    assert 'type="image"' in page
    (source,) = re.findall(r'<input type="image"[^>]* src="([^"]+)"', page)
    assert browser.get(html.unescape(source)).content[:4] == b"\x89PNG"
    (walk,) = re.findall(r'name="walk" value="([^"]*)"', page)
    here = walked(laid_out(7), unpacked(walk))
    nine = next(one for one in here.page.widgets if one.action == ("answer", 9))
    x, y = nine.area[0] + 5, nine.area[1] + 5
    after = browser.post("/question-sets/7/walk", data={"walk": walk, "touch.x": str(x), "touch.y": str(y)})
    assert after.status_code == 200
    assert '<span class="tag">NPS</span> <span lang="sv">9</span>' in after.text
    beside = browser.post("/question-sets/7/walk", data={"walk": walk, "touch.x": "0", "touch.y": "0"})
    assert "Nothing so far" in beside.text


@pytest.mark.parametrize(
    "sent",
    [{}, {"do": "999"}, {"do": "x"}, {"walk": "x", "do": "0"}, {"touch.x": "a", "touch.y": "1"}, {"do": "٣"}],
)
def test_what_no_page_of_ours_sends_is_refused(fleet: County, sent: dict[str, str]) -> None:
    assert fleet.browser("charlie").post("/question-sets/7/walk", data=sent).status_code == 422
