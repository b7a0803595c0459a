"""Every place to touch is as large as EN 301 549 and the county's promise say, in every language and mode.

Measures are of the 4.0-inch screen: 480x320 pixels on 84x56 mm.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from screens import widgets
from screens.corner import written
from screens.keyboard import LAYERS

from fleet_server.screens import drawing
from tests.screens.scenes import COMBINATIONS, LANGUAGES, MODES, STATES, Screen, screens

WIDTH, HEIGHT = 480, 320
MM = 84 / WIDTH
assert MM == 56 / HEIGHT
# Kind of widget: least width and height in mm. Buttons of other kinds: what a fingertip covers.
LEAST = {widgets.Face: (12.0, 15.0), widgets.Cell: (10.0, 10.0), widgets.Key: (6.5, 8.0)}
LEAST_BUTTON = (8.0, 8.0)
LEAST_DISTANCE = 2.0  # between faces
WAYS_OUT = {("leave",), ("skip",), ("next",), ("back",)}

each_screen = pytest.mark.parametrize("screen", screens(), ids=lambda screen: screen.name)
asking = pytest.mark.parametrize(
    "screen",
    [one for one in screens() if one.scene["page"] in ("ask", "rest")],
    ids=lambda screen: screen.name,
)


def pages(screen: Screen) -> Iterator[tuple[str, Any]]:
    """Each page of a screen, with what to call it."""
    for language in range(len(screen.languages)):
        for modes in COMBINATIONS:
            name = f"{screen.name} {LANGUAGES[language]} {' '.join(modes)}"
            yield name, drawing.page(screen.scene, screen.view, language, modes)


def touchable(page: Any) -> list[Any]:
    return [widget for widget in page.widgets if widget.action is not None]


def touched(widget: Any) -> tuple[int, ...]:
    """What takes a touch on a widget."""
    area: tuple[int, ...] = widget.area or widget.rect
    return area


def whole(widget: Any) -> tuple[int, ...]:
    rect: tuple[int, ...] = widget.rect
    return rect


def inked(widget: Any) -> tuple[int, ...]:
    """What a widget covers with its words or its picture."""
    if isinstance(widget, widgets.Label) and widget.text:
        _, _, _, align, rise, _ = widget.mark
        return written(widget.rect, widget.font, widget.lines, align, rise)
    return whole(widget)


def actions(page: Any) -> set[tuple[Any, ...]]:
    return {widget.action for widget in touchable(page)}


def on_screen(rect: tuple[int, ...]) -> bool:
    x, y, width, height = rect
    return x >= 0 and y >= 0 and x + width <= WIDTH and y + height <= HEIGHT


def apart(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Pixels between two rectangles: negative where they overlap."""
    across = max(other[0] - one[0] - one[2], one[0] - other[0] - other[2])
    down = max(other[1] - one[1] - one[3], one[1] - other[1] - other[3])
    return max(across, down)


@each_screen
def test_every_target_has_its_least_size(screen: Screen) -> None:
    for name, page in pages(screen):
        for widget in touchable(page):
            least = LEAST.get(type(widget), LEAST_BUTTON)
            size = touched(widget)[2] * MM, touched(widget)[3] * MM
            for measure, needed in zip(size, least, strict=True):
                assert measure >= needed, f"{name}: {widget.action} is {size} mm, least {least}"


@each_screen
def test_targets_never_overlap_and_lie_on_the_screen(screen: Screen) -> None:
    for name, page in pages(screen):
        for widget in touchable(page):
            assert on_screen(touched(widget)), f"{name}: {widget.action}"
        for one, other in combinations(touchable(page), 2):
            assert apart(touched(one), touched(other)) >= 0, f"{name}: {one.action} and {other.action}"


@each_screen
def test_nothing_is_drawn_over_something_else_or_beyond_the_edge(screen: Screen) -> None:
    for name, page in pages(screen):
        drawn = [widget for widget in page.widgets if not isinstance(widget, widgets.Panel)]
        for widget in drawn:
            assert on_screen(widget.rect), f"{name}: {widget.role}"
        for one, other in combinations(drawn, 2):
            # The kiosk's own sign takes a place that is free of ink: beside a text, within its room.
            rect = inked if "sign" in (one.role, other.role) else whole
            assert apart(rect(one), rect(other)) >= 0, (
                f"{name}: {one.role} {one.rect}, {other.role} {other.rect}"
            )


@each_screen
def test_in_low_reach_everything_to_be_touched_lies_in_the_lower_half(screen: Screen) -> None:
    for name, page in pages(screen):
        if "low" in name.split():
            for widget in touchable(page):
                assert touched(widget)[1] >= HEIGHT // 2, (
                    f"{name}: {widget.action} begins at {touched(widget)[1]}"
                )


@each_screen
def test_everything_has_room_for_its_text(screen: Screen) -> None:
    for name, page in pages(screen):
        assert page.overflows == [], name


@asking
def test_faces_stand_in_one_row_two_millimetres_apart(screen: Screen) -> None:
    for name, page in pages(screen):
        faces = [touched(widget) for widget in page.widgets if isinstance(widget, widgets.Face)]
        assert len({(area[1], area[3]) for area in faces}) <= 1, name
        for one, other in combinations(faces, 2):
            assert apart(one, other) * MM >= LEAST_DISTANCE, name


@asking
def test_the_scale_has_two_rows_in_order(screen: Screen) -> None:
    for name, page in pages(screen):
        cells = [widget for widget in page.widgets if isinstance(widget, widgets.Cell)]
        if cells:
            assert [cell.action for cell in cells] == [("answer", number) for number in range(11)], name
            assert len({cell.rect[1] for cell in cells}) == 2, name


@asking
def test_every_answer_can_be_given(screen: Screen) -> None:
    assert screen.view
    question = screen.view["questions"][screen.scene["question"]]
    count = 11 if question["type"] == "nps" else len(question["labels"]["fi"])
    wanted = {("toggle" if question.get("several") else "answer", number) for number in range(count)}
    if question.get("cant_say"):
        wanted.add(("answer", -1))
    for name, page in pages(screen):
        given = {action for action in actions(page) if action[0] in ("answer", "toggle")}
        # The bar that says that the visit is about to end may take the place of "can't say": staying brings it back.
        assert wanted - given <= ({("answer", -1)} if "left" in screen.scene else set()), name
        assert given <= wanted, name


@each_screen
def test_no_page_of_a_visit_is_without_a_way_out(screen: Screen) -> None:
    page_name = screen.scene["page"]
    for name, page in pages(screen):
        found = actions(page)
        if page_name in (*STATES, "service"):
            assert not found, (
                name
            )  # nothing of a visit is on it; the kiosk ends it, service also by a touch anywhere
        elif page_name == "rest":
            assert not found & WAYS_OUT, name  # the way out is to walk on
        elif "left" in screen.scene:
            assert ("stay",) in found, name
        else:
            assert found & WAYS_OUT, name


@each_screen
def test_the_ways_that_a_scene_offers_are_on_its_page(screen: Screen) -> None:
    scene = screen.scene
    for name, page in pages(screen):
        found = actions(page)
        if "left" in scene:
            continue
        if scene.get("back"):
            assert ("back",) in found, name
        if scene.get("leave") and scene["page"] != "text":  # there, done is the way on
            assert ("leave",) in found, name
        if scene["page"] == "ask":
            assert (("next",) in found) != (("skip",) in found), name
            assert any(action[0] == "language" for action in found), name
        # A note may stand where languages and modes are: any touch brings them back (firmware/touch/test_said.py).
        if scene["page"] in ("rest", "ask", "phone") and "said" not in scene:
            assert {("mode", mode) for mode in MODES} <= found, name
        if scene["page"] == "rest":
            assert {("kind", kind) for kind in scene["kinds"]} <= found, name
        if scene["page"] == "rest" and "said" not in scene:
            assert len({action for action in found if action[0] == "language"}) >= len(LANGUAGES) - 1, name


@pytest.mark.parametrize("modes", COMBINATIONS, ids="+".join)
@pytest.mark.parametrize("caps", [False, True])
def test_every_letter_can_be_typed(modes: tuple[str, ...], caps: bool) -> None:
    screen = next(one for one in screens() if one.name == "written")
    typed, layers = set(), set()
    for layer in range(len(LAYERS)):
        page = drawing.page({**screen.scene, "layer": layer, "caps": caps}, screen.view, 0, modes)
        found = actions(page)
        typed |= {action[1] for action in found if action[0] == "key"}
        layers |= {action[1] for action in found if action[0] == "layer"}
        assert {("rub",), ("caps",), ("key", " ")} <= found
    letters = "abcdefghijklmnopqrstuvwxyzåäöáčđŋšŧžâõǥǧǩʒǯ"
    assert set(letters.upper() if caps else letters) <= typed
    assert set("0123456789,.!?-") <= typed
    assert layers == {0, 1, 2}


@pytest.mark.parametrize("name", ["rest-NPS", "rest-VISIT-5-child-kin", "rest-LANG"])
@pytest.mark.parametrize("modes", COMBINATIONS, ids="+".join)
def test_six_languages_are_reached_from_the_resting_screen(name: str, modes: tuple[str, ...]) -> None:
    screen = next(one for one in screens() if one.name == name)
    codes = ["fi", "sv", "en", "sme", "smn", "sms"]

    def six(value: Any) -> Any:
        if isinstance(value, dict):
            more = {code: value["fi"] for code in codes if "fi" in value and code not in value}
            return {**{key: six(each) for key, each in value.items()}, **more}
        return [six(each) for each in value] if isinstance(value, list) else value

    view = {**six(screen.view), "languages": codes}
    reached = {0}
    for _ in codes:
        for language in sorted(reached):
            page = drawing.page(screen.scene, view, language, modes)
            assert page.overflows == []
            for one, other in combinations(touchable(page), 2):
                assert apart(touched(one), touched(other)) >= 0, f"{one.action} and {other.action}"
            reached |= {action[1] for action in actions(page) if action[0] == "language"}
    assert reached == set(range(len(codes)))


@pytest.mark.parametrize("name", ["ask-NPS", "ask-K1", "ask-PEI-H", "several", "ask-VISIT-4", "text-OPEN"])
@pytest.mark.parametrize("modes", COMBINATIONS, ids="+".join)
def test_what_has_no_room_is_named_and_takes_no_place_of_a_target(name: str, modes: tuple[str, ...]) -> None:
    screen = next(one for one in screens() if one.name == name)
    assert screen.view
    questions = [dict(question) for question in screen.view["questions"]]
    asked = questions[screen.scene["question"]]
    asked["text"] = {"fi": "Miten hoito ja kohtelu sujuivat tällä kertaa? " * 14}
    if "labels" in asked:
        asked["labels"] = {
            "fi": ["Epäjärjestelmällistyttämättömyydellänsäkään" * 2 for _ in asked["labels"]["fi"]]
        }
    page = drawing.page(screen.scene, {**screen.view, "questions": questions}, 0, modes)
    roles = {role for role, _ in page.overflows}
    assert "question" in roles
    assert "label 1" in roles or "labels" not in asked
    for one, other in combinations(touchable(page), 2):
        assert apart(touched(one), touched(other)) >= 0, f"{one.action} and {other.action}"
    for widget in touchable(page):
        assert on_screen(touched(widget)), widget.action
