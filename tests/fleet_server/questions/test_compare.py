"""What two versions of a set differ in: nothing is missed, nothing blamed for nothing, and what breaks says why."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_server.questions.compare import CLASSES, compare
from fleet_server.questions.difference import GONE, NEW, SAME, difference
from fleet_server.questions.national import national_sets
from fleet_server.questions.order import moved, order_of
from tests import effort

SETS = national_sets()


def national(number: int) -> dict[str, Any]:
    return copy.deepcopy(SETS[number - 1])


def question(body: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = [one for one in body["questions"] if one["code"] == code]
    return found


def changed(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return national(number), national(number)


def test_a_word_of_the_source_language_breaks_its_code_and_no_other() -> None:
    old, new = changed(1)
    question(new, "K2")["text"]["fi"] += " aina"
    found = compare(old, new)
    assert found.classes == ("wording",)
    assert list(found.breaks) == ["K2"]
    assert "its Finnish wording changed" in found.breaks["K2"][0]
    (text,) = found.reworded
    assert (text.code, text.language, text.new) == ("K2", "fi", text.old + " aina")


def test_a_word_of_another_language_is_wording_and_breaks_nothing() -> None:
    old, new = changed(1)
    question(new, "K4-H")["text"]["en"] = "I felt quite safe"
    found = compare(old, new)
    assert found.classes == ("wording",)
    assert not found.breaks


def test_the_official_wording_in_place_of_ours_is_translation_whatever_the_language() -> None:
    old, new = changed(1)
    for code, language in (("K1", "fi"), ("K1", "en")):
        assert question(old, code)["status"][language] == "reconstructed"
        question(new, code)["status"][language] = "verbatim"
        question(new, code)["text"][language] += " – THL"
    found = compare(old, new)
    assert found.classes == ("translation",)
    assert not found.breaks
    question(new, "K2")["status"]["fi"] = "verbatim"  # our wording was right, word for word
    assert [text.code for text in compare(old, new).translated] == ["K1", "K1", "K2"]


def test_a_language_that_was_not_there_is_translation_and_so_is_one_that_goes() -> None:
    old, new = changed(5)
    new["languages"] = ["fi", "sv"]
    there, back = compare(old, new), compare(new, old)
    assert there.classes == back.classes == ("translation",)
    assert {text.language for text in back.translated} == {"en"}
    assert "English is new" in back.other
    assert "English is left out" in there.other
    assert not there.breaks
    assert not back.breaks


def test_without_a_language_in_common_nothing_compares() -> None:
    old, new = changed(5)
    old["languages"], new["languages"] = ["fi"], ["sv"]
    assert list(compare(old, new).breaks) == ["VISIT-5"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "smiley5"}, "is answered by five faces, before by five steps of agreement"),
        ({"cant_say": False}, "“can't say” is offered no more"),
    ],
)
def test_another_scale_breaks_its_code(change: dict[str, Any], reason: str) -> None:
    old, new = changed(1)
    question(new, "K1").update(change)
    found = compare(old, new)
    assert found.classes == ("scale",)
    assert found.breaks == {"K1": [f"K1: {reason}"]}


def test_the_words_of_a_scale_belong_to_it() -> None:
    old, new = changed(1)
    question(new, "K1")["labels"]["fi"][2] = "En tiedä"
    found = compare(old, new)
    assert found.classes == ("scale",)
    assert list(found.breaks) == ["K1"]
    assert "En tiedä" in found.rescaled[0].words.new  # type: ignore[union-attr]
    old, new = changed(1)
    question(new, "K1")["labels"]["sv"][2] = "Vet inte"
    assert compare(old, new).classes == ("wording",)
    assert not compare(old, new).breaks


def test_one_more_answer_and_several_at_once_are_another_scale() -> None:
    old, new = national(4), national(4)
    for body in (old, new):
        body["questions"][0] |= {
            "type": "choice",
            "labels": {language: ["a", "b", "c"] for language in body["languages"]},
        }
    for row in new["questions"][0]["labels"].values():
        row.append("d")
    assert "has 4 answers to choose from, before 3" in compare(old, new).breaks["LANG"][0]
    new = copy.deepcopy(old)
    new["questions"][0]["several"] = True
    assert "several answers may be chosen" in compare(old, new).breaks["LANG"][0]


def test_order_rotation_and_rules_are_order_and_break_nothing() -> None:
    old, new = changed(7)
    ask = new["flows"][0]["ask"]
    ask[2], ask[3] = ask[3], ask[2]
    found = compare(old, new)
    assert found.classes == ("order",)
    assert len(found.moved) == 1
    old, new = changed(7)
    new["flows"][0]["ask"][1]["take"] = 3
    assert {change.code for change in compare(old, new).moved} == set(new["flows"][0]["ask"][1]["rotate"])
    old, new = changed(7)
    question(new, "OPEN")["when"]["values"] = [9, 10]
    (change,) = compare(old, new).moved
    assert change.said == "OPEN: is asked after other answers than before"
    assert not compare(old, new).breaks


def test_where_a_question_stands_in_the_list_moves_nothing_when_flows_say_the_order() -> None:
    old, new = changed(7)
    new["questions"].reverse()
    assert compare(old, new).same


def test_what_is_said_beside_the_questions_is_told_and_breaks_nothing() -> None:
    old, new = changed(1)
    new["thanks"]["sv"] = "Tack!"
    new["words"] = {"skip": {"fi": "Seuraava"}}
    new["button"], new["idle_s"] = "K2", 30
    question(old, "K1")["item_version"], question(new, "K1")["item_version"] = 1, 2
    found = compare(old, new)
    assert found.classes == ("wording",)
    assert {text.what for text in found.reworded} == {"thanks", "skip"}
    assert len(found.other) == 3
    assert not found.breaks


# Properties; on two busy cores a body may take long to make
PATIENT = settings(
    deadline=None,
    database=None,
    max_examples=effort.pick(test=60, full=1_000, torture=20_000),
    suppress_health_check=list(HealthCheck),
)

codes = st.sampled_from(["K1", "K2", "NPS", "OPEN", "OWN1", "OWN2", "OWN3"])


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies without faults of shape, of a few codes, so that two of them have much in common."""
    languages = draw(st.lists(st.sampled_from(["fi", "sv", "en"]), min_size=1, unique=True))
    texts = st.fixed_dictionaries({language: st.sampled_from(["one", "two"]) for language in languages})
    asked = draw(st.lists(codes, min_size=1, unique=True))
    questions = []
    for code in asked:
        one: dict[str, Any] = {
            "code": code,
            "type": draw(st.sampled_from(["agree5", "smiley4", "text"])),
            "text": draw(texts),
            "status": {
                language: draw(st.sampled_from(["reconstructed", "verbatim"])) for language in languages
            },
        }
        if one["type"] != "text":
            one["labels"] = {
                language: draw(st.sampled_from([["a"] * 4, ["b"] * 4])) for language in languages
            }
        questions.append(one)
    return {"languages": languages, "questions": questions, "thanks": draw(texts), "idle_s": 20}


@PATIENT
@given(bodies())
def test_a_set_differs_from_itself_in_nothing(body: dict[str, Any]) -> None:
    found = compare(body, copy.deepcopy(body))
    assert found.same
    assert found.classes == ()
    assert not found.breaks


@PATIENT
@given(bodies(), bodies())
def test_what_one_way_adds_the_other_way_removes(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = compare(old, new), compare(new, old)
    assert sorted(there.added) == sorted(back.removed)
    assert sorted(there.removed) == sorted(back.added)
    assert {change.code for change in there.rescaled if change.words is None} == {
        change.code for change in back.rescaled if change.words is None
    }
    assert len(moved(old, new)) == len(moved(new, old))


@PATIENT
@given(bodies(), bodies())
def test_nothing_that_a_visitor_sees_differs_without_a_class(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    found = compare(old, new)

    def seen(body: dict[str, Any]) -> str:
        said = [
            (q["code"], q["type"], sorted(q["text"].items()), sorted(q.get("labels", {}).items()))
            for q in body["questions"]
        ]
        return json.dumps([said, sorted(body["thanks"].items()), sorted(body["languages"])])

    if seen(old) != seen(new):
        assert found.classes
    assert set(found.classes) <= set(CLASSES)
    common = {q["code"] for q in old["questions"]} & {q["code"] for q in new["questions"]}
    assert set(found.breaks) <= common
    assert all(reasons for reasons in found.breaks.values())


@PATIENT
@given(bodies(), bodies())
def test_a_code_breaks_exactly_when_its_source_wording_or_its_scale_changed(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    found = compare(old, new)
    for one in old["questions"]:
        for other in (q for q in new["questions"] if q["code"] == one["code"]):
            source = found.source
            if source is None:
                assert one["code"] in found.breaks
                continue
            official = (one["status"][source], other["status"][source]) == ("reconstructed", "verbatim")
            worded = one["text"][source] != other["text"][source] and not official
            labels = (one.get("labels") or {}).get(source) != (other.get("labels") or {}).get(source)
            scaled = one["type"] != other["type"] or labels
            assert (one["code"] in found.breaks) == (worded or scaled)


@PATIENT
@given(bodies(), st.randoms(use_true_random=False))
def test_as_few_as_possible_have_moved(body: dict[str, Any], random: Any) -> None:
    other = copy.deepcopy(body)
    other["questions"].insert(
        random.randrange(len(other["questions"]) + 1), {"code": "ADDED", "type": "text", "text": {}}
    )
    assert not moved(body, other)
    taken = other["questions"].pop(0)
    other["questions"].append(taken)
    assert len(moved(body, other)) <= 1
    random.shuffle(other["questions"])
    left = moved(body, other)
    kept = [code for step in order_of(other)["visitor"] for code in step if code not in left]
    before = [code for step in order_of(body)["visitor"] for code in step if code in kept]
    assert [code for code in kept if code != "ADDED"] == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["fi", "K1", "text", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["fi", "code", "text", "labels", "when", "values", "rotate", "take", "ask", "kind"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@PATIENT
@given(
    *[
        st.dictionaries(
            st.sampled_from(["languages", "questions", "flows", "thanks", "words", "button", "idle_s"]), JSON
        )
        for _ in range(2)
    ]
)
def test_a_body_with_any_faults_is_compared_as_far_as_it_can_be_read(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert set(compare(old, new).classes) <= set(CLASSES)
    assert compare(old, copy.deepcopy(old)).same


@PATIENT
@given(st.text(max_size=60), st.text(max_size=60))
def test_the_words_that_stayed_and_went_are_the_old_text_and_those_that_came_the_new(
    old: str, new: str
) -> None:
    parts = difference(old, new)
    assert "".join(text for kind, text in parts if kind in (SAME, GONE)) == old
    assert "".join(text for kind, text in parts if kind in (SAME, NEW)) == new
    assert all(a[0] != b[0] for a, b in zip(parts, parts[1:], strict=False))


def test_a_changed_word_alone_is_marked() -> None:
    assert difference("Sain apua, kun tarvitsin", "Sain apua heti, kun tarvitsin") == [
        (SAME, "Sain apua"),
        (NEW, " heti"),
        (SAME, ", kun tarvitsin"),
    ]
