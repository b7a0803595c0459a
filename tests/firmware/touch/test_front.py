"""From a finger to a record and the next page: in that order, whatever fails on the way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kiosk import record, touch_front
from kiosk.journal import JournalFull
from touch_stage import Blind, Stage

from tests.firmware.touch_views import national

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
NOON = 1_800_000_000_000


def stage_of(**more: Any) -> Stage:
    return Stage(ASSETS, **{"painter": Blind, **more})


@pytest.fixture
def stage() -> Stage:
    return stage_of()


def fill(stage: Stage) -> None:
    for body in (b"x" * 900, b""):
        try:
            while True:
                stage.journal.append(record.KIND_ANSWER, body=body)
        except JournalFull:
            continue
    stage.read_to = stage.journal.next_seq


def test_feedback_comes_first_then_the_record_then_the_page(stage: Stage, monkeypatch: Any) -> None:
    happened: list[str] = []
    press, append, change = stage.painter.press, stage.journal.append, stage.painter.change

    def pressed(widget: Any) -> None:
        happened.append("released" if widget is None else f"pressed {widget.action}")
        press(widget)

    def appended(kind: int, **fields: Any) -> Any:
        happened.append(f"record {kind}")
        return append(kind, **fields)

    def changed(page: Any) -> None:
        happened.append("page")
        change(page)

    monkeypatch.setattr(stage.painter, "press", pressed)
    monkeypatch.setattr(stage.journal, "append", appended)
    monkeypatch.setattr(stage.painter, "change", changed)
    monkeypatch.setattr(stage.board, "sound", happened.append)
    stage.press("answer", 9)
    assert happened == ["pressed ('answer', 9)", "record 2", "record 1", "thanks", "page"]


def test_records_say_what_was_asked_in_which_language_and_where_the_visit_began(stage: Stage) -> None:
    stage.clock.learn(NOON, 20)
    found: list[Any] = []
    records = stage.records
    stage.records = lambda: found.extend(records()) or found[-len(found) :]  # type: ignore[method-assign]
    stage.look = lambda: None  # type: ignore[method-assign]
    stage.press("language", 1)
    stage.press("answer", 3)
    stage.clock.recorded()
    stage.press("answer", 0)
    stage.records()
    kinds = [fields[0] for fields in found]
    assert kinds == [record.KIND_BOOT, record.KIND_CLOCK, record.KIND_ANSWER, record.KIND_ANSWER]
    first, second = found[2:]
    assert first[5:10] == (7, 0, 0, 1, 3)
    assert (second[6], second[8], second[9]) == (1, 1, 5)


def test_a_simulated_visitor_is_flagged_also_when_time_runs_out(stage: Stage) -> None:
    stage.board.simulated = lambda: True  # type: ignore[method-assign]
    stage.look = lambda: None  # type: ignore[method-assign]
    stage.press("answer", 3)
    stage.wait(60_000)
    flags = [fields[1] for fields in stage.records() if fields[0] == record.KIND_ANSWER]
    assert flags == [record.FLAG_SIMULATED, record.FLAG_SIMULATED | 2]


def test_a_full_journal_is_said_counted_and_over_when_there_is_room(stage: Stage) -> None:
    stage.press("answer", 3)
    fill(stage)
    stage.press("answer", 0)
    assert stage.scene == {"page": "full"}
    assert stage.board.sounds == ["thanks", "refused"]
    stage.wait(100_000)
    assert stage.scene == {"page": "full"}, "nobody is invited while there is no room"
    stage.release()
    stage.wait(2_000)
    assert stage.scene["page"] == "rest"
    stage.press("answer", 3)
    assert stage.board.sounds == ["thanks", "refused", "thanks"]


def test_flash_that_fails_is_refused_and_tried_again_with_the_next_visitor(
    stage: Stage, monkeypatch: Any
) -> None:
    append = stage.journal.append

    def broken(*args: Any, **fields: Any) -> int:
        raise OSError("journal: the flash does not hold what is written to it")

    stage.journal.append = broken
    stage.press("answer", 3)
    assert stage.scene == {"page": "full"}
    stage.journal.append = append
    stage.wait(11_000)
    assert stage.scene["page"] == "rest"
    stage.press("answer", 3)
    assert stage.answers == 1
    told = [fields for fields in _all(stage) if fields[0] == record.KIND_REFUSED]
    assert [int.from_bytes(fields[11][:2], "little") for fields in told] == [1]


def _all(stage: Stage) -> Any:
    stage.look = lambda: None
    stage.wait(3_700_000)  # the note of it may wait an hour
    stage.read_to = 0
    return stage.records()


def test_want_of_memory_while_drawing_costs_no_answer_and_the_page_comes_later() -> None:
    stage = stage_of(painter=__import__("touch_stage").Painter)
    stage.board.display.fails = 5  # the feedback, and the next page
    stage.press("answer", 3)
    stage.wait(5_000)
    assert stage.board.display.fails == 0
    assert stage.answers == 1
    assert stage.scene["page"] == "ask"
    assert stage.board.sounds == ["thanks"]


def test_want_of_memory_before_the_record_refuses_visibly(stage: Stage, monkeypatch: Any) -> None:
    def want(*args: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(stage.recorder, "answer", want)
    stage.press("answer", 3)
    assert stage.scene == {"page": "full"}
    assert stage.answers == 0


def test_a_touch_while_another_page_comes_is_none(stage: Stage) -> None:
    x, y, w, h = next(one.area for one in stage.widgets() if one.action == ("answer", 3))
    stage.board.touch.point = (x + w // 2, y + h // 2)
    stage.step()
    stage.board.touch.point = None
    for _ in range(3):
        stage.now += 30
        stage.front.screen.draw = lambda *args: None  # type: ignore[method-assign] # a slow display
        stage.step()
    stage.board.touch.point = (240, 250)
    stage.step()
    assert stage.front.ignored["repeat"] == 1
    del stage.front.screen.draw
    stage.board.touch.point = None
    stage.wait(100)
    assert stage.scene["step"] == 2


def test_letters_typed_while_the_text_is_drawn_are_all_taken() -> None:
    stage = stage_of()
    stage.press("answer", 2)
    while stage.scene["page"] != "text":
        stage.press("skip")
        stage.wait(600)
    keys = {one.action: one.area for one in stage.widgets()}
    x, y, w, h = keys[("key", "K")]
    for _ in range(3):
        for point in ((x + w // 2, y + h // 2), None):
            stage.board.touch.point = point
            stage.step()
            for _ in range(3):
                stage.now += 25
                stage.step()
            stage.now += 25
    stage.settle()
    assert stage.scene["text"].lower() == "kkk"


def test_cleaning_ends_a_visit_takes_no_touch_and_ends_by_itself(stage: Stage) -> None:
    stage.press("answer", 3)
    stage.touch(20, 20, 3_200)
    stage.touch(470, 20)
    assert stage.scene == {"page": "wait"}
    assert [value[1] for value in stage.last.values()] == []
    for x in range(40, 480, 50):
        stage.touch(x, 200)
    assert stage.scene == {"page": "wait"}
    assert stage.front.ignored["cleaning"] == 10
    stage.wait(62_000)
    assert stage.scene["page"] == "rest"


def test_the_server_orders_cleaning_between_visits_and_its_end(stage: Stage) -> None:
    stage.press("answer", 3)
    stage.clock.learn(NOON, 20)
    stage.settings.values["cleaning"] = NOON + 120_000
    stage.wait(1_000)
    assert stage.scene["page"] == "ask", "a visitor is not sent away"
    stage.wait(40_000)
    assert stage.scene == {"page": "wait"}
    stage.touch(240, 200)
    assert stage.front.ignored["cleaning"] == 1
    stage.wait(100_000)
    assert stage.scene["page"] == "rest"
    stage.settings.values["cleaning"] = NOON + 86_400_000
    stage.wait(2_000)
    assert stage.scene["page"] == "rest", "a day is no cleaning but a fault"


def test_without_a_set_it_says_so_and_asks_as_soon_as_there_is_one() -> None:
    stage = stage_of()
    view, stage.sets.active = stage.sets.active, None
    stage.front._let_go()
    stage.front._starting = True
    stage.wait(1_000)
    assert stage.scene == {"page": "start"}
    stage.wait(40_000)
    assert stage.scene == {"page": "out"}
    stage.touch(240, 200)
    stage.sets.active = view
    stage.wait(2_000)
    assert stage.scene["page"] == "rest"


def test_another_set_is_asked_between_visits_only(stage: Stage) -> None:
    stage.press("answer", 3)
    stage.sets.active = {**national(), "number": 8}
    stage.wait(1_000)
    stage.press("answer", 3)
    assert stage.scene["step"] == 3
    stage.wait(40_000)
    stage.view = stage.sets.active
    stage.press("answer", 3)  # `look` holds the number of its record against that of the view
    assert stage.answers == 4


def test_the_host_is_told_of_pages_and_of_what_can_be_touched(stage: Stage) -> None:
    stage.board.tells_targets = True
    stage.press("answer", 3)
    assert (stage.board.shown["page"], stage.board.shown["screen"]) == ("ask", "ask")
    targets = stage.board.shown["targets"]
    assert len(targets) == len(stage.widgets())
    for row in targets:
        x, y, w, h = row[-4:]
        assert stage.painter.page.hit(x + w // 2, y + h // 2).action == tuple(row[:-4])
    stage.wait(60_000)
    assert (stage.board.shown["page"], stage.board.shown["screen"]) == ("rest", "ready")


def test_a_broken_panel_is_a_fault_that_is_reported(stage: Stage) -> None:
    assert stage.front.stuck_faces() == []
    stage.board.touch.fault = "touch: no answer at 0x38"
    stage.wait(1_000)
    assert stage.front.stuck_faces() == [0]
    assert stage.board.shown["fault"] == [0]
    assert stage.board.lines == ["touch: no answer at 0x38"]
    assert stage.board.sounds == ["fault"]


def test_a_crash_of_the_task_goes_on_with_the_visit_where_it_was(stage: Stage, monkeypatch: Any) -> None:
    monkeypatch.setattr(touch_front, "ticks_ms", lambda: stage.now)
    stage.press("answer", 3)
    stage.press("answer", 0)
    asked = stage.scene["question"]
    beats: list[int] = []

    async def crash() -> None:
        await asyncio.Event().wait()

    def beat() -> None:
        beats.append(1)
        if len(beats) > 14:
            raise RuntimeError("made to fail")

    stage.board.wait_edge = crash  # type: ignore[attr-defined]
    for _ in range(2):
        beats.clear()
        with pytest.raises(RuntimeError):
            asyncio.run(asyncio.wait_for(stage.front.run(beat), 20))
    assert stage.scene["question"] == asked
    stage.wait(600)
    stage.press("answer", 0)
    assert stage.answers == 3


@pytest.mark.parametrize("part", ["recorder.answer", "_visit._given.enter"])
def test_a_crash_while_an_answer_is_taken_refuses_it_instead_of_going_on_as_if_it_was(
    stage: Stage, monkeypatch: Any, part: str
) -> None:
    """The next question came, and the answer was nowhere; or no page was right any more, and each try crashed again."""
    *way, name = part.split(".")
    owner: Any = stage.front
    for step in way:
        owner = getattr(owner, {"recorder": "_recorder"}.get(step, step))

    def crash(*args: Any) -> None:
        monkeypatch.undo()
        raise RuntimeError("made to fail")

    monkeypatch.setattr(owner, name, crash)
    with pytest.raises(RuntimeError):
        stage.press("answer", 3)
    stage.front.begin(stage.now)
    stage.last, stage.began = {}, None
    stage.touch(0, 0)
    assert stage.scene == {"page": "full"}
    assert stage.board.sounds == ["refused"]
    stage.records()
    stage.wait(11_000)
    stage.press("answer", 3)
    assert stage.scene["page"] == "ask"
    assert stage.board.sounds == ["refused", "thanks"]


def test_a_key_that_was_felt_is_written_although_memory_fails_for_it_and_for_its_drawing(
    monkeypatch: Any,
) -> None:
    stage = stage_of()
    stage.press("answer", 2)
    while stage.scene["page"] != "text":
        stage.press("skip")
        stage.wait(600)
    typed = stage.front._visit._given.typed
    add, wants = typed.add, [True]

    def once(letters: str) -> Any:
        if wants:
            wants.pop()
            raise MemoryError
        return add(letters)

    monkeypatch.setattr(typed, "add", once)
    stage.press("key", "K")
    assert stage.scene["text"] == "K"
    page, fails = stage.front.screen._page, [True, True]

    def built(*looks: Any) -> Any:
        if fails:
            fails.pop()
            raise MemoryError
        return page(*looks)

    monkeypatch.setattr(stage.front.screen, "_page", built)
    area = next(one.area for one in stage.widgets() if one.action == ("key", "o"))
    other = next(one.area for one in stage.widgets() if one.action == ("key", "a"))
    for x, y, w, h in (area, other):
        stage.touch(x + w // 2, y + h // 2)
    stage.wait(2_000)
    assert not fails
    assert stage.scene["text"] == "Koa", "also what was touched before it could be drawn again"
