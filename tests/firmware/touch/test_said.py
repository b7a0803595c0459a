"""Notes on the resting screen: in turn, never in a visitor's way, and gone when they are taken back."""

from pathlib import Path
from typing import Any

import pytest
from kiosk import record
from kiosk.said import Said
from kiosk.said_rules import MOST_BYTES, pack
from screens.sheet import MARGIN
from touch_stage import Stage

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
NOON = 1_800_000_000_000
HOUR_MS = 3_600_000
NOTE = {"id": 7, "until": None, "fi": ["Odotus oli pitkä.", "Avasimme toisen luukun."]}
OTHER = {"id": 8, "until": None, "sv": ["Hissen var trasig.", "Den är lagad."]}


def stage_of(*notes: dict[str, Any]) -> Stage:
    stage = Stage(ASSETS, said=pack(list(notes)) if notes else None)
    stage.front.said.connected = lambda: True
    stage.wait(100)
    return stage


def shown(stage: Stage) -> int | None:
    note = stage.scene.get("said")
    on_it = [widget.text for widget in stage.painter.page.widgets if widget.role in ("said", "did")]
    assert len(on_it) == (2 if note else 0), "a scene and its page agree"
    return note and note["id"]


def answers(stage: Stage) -> list[tuple[Any, ...]]:
    """What takes an answer on the page, where, and that it looks the same."""
    return [
        (one.action, one.area, one.rect, one.mark) for one in stage.widgets() if one.action[0] != "language"
        and one.action[0] != "mode" or one.area[1] > 150
    ]  # fmt: skip


def test_a_note_comes_in_turn_with_the_question_and_every_answer_stays_where_it_was() -> None:
    stage = stage_of(NOTE, OTHER)
    before = answers(stage)
    assert shown(stage) is None
    seen = []
    for _ in range(70):
        stage.wait(1_000)
        seen.append(shown(stage))
        assert answers(stage) == before
        assert [one.role for one in stage.painter.page.widgets].count("question") == 1
    assert seen[:19] == [None] * 19, "whoever comes to answer finds the question alone first"
    turns = [one for one, last in zip(seen, [None, *seen], strict=False) if one != last]
    assert turns == [7, None, 8, None], seen
    assert seen.count(7) in (11, 12, 13), "long enough to be read"
    assert stage.painter.page.widgets[0].rect[0] == MARGIN


def test_one_touch_upon_a_note_answers_as_always_and_the_visitor_sees_none() -> None:
    stage = stage_of(NOTE)
    stage.wait(22_000)
    assert shown(stage) == 7
    stage.press("answer", 9)
    assert stage.answers == 1, "one touch, one answer"
    assert stage.scene["page"] in ("ask", "text")
    while stage.scene["page"] != "rest":
        assert "said" not in stage.scene
        stage.wait(1_000)
    for _ in range(19):
        assert shown(stage) is None, "nobody can tell when the visitor left by it"
        stage.wait(1_000)


def test_a_touch_beside_the_answers_brings_the_question_back_and_leaves_no_record() -> None:
    stage = stage_of(NOTE)
    stage.wait(22_000)
    assert shown(stage) == 7
    stage.touch(240, 40)
    assert shown(stage) is None
    assert stage.answers == 0
    stage.wait(18_000)
    assert shown(stage) is None, "somebody is there: a whole rest begins"
    stage.wait(4_000)
    assert shown(stage) == 7


def test_what_is_withdrawn_over_or_of_a_server_long_unheard_is_gone() -> None:
    stage = stage_of(NOTE, {**OTHER, "until": NOON + 20 * HOUR_MS})
    stage.wait(22_000)
    assert shown(stage) == 7
    stage.settings.values["said"] = None
    stage.wait(1_000)
    assert shown(stage) is None, "withdrawn while it stood there"

    stage.settings.values["said"] = pack([{**OTHER, "until": NOON + 60_000}])
    stage.wait(40_000)
    assert shown(stage) is None, "a kiosk without a clock cannot know that it is not over"
    stage.clock.learn(NOON, 10)
    seen = set()
    for _ in range(55):
        stage.wait(1_000)
        seen.add(shown(stage))
    assert seen == {None, 8}
    stage.wait(6_000)
    for _ in range(40):
        assert shown(stage) is None, "over"
        stage.wait(1_000)

    said = Said(stage.settings.get, stage.clock)
    stage.settings.values["said"] = pack([NOTE])
    online = [True]
    said.connected = lambda: online[0]

    def seen_within(start: int, end: int) -> bool:
        return any(said.look(True, now) for now in range(start, end, 1_000))

    assert seen_within(0, 40_000)
    online[0] = False
    assert seen_within(40_000, 100_000), "a network that is away for a moment"
    assert any(said.look(True, now) for now in range(100_000, 23 * HOUR_MS, 10_000))
    assert not any(said.look(True, now) for now in range(24 * HOUR_MS + 41_000, 26 * HOUR_MS, 10_000))
    online[0] = True
    assert seen_within(26 * HOUR_MS, 26 * HOUR_MS + 40_000)


def test_a_question_that_needs_all_the_room_keeps_it() -> None:
    from tests.firmware.touch_views import national

    view = national()
    first = view["questions"][view["flows"][0]["ask"][0]]
    first["text"] = dict.fromkeys(first["text"], "Kuinka todennäköisesti suosittelisit palveluamme? " * 3)
    stage = Stage(ASSETS, view=view, said=pack([NOTE]))
    stage.front.said.connected = lambda: True
    plain = [(one.rect, one.mark) for one in stage.painter.page.widgets]
    stage.wait(23_000)
    assert stage.scene["said"]["id"] == 7
    assert [(one.rect, one.mark) for one in stage.painter.page.widgets] == plain


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "not a list of 1 to 3"),
        ([NOTE] * 4, "not a list of 1 to 3"),
        ([{**NOTE, "id": True}], "note 0 has no id"),
        ([NOTE, {**NOTE, "until": "later"}], "note 1: 'until' is not UTC milliseconds below 2^53"),
        ([{"id": 1, "until": None, "de": ["a", "b"]}], "note 0 has no text in fi, sv or en"),
        ([{**NOTE, "sv": ["a"]}], "note 0: 'sv' is not two texts"),
        ([{**NOTE, "sv": ["a", ""]}], "note 0: no text of at most 400 bytes in 'sv'"),
        ([{**NOTE, "fi": ["a\nb", "c"]}], "note 0: no text of at most 400 bytes in 'fi'"),
        ([{**NOTE, "fi": ["ä" * 201, "c"]}], "note 0: no text of at most 400 bytes in 'fi'"),
        ([{**NOTE, "fi": ["x" * 400, "y" * 201]}] * 2, "1202 bytes of text, this kiosk takes 1200"),
    ],
)
def test_a_fault_is_named(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match="^setting said: ") as refused:
        pack(value)
    assert str(refused.value) == "setting said: " + reason


def test_what_no_kiosk_knows_takes_no_memory_and_the_most_is_taken() -> None:
    (note,) = pack([{**NOTE, "de": ["much"] * 100, "later": {}}])
    assert note == {"id": 7, "until": None, "fi": ("Odotus oli pitkä.", "Avasimme toisen luukun.")}
    assert len(pack([{"id": 1, "until": 0, "fi": ["x" * 300, "y" * 300]}] * 2)) == 2
    assert MOST_BYTES == 1200


def test_a_note_leaves_nothing_in_the_journal() -> None:
    stage = stage_of(NOTE)
    stage.wait(100_000)
    assert [fields for fields in stage.records() if fields[0] == record.KIND_ANSWER] == []
    assert stage.journal.pressed == 0
