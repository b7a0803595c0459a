"""Operations: each can be taken back, those of two people on different fields commute, nonsense is named."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_server.drafts import ops
from fleet_server.drafts.library import shipped_by_code
from fleet_server.refusals import Refused
from tests import effort

LANGUAGES = ("fi", "sv", "en")
EXAMPLES = settings(
    max_examples=effort.pick(test=60, full=1_000, torture=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
OWN = ["OWN-1", "OWN-2", "OWN-3"]
TEXTS = st.text("aä €😀", max_size=5)


def own(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "type": "choice", "text": {"fi": code}, "labels": {"fi": ["a", "b"]}} | more


def a_body() -> dict[str, Any]:
    """Two national items, one of them locked by an older version, and two own questions."""
    items = shipped_by_code()
    return {
        "name": "Kevät",
        "version": "1.0",
        "languages": ["fi", "sv"],
        "questions": [items["NPS"].question(), own("OWN-1"), items["K1"].question(), own("OWN-2")],
        "thanks": {"fi": "Kiitos!"},
        "idle_s": 20,
        "button": "K1",
        "flows": [{"kind": "visitor", "ask": ["NPS", {"rotate": ["OWN-1", "K1"], "take": 1}]}],
    }


def _set(path: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[ops.Op]:
    return values.map(lambda to: {"do": "set", "path": path, "to": to})


def _operations() -> st.SearchStrategy[ops.Op]:
    codes = ["NPS", "K1", "K2", *OWN]
    found = [
        _set("name", TEXTS.filter(str.strip)),
        _set("idle_s", st.integers(0, 3600)),
        _set("languages", st.lists(st.sampled_from(LANGUAGES), unique=True)),
        _set("button", st.none() | st.sampled_from(codes)),
    ]
    for language in LANGUAGES:
        found += [
            _set(f"{path}/{language}", st.none() | TEXTS) for path in ("thanks", "words/skip", "words/back")
        ]
        for code in OWN:
            found.append(_set(f"questions/{code}/text/{language}", st.none() | TEXTS))
            found.append(_set(f"questions/{code}/labels/{language}", st.none() | st.lists(TEXTS, max_size=4)))
            found += [_set(f"questions/{code}/labels/{language}/{place}", TEXTS) for place in range(4)]
    for code in codes:
        when = st.fixed_dictionaries(
            {"code": st.sampled_from(codes), "values": st.lists(st.integers(0, 255), max_size=3)}
        )
        found.append(_set(f"questions/{code}/when", st.none() | when))
        found.append(st.just({"do": "remove", "path": f"questions/{code}"}))
        found += [
            st.just({"do": "move", "path": f"questions/{code}", "after": other}) for other in [None, *codes]
        ]
    for code in OWN:
        found += [
            _set(f"questions/{code}/type", st.sampled_from(["choice", "smiley5", "text"])),
            _set(f"questions/{code}/labels", st.none() | st.just({}) | st.just({"sv": ["x"]})),
            _set(f"questions/{code}/several", st.none() | st.booleans()),
            st.just({"do": "add", "path": f"questions/{code}", "to": own(code)}),
            st.just({"do": "add", "path": f"questions/{code}", "to": own(code, labels={}), "after": "K1"}),
        ]
    found.append(st.just({"do": "add", "path": "questions/K2", "to": {"item": "K2"}, "after": None}))
    for kind in ("visitor", "child", "kin"):
        found.append(_set(f"flows/{kind}", st.none() | st.lists(st.sampled_from(codes), max_size=3)))
    return st.one_of(found)


OPERATIONS = _operations()


def tried(body: dict[str, Any], op: ops.Op) -> tuple[dict[str, Any], ops.Op] | None:
    """The body after it and its inverse, as they come out of the database; None when it is refused."""
    try:
        made, inverse = ops.apply(
            body, ops.spelled_out(body, ops.read(json.dumps([op]))[0], shipped_by_code())
        )
    except Refused:
        return None
    return json.loads(json.dumps(made)), json.loads(json.dumps(inverse))


@EXAMPLES
@given(st.lists(OPERATIONS, min_size=1, max_size=12))
def test_taking_back_every_operation_gives_the_body_that_was_there(wanted: list[ops.Op]) -> None:
    start = body = a_body()
    inverses = []
    for op in wanted:
        done = tried(body, op)
        if done is not None:
            before, body = body, done[0]
            inverses.append(done[1])
            assert ops.apply(body, done[1])[0] == before, op
    for inverse in reversed(inverses):
        body, _again = ops.apply(body, inverse)
    assert body == start


@EXAMPLES
@given(st.lists(OPERATIONS, max_size=4), OPERATIONS, OPERATIONS)
def test_what_two_people_do_to_different_fields_commutes(
    before: list[ops.Op], mine: ops.Op, theirs: ops.Op
) -> None:
    body = a_body()
    for op in before:
        body = (tried(body, op) or (body,))[0]
    apart = not ops.overlap(ops.field(mine), ops.field(theirs))
    placing = {op["do"] for op in (mine, theirs)} <= {"add", "move", "remove"}
    if not apart or placing:  # the order of the questions is one field for both; see the next test
        return
    one, other = tried(body, mine), tried(body, theirs)
    if one is None or other is None:
        return
    first, second = tried(one[0], theirs), tried(other[0], mine)
    assert first is not None
    assert second is not None
    assert first[0] == second[0]


@EXAMPLES
@given(OPERATIONS, OPERATIONS)
def test_two_who_place_different_questions_end_with_the_same_questions(mine: ops.Op, theirs: ops.Op) -> None:
    body = a_body()
    if ops.overlap(ops.field(mine), ops.field(theirs)) or "set" in (mine["do"], theirs["do"]):
        return
    orders = []
    for first, second in ((mine, theirs), (theirs, mine)):
        done = tried(body, first)
        both = tried(done[0], second) if done else None
        if both is None:
            return
        orders.append(sorted(json.dumps(question, sort_keys=True) for question in both[0]["questions"]))
    assert orders[0] == orders[1]


@pytest.mark.parametrize(
    ("op", "said"),
    [
        ({"do": "set", "path": "questions/K1/text/fi", "to": "Oma sanamuoto"}, "“K1” is a national item"),
        ({"do": "set", "path": "questions/K1/labels/fi/0", "to": "Hyvä"}, "“K1” is a national item"),
        ({"do": "set", "path": "questions/K1/type", "to": "smiley5"}, "“K1” is a national item"),
        ({"do": "set", "path": "questions/K1/cant_say", "to": False}, "“K1” is a national item"),
        ({"do": "set", "path": "questions/K1/item", "to": None}, "There is no field “questions/K1/item”"),
        ({"do": "set", "path": "questions/K1/item_version", "to": 7}, "no version “7” of “K1”"),
        ({"do": "set", "path": "questions/K1", "to": {}}, "There is no field “questions/K1”"),
        ({"do": "set", "path": "questions/X/text/fi", "to": "a"}, "no question “X”"),
        ({"do": "set", "path": "questions/OWN-1/text/fi", "to": 5}, "“5” is no text"),
        ({"do": "set", "path": "questions/OWN-1/text/fi", "to": "x" * 1001}, "1001 characters, at most 1000"),
        ({"do": "set", "path": "questions/OWN-1/text/ru", "to": "x"}, "“ru” is no language"),
        ({"do": "set", "path": "questions/OWN-1/labels/fi/9", "to": "x"}, "questions/OWN-1/labels/fi/9"),
        ({"do": "set", "path": "questions/OWN-1/type", "to": "stars"}, "“stars” is no type"),
        ({"do": "set", "path": "questions/OWN-1/code", "to": "K1"}, "no field “questions/OWN-1/code”"),
        ({"do": "set", "path": "questions/OWN-1/when", "to": {"code": "K1"}}, "a list of its answers"),
        ({"do": "set", "path": "words/hello/fi", "to": "x"}, "no field “words/hello/fi”"),
        ({"do": "set", "path": "number", "to": 1}, "no field “number”"),
        ({"do": "set", "path": "idle_s", "to": "20"}, "“20” is no whole number"),
        ({"do": "set", "path": "idle_s", "to": True}, "“True” is no whole number"),
        ({"do": "set", "path": "languages", "to": ["fi", "xx"]}, "“xx” is no language"),
        ({"do": "set", "path": "flows/dog", "to": ["K1"]}, "no field “flows/dog”"),
        ({"do": "set", "path": "flows/visitor", "to": [{"rotate": "K1"}]}, "codes in `rotate`"),
        ({"do": "set", "path": "button", "to": ""}, "“” is no code"),
        ({"do": "set", "path": "name", "to": ""}, "This is empty"),
        ({"do": "set", "path": "", "to": ""}, "There is no field “”"),
        ({"do": "add", "path": "questions/K1", "to": {"item": "K1"}}, "in this draft already"),
        ({"do": "add", "path": "questions/K2", "to": own("K2")}, "code of a national item"),
        ({"do": "add", "path": "questions/K2", "to": {"item": "K3-H"}}, "its code that of the path"),
        ({"do": "add", "path": "questions/K99", "to": {"item": "K99"}}, "no item “K99”"),
        ({"do": "add", "path": "questions/a b", "to": own("a b")}, "“a b” is no code"),
        ({"do": "add", "path": "questions/OWN-9", "to": own("OWN-9", item="K1")}, "code that of the path"),
        ({"do": "add", "path": "questions/OWN-9", "to": own("OWN-9", colour=1)}, "OWN-9/colour"),
        ({"do": "add", "path": "questions/OWN-9", "to": own("OWN-9", text=[])}, "one text per language"),
        ({"do": "add", "path": "questions/OWN-9", "to": 3}, "“3” is no question"),
        ({"do": "add", "path": "questions/OWN-9", "to": own("OWN-9"), "after": "X"}, "no question “X”"),
        ({"do": "move", "path": "questions/K1", "after": "K1"}, "no question “K1”"),
        ({"do": "move", "path": "thanks/fi", "after": None}, "no field “thanks/fi”"),
        ({"do": "remove", "path": "questions"}, "no field “questions”"),
        ({"do": "move", "path": "questions/K1"}, "is no code in `after`"),
        ({"do": "set", "path": "name"}, "`to` is missing"),
        ({"do": "set", "path": "name", "to": "\ud800"}, "half of a character"),
        ({"do": "set", "path": 7, "to": "a"}, "“7” is no path"),
        ({"do": "set", "path": "name", "to": "a", "by": "me"}, "no field “by”"),
        ({"do": "paint", "path": "name"}, "is no operation"),
        ("set", "is no operation"),
    ],
)
def test_an_operation_that_cannot_be_is_refused_naming_field_and_value(op: Any, said: str) -> None:
    with pytest.raises(Refused) as refused:
        ops.spelled_out(a_body(), ops.read([op])[0], shipped_by_code())
    assert said in str(refused.value)


@pytest.mark.parametrize("data", ["{", "[1,", '"x"', "null", "[" * 100_000, [{}] * 2001])
def test_what_is_no_list_of_operations_is_refused(data: Any) -> None:
    with pytest.raises(Refused):
        ops.read(data)


@EXAMPLES
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXTS,
        lambda one: st.lists(one) | st.dictionaries(TEXTS, one),
        max_leaves=8,
    ),
    OPERATIONS,
)
def test_no_value_whatever_breaks_a_draft(value: Any, op: ops.Op) -> None:
    """Whatever stands at a path is refused in words, or gives a body that the faults of a set can be told of."""
    from fleet_server.questions.schema import faults_of

    for key in ("to", "after", "path"):
        done = tried(a_body(), op | {key: value})
        if done is not None:
            faults_of(done[0] | {"number": 1})
