"""The kiosk's state on a touchscreen: a small sign while nobody is there, all of it in words after a gesture."""

from pathlib import Path
from typing import Any

import pytest
from touch_stage import Blind, Stage

from tests.screens.scenes import WELL

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
LEFT, RIGHT, MIDDLE = (20, 20), (460, 30), (240, 200)


@pytest.fixture
def stage() -> Stage:
    stage = Stage(ASSETS, painter=Blind)
    stage.front.facts = lambda: dict(WELL)
    return stage


def gesture(stage: Stage) -> None:
    stage.touch(*RIGHT, ms=3200)
    stage.touch(*LEFT)


def page(stage: Stage) -> Any:
    return stage.scene["page"]


def test_the_gesture_shows_the_state_until_a_touch_which_means_nothing_else(stage: Stage) -> None:
    before = stage.journal.next_seq
    gesture(stage)
    assert page(stage) == "service"
    assert WELL["id"] in "".join(widget.text for widget in stage.painter.page.widgets)
    stage.touch(*MIDDLE)
    assert page(stage) == "rest"
    assert stage.journal.next_seq == before, "no answer is counted"
    stage.wait(1000)
    stage.press("answer", 9)
    assert stage.answers == 1, "the next touch is a visitor's again"


def test_it_ends_by_itself_and_shows_what_was_so_when_it_began(stage: Stage) -> None:
    asked: list[int] = []
    stage.front.facts = lambda: asked.append(1) or dict(WELL)  # type: ignore[func-returns-value]
    gesture(stage)
    stage.wait(59_000)
    assert page(stage) == "service"
    stage.wait(2_000)
    assert page(stage) == "rest"
    assert len(asked) == 1


def test_cleaning_is_the_gesture_the_other_way_round(stage: Stage) -> None:
    stage.touch(*LEFT, ms=3200)
    stage.touch(*RIGHT)
    assert page(stage) == "wait"
    stage.wait(61_000)
    gesture(stage)
    assert page(stage) == "service"


def test_no_visitor_who_is_being_asked_is_interrupted(stage: Stage) -> None:
    stage.press("answer", 9)
    stage.wait(600)
    assert page(stage) == "ask"
    gesture(stage)
    assert page(stage) != "service"
    assert stage.answers == 1


@pytest.mark.parametrize("first", [RIGHT, MIDDLE])
def test_other_places_show_nothing(stage: Stage, first: tuple[int, int]) -> None:
    stage.touch(*first, ms=500 if first == RIGHT else 4000)
    stage.touch(*LEFT)
    assert page(stage) != "service"


def test_the_sign_stands_while_nobody_is_there_and_changes_nothing_a_touch_means(stage: Stage) -> None:
    def meant() -> list[Any]:
        return [(widget.action, widget.area) for widget in stage.widgets()]

    without = meant()
    stage.front.sign = 1
    stage.wait(2000)
    assert [widget.role for widget in stage.painter.page.widgets].count("sign") == 1
    assert meant() == without
    stage.press("answer", 9)
    assert all(widget.role != "sign" for widget in stage.painter.page.widgets)
    assert stage.answers == 1
