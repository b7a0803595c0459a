"""What a touchscreen asks: flows, rotations, follow-ups and words, each fault of them named, and the view of it."""

import copy
import json

import pytest
from kiosk import touch_rules

from fleet_server.questions.national import national_sets
from fleet_server.questions.schema import faults_of
from fleet_server.questions.types import CANT_SAY, TYPES, values_of
from fleet_server.questions.views import MAX_TOUCH_VIEW_BYTES, view, view_bytes, view_faults
from fleet_server.questions.words import ready_words

# What the screens draw and the visit asks for by these names.
WORDS = [
    "skip",
    "back",
    "next",
    "done",
    "leave",
    "cant_say",
    "several",
    "notice",
    "write",
    "phone",
    "phone_hint",
    "child",
    "kin",
    "visitor",
    "language",
    "contrast",
    "large",
    "low",
    "stay",
    "countdown",
    "invite",
    "caps",
    "space",
    "letters",
    "sami",
    "digits",
    "thanks_more",
]


@pytest.fixture
def health() -> dict:
    """Set 7: the national items for a touchscreen."""
    return copy.deepcopy(national_sets()[6])


@pytest.fixture
def family() -> dict:
    """Set 9: flows for visitors, children and relatives."""
    return copy.deepcopy(national_sets()[8])


def question(body: dict, code: str) -> dict:
    return next(entry for entry in body["questions"] if entry["code"] == code)


def test_a_touchscreen_gets_every_question_with_its_place_in_the_set_and_in_the_list(health):
    del health["questions"][3]  # K3-H is in a rotation: the places after it move
    health["flows"][0]["ask"][1]["rotate"].remove("K3-H")
    health["questions"].insert(0, {**question(health, "K1"), "code": "BUTTON"})
    health["button"] = "BUTTON"  # asked by buttons alone: no part of the touchscreen's view
    assert faults_of(health) == []
    got = view(health, "touch")
    assert [entry["code"] for entry in got["questions"]][:3] == ["NPS", "K1", "K2"]
    assert [entry["position"] for entry in got["questions"]] == list(range(1, 12))
    codes = [entry["code"] for entry in got["questions"]]
    assert [
        [codes[place] for place in entry["rotate"]] if isinstance(entry, dict) else codes[entry]
        for entry in got["flows"][0]["ask"]
    ] == ["NPS", ["K1", "K2", "K4-H", "K5-H", "K6-H", "K7-H"], "PEI-H", "KTI", "OPEN", "BETTER"]
    better = got["questions"][codes.index("BETTER")]
    assert better["when"] == {"question": 0, "values": [0, 1, 2, 3, 4, 5, 6]}
    assert [entry.get("cant_say") for entry in got["questions"]][:2] == [None, True]
    assert got["questions"][codes.index("PEI-H")]["cant_say"] is True
    assert got["idle_s"] == 20
    assert len(view_bytes(health, "touch")) <= MAX_TOUCH_VIEW_BYTES


def test_a_set_without_flows_asks_a_visitor_all_its_questions_in_order():
    got = view(national_sets()[0], "touch")
    assert got["flows"] == [{"kind": "visitor", "ask": list(range(10))}]


def test_a_view_has_every_word_in_every_language_of_the_set(health):
    words = view(health, "touch")["words"]
    assert sorted(words) == sorted(WORDS) == sorted(ready_words())
    assert all(sorted(words[key]) == ["en", "fi", "sv"] for key in words)
    assert all(text.count("%d") == 1 for text in words["countdown"].values())


def test_a_set_may_say_a_word_otherwise(health):
    health["words"] = {"kin": {"fi": "Olen omainen", "sv": "Jag är anhörig", "en": "I am family"}}
    assert faults_of(health) == []
    assert view(health, "touch")["words"]["kin"]["fi"] == "Olen omainen"
    assert view(health, "touch")["words"]["skip"]["fi"] == "Ohita"


def test_a_language_without_ready_words_is_refused_for_a_touchscreen_until_the_set_has_them(health):
    for entry in health["questions"]:
        entry["text"]["sme"] = "Jearaldat"
        if "labels" in entry:
            entry["labels"]["sme"] = entry["labels"]["fi"]
    health["thanks"]["sme"] = "Giitu!"
    health["languages"].append("sme")
    assert faults_of(health) == []
    assert [str(fault) for fault in view_faults(health, "touch")] == [
        "question set 7: has no words in Northern Sámi for a touchscreen; give "
        + ", ".join(ready_words())
        + " in `words`, model touch"
    ]
    health["words"] = {
        key: {**texts, "sme": "sátni %d" if key == "countdown" else "sátni"}
        for key, texts in ready_words().items()
    }
    assert faults_of(health) == []
    assert view_faults(health, "touch") == []
    assert view(health, "touch")["words"]["skip"]["sme"] == "sátni"


def test_a_set_over_16_kib_is_no_touchscreens(health):
    """A set is at most 16 KiB without the ready words; with them it may be too much for one message."""
    for entry in health["questions"]:
        del entry["source"], entry["status"]
    health["questions"] += [
        {"code": f"Q{n}", "type": "text", "text": dict.fromkeys(("fi", "sv", "en"), "ö" * 190)}
        for n in range(8)
    ]
    health["flows"][0]["ask"] += [f"Q{n}" for n in range(8)]
    assert faults_of(health) == []
    (fault,) = view_faults(health, "touch")
    assert "bytes for model touch, must be at most 16384" in fault


@pytest.mark.parametrize("model", ["button4", "button5", "card4", "card5"])
def test_nps_and_text_are_refused_to_buttons_naming_the_model(health, model):
    (fault,) = view_faults(health, model)
    assert f"'NPS' (recommendation 0-10) cannot be asked by a button kiosk (model {model})" in fault
    health["button"] = "OPEN"
    (fault,) = view_faults(health, model)
    assert f"'OPEN' (open text) cannot be asked by a button kiosk (model {model})" in fault


def test_a_printed_card_knows_no_rotation(health):
    health["button"] = "K1"
    assert view_faults(health, "button5") == []
    (fault,) = view_faults(health, "card5")
    assert "rotates its questions; model card5 has a printed card" in fault
    assert view_faults(national_sets()[0], "card5") == []


def test_a_card_kiosk_asks_what_a_button_kiosk_with_as_many_faces_asks():
    body = national_sets()[0]
    assert view_bytes(body, "card5") == view_bytes(body, "button5")
    (fault,) = view_faults(body, "card4")
    assert "(model card4); it can ask smiley4" in fault


def edit(body: dict, way: list, value: object) -> None:
    place = body
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value


@pytest.mark.parametrize(
    ("way", "value", "wanted"),
    [
        (["flows"], {}, "flows is {}, must be a list of objects"),
        (["flows"], [], "flows is [], must be a list of objects"),
        (["flows", 0, "kind"], "staff", "a flow has kind 'staff', must be one of visitor, child, kin"),
        (["flows", 0, "kind"], ["child"], "a flow has kind ['child']"),
        (["flows", 1, "kind"], "kin", "must begin with visitor and have each kind once"),
        (["flows", 0, "ask"], [], "flow visitor asks [], must be a list of codes"),
        (["flows", 0, "ask", 1], "K9", "flow visitor asks 'K9', which is none of its questions"),
        (["flows", 0, "ask", 0], {"rotate": ["VISIT-5", "KIN-MET"], "take": 1}, "must begin with one question"),
        (["flows", 0, "ask", 0], "BETTER", "begins with 'BETTER', must begin with a question that is no open"),
        (["flows", 1, "ask", 1], "CH-FEEL", "flow child asks ['CH-FEEL', 'CH-FEEL', 'CH-HEARD'], one of them"),
        (["flows", 1, "ask", 1], 5, "flow child rotates 5, must be 2 to 10 codes"),
        (["flows", 1, "ask", 1], {"rotate": ["CH-TOLD"], "take": 1}, "must be 2 to 10 codes"),
        (["flows", 1, "ask", 1], {"rotate": ["CH-TOLD", "KIN-MET"], "take": 2}, "and fewer than these"),
        (["flows", 1, "ask", 1], {"rotate": ["CH-TOLD", ["x"]], "take": 1}, "must be 2 to 10 codes"),
        (["flows", 1, "ask"], ["CH-FEEL"], "'CH-TOLD' is asked in no flow and not by buttons"),
        (["questions", 1, "when"], 3, "'BETTER' has when 3, must hold the code of another question"),
        (["questions", 1, "when"], {"code": [], "values": [1]}, "must hold the code of another question"),
        (["questions", 1, "when"], {"code": "X", "values": [1]}, "'BETTER' depends on 'X', which is no other"),
        (["questions", 1, "when"], {"code": "BETTER", "values": [0]}, "which is no other question"),
        (["questions", 1, "when"], {"code": "VISIT-5", "values": [1, 6]}, "the answer 6, which 'VISIT-5' cannot"),
        (["questions", 1, "when"], {"code": "VISIT-5", "values": [CANT_SAY]}, "255, which 'VISIT-5' cannot have"),
        (["questions", 1, "when"], {"code": "VISIT-5", "values": [1]}, "flow kin asks 'BETTER' before 'VISIT-5'"),
        (["questions", 3, "when"], {"code": "CH-HEARD", "values": [1]}, "asks 'CH-TOLD' before 'CH-HEARD'"),
        (["questions", 0, "several"], True, "'VISIT-5' has several, which only a choice can have"),
        (["questions", 0, "several"], 1, "'VISIT-5' has several 1, must be true or false"),
        (["questions", 0, "cant_say"], True, "'VISIT-5' has cant_say, but smiley5 has no such answer"),
        (["questions", 5, "cant_say"], "no", "'KIN-MET' has cant_say 'no', must be true or false"),
        (["words"], [], "words is [], must be an object"),
        (["words"], {"hello": {}}, "word 'hello' is unknown, must be one of skip, back"),
        (["words"], {"skip": {"fi": "Ohita", "sv": " "}}, "text 'skip' has no Swedish"),
        (["words"], {"skip": {"fi": "x" * 91, "sv": "x", "en": "x"}}, "text 'skip' in Finnish has 91 characters"),
        (["words"], {"countdown": {"fi": "%s", "sv": "%d%d", "en": "%d"}}, "word 'countdown' is '%d%d', must hold"),
    ],
)  # fmt: skip
def test_each_fault_names_its_field_and_value(family, way, value, wanted):
    edit(family, way, value)
    faults = faults_of(family)
    assert any(wanted in fault for fault in faults), faults


def test_all_faults_are_named_in_one_go(family):
    family["flows"][0]["kind"] = "staff"
    family["flows"][2]["ask"] = 1
    family["questions"][1]["when"] = {"code": "X", "values": []}
    family["words"] = {"hello": {}, "back": 1}
    assert len(faults_of(family)) >= 5


def test_a_choice_has_as_many_options_in_each_language(health):
    question(health, "KTI")["labels"]["sv"].append("Fråga")
    wanted = "question set 7: 'KTI' has 3, 4 labels, must have as many in each language"
    assert faults_of(health) == [wanted]


@pytest.mark.parametrize("body", national_sets(), ids=lambda body: f"set{body['number']}")
def test_what_is_published_to_a_touchscreen_is_taken_by_it(body):
    assert touch_rules.fault(json.loads(view_bytes(body, "touch"))) is None


def test_a_rotated_question_depends_on_nothing(health):
    question(health, "K2")["when"] = {"code": "NPS", "values": [0]}
    assert any("rotates 'K2', which depends on an answer" in fault for fault in faults_of(health))


@pytest.mark.parametrize(
    ("more", "values"),
    [
        ({"type": "smiley4"}, {1, 2, 3, 4}),
        ({"type": "nps", "cant_say": True}, set(range(11))),  # a fault, and no more allowed for it
        ({"type": "agree5"}, {1, 2, 3, 4, 5, CANT_SAY}),
        ({"type": "agree5", "cant_say": False}, {1, 2, 3, 4, 5}),
        ({"type": "pei"}, {0, 1, 2, CANT_SAY}),
        ({"type": "choice", "labels": {"fi": ["a", "b", "c"]}}, {1, 2, 4}),
        ({"type": "choice", "labels": {"fi": ["a", "b", "c"]}, "several": True}, set(range(1, 8))),
        ({"type": "choice", "labels": {"fi": ["a", "b"]}, "cant_say": True}, {1, 2, CANT_SAY}),
        ({"type": "choice", "labels": 3, "several": True}, set(range(1, 128))),
        ({"type": "text"}, {0}),
    ],
)
def test_the_values_of_a_question_follow_from_its_type_its_options_and_whether_one_can_not_say(more, values):
    assert values_of(more) == values


def test_values_of_a_type_that_is_not_known_are_not_known():
    assert values_of({"type": "stars"}) is None
    assert values_of({}) is None
    assert set(TYPES) == {"nps", "agree5", "pei", "smiley5", "smiley4", "choice", "text"}


def test_a_touch_view_is_canonical_json(health):
    raw = view_bytes(health, "touch")
    assert (
        json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == raw
    )
