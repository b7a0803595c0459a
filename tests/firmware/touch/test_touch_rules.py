"""Whatever a server sends: what a touch kiosk takes, it can ask to the end; the rest is refused by a sentence."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk.touch_rules import fault

from tests.firmware.touch_views import national

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 300) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def test_a_good_view_has_no_fault() -> None:
    assert fault(national()) is None


BAD = [
    (("number",), 65_536, "number"),
    (("languages",), [], "no languages"),
    (("questions",), [], "questions"),
    (("questions", 0, "code"), " ", "no code"),
    (("questions", 0, "position"), 256, "position"),
    (("questions", 0, "type"), "stars", "type 'stars'"),
    (("questions", 0, "text", "sv"), "", "no text in 'sv'"),
    (("questions", 0, "labels"), {}, "no labels in 'fi'"),
    (("questions", 1, "labels", "en"), ["x"], "has not 5 labels in 'en'"),
    (("questions", 9, "labels", "sv"), ["x", "y"], "the same number"),
    (("questions", 9, "several"), 1, "several"),
    (("questions", 10, "when"), {"question": 10, "values": [1]}, "names no other"),
    (("questions", 10, "when"), {"question": 0, "values": [256]}, "values from 0 to 255"),
    (("flows",), [], "flows"),
    (("flows", 1, "kind"), "visitor", "each once"),
    (("flows", 0, "ask", 0), {"rotate": [1], "take": 1}, "begin with a question"),
    (("flows", 0, "ask", 0), 10, "a text or a follow-up"),
    (("flows", 0, "ask", 1), {"rotate": [1, 2], "take": 3}, "takes 3 of 2"),
    (("flows", 0, "ask", 1), {"rotate": [], "take": 1}, "rotates"),
    (("flows", 0, "ask", 2), 14, "no question of the set"),
    (("flows", 0, "ask", 2), 1, "or twice"),
    (("thanks", "fi"), None, "thanks"),
    (("idle_s",), 9, "idle_s 9"),
    (("words", "skip", "en"), "", "word 'skip'"),
    (("words", "large"), [], "word 'large'"),
]


@pytest.mark.parametrize(("path", "value", "what"), BAD)
def test_each_fault_is_named(path: tuple[Any, ...], value: Any, what: str) -> None:
    view: Any = copy.deepcopy(national())
    at = view
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    reason = fault(view)
    assert reason is not None
    assert what in reason


@settings(deadline=None)
@given(st.data(), _json)
def test_no_shape_of_a_view_does_more_than_be_refused(data: Any, value: Any) -> None:
    at: Any = copy.deepcopy(national())
    view = at
    for _ in range(data.draw(st.integers(0, 4))):
        keys = sorted(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            at[key] = value
            break
        at = at[key]
    reason = fault(view)
    assert reason is None or isinstance(reason, str)


@settings(deadline=None)
@given(_json)
def test_no_other_json_does_either(value: Any) -> None:
    assert isinstance(fault(value), str)
