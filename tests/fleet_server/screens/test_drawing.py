"""The server draws a kiosk's page as the kiosk does, in a fraction of a second, also when two people look at once."""

import threading
import time
from typing import Any

import pytest

from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view
from fleet_server.screens import drawing
from fleet_server.screens.png import Frame
from provisioning.errors import ProvisioningError
from tests.provisioning.test_png import decoded

MOST_S = 1.0  # of the processor, for the slowest page: what somebody waits for without a second thought


def ready_set(number: int) -> dict[str, Any]:
    return next(body for body in national_sets() if body["number"] == number)


@pytest.fixture(scope="module")
def touch() -> dict[str, Any]:
    return view(ready_set(7), "touch")


def scenes(touch: dict[str, Any]) -> list[dict[str, Any]]:
    """One of each kind of question, and pages without."""
    kinds = {question["type"]: index for index, question in enumerate(touch["questions"])}
    return [
        *({"page": "text" if kind == "text" else "ask", "question": at, "step": 1, "steps": 3, "text": ""}
          for kind, at in kinds.items()),
        {"page": "rest", "question": 0},
        {"page": "thanks"},
    ]  # fmt: skip


def test_every_kind_of_page_is_a_picture_of_the_screens_size_in_less_than_a_second(
    touch: dict[str, Any],
) -> None:
    for scene in scenes(touch):
        began = time.process_time()
        page = drawing.page(scene, touch, 0, ("contrast",))
        picture = drawing.picture(page, "touch")
        assert time.process_time() - began < MOST_S
        assert decoded(picture)[:4] == (480, 320, 8, 2)


@pytest.mark.parametrize(("model", "number"), [("button5", 5), ("button4", 6)])
def test_the_page_of_a_button_kiosk_is_black_and_white(model: str, number: int) -> None:
    shown = drawing.paper_page({"page": "ask"}, view(ready_set(number), model))
    assert decoded(drawing.picture(shown, model))[:4] == (400, 300, 1, 0)


def test_two_who_look_at_once_see_what_each_asked_for(touch: dict[str, Any]) -> None:
    wanted = [drawing.page(scene, touch) for scene in scenes(touch)[:3]]
    alone = [drawing.picture(page, "touch") for page in wanted]
    seen: list[bool] = []

    def look(number: int) -> None:
        for _ in range(3):
            seen.append(drawing.picture(wanted[number], "touch") == alone[number])

    people = [threading.Thread(target=look, args=(number,)) for number in range(3)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert seen == [True] * 9


def test_a_model_without_a_screen_or_that_is_unknown_is_refused(touch: dict[str, Any]) -> None:
    page = drawing.page({"page": "thanks"}, touch)
    with pytest.raises(ValueError, match="'card4' has no screen"):
        drawing.picture(page, "card4")
    with pytest.raises(ProvisioningError, match="'toaster' is unknown"):
        drawing.picture(page, "toaster")


def test_a_band_is_written_where_it_belongs() -> None:
    frame = Frame(16, 2, mono=True)
    frame.write(8, 1, 8, 1, memoryview(b"\xa5"))
    assert bytes(frame.pixels) == b"\0\0\0\xa5"
    frame = Frame(3, 2, mono=False)
    frame.write(1, 0, 2, 2, memoryview(bytes(range(8))))
    assert bytes(frame.pixels) == bytes((0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 7))
