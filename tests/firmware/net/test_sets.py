"""Question sets on the kiosk: received in pieces, checked, chosen by the clock, kept over restarts."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kiosk import view
from kiosk.check import LONGEST_REASON
from kiosk.sets import Sets

from tests.firmware.net.support import set_view

NOW = 1_772_438_400_000


class FixedClock:
    def __init__(self, now: int | None = NOW) -> None:
        self.ms = now

    def now(self) -> tuple[int, int] | None:
        return None if self.ms is None else (self.ms, 10)


def hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def entry(body: bytes, start: int | None = None, end: int | None = None) -> dict[str, Any]:
    return {"number": 0, "hash": hash_of(body), "from": start, "to": end, "hours": None}


def opened(root: Path, now: int | None = NOW, faces: int = 5) -> Sets:
    return Sets(str(root), FixedClock(now), faces)


def deliver(sets: Sets, body: bytes, step: int = 100) -> str | None:
    reason = sets.begin(len(body))
    if reason is not None:
        return reason
    for at in range(0, len(body), step):
        sets.write(memoryview(body)[at : at + step])
    return sets.finish()


def test_a_set_that_was_asked_for_becomes_active_between_visits(tmp_path: Path) -> None:
    sets, body = opened(tmp_path), set_view(14)
    assert sets.want() is None
    sets.plan([entry(body)])
    assert sets.want() == hash_of(body)
    assert deliver(sets, body) is None
    assert sets.active is None, "only switch() may change what a visitor sees"
    assert sets.want() is None
    assert sets.switch()
    assert (sets.running, sets.held()) == (14, [[14, hash_of(body)]])
    assert not sets.switch()


def test_the_old_set_stays_until_the_new_one_is_there(tmp_path: Path) -> None:
    sets, old, new = opened(tmp_path), set_view(14), set_view(15)
    sets.plan([entry(old)])
    deliver(sets, old)
    sets.switch()
    sets.plan([entry(new)])
    sets.switch()
    assert sets.running == 14
    deliver(sets, new)
    assert sets.switch()
    assert sets.running == 15
    assert len(os.listdir(tmp_path / "state/sets")) <= 4


def test_what_was_not_asked_for_is_not_stored(tmp_path: Path) -> None:
    sets, body = opened(tmp_path), set_view(14)
    assert deliver(sets, body) == "question set: none was asked for"
    sets.plan([entry(body)])
    other = set_view(15)
    assert "arrived damaged" in str(deliver(sets, other))
    assert not sets.switch()
    assert sets.want() == hash_of(body), "asked for again"


def test_a_set_that_always_arrives_damaged_is_given_up_under_this_plan(tmp_path: Path) -> None:
    sets, body = opened(tmp_path), set_view(14)
    sets.plan([entry(body)])
    for _ in range(3):
        deliver(sets, body[:-1] + b"!")
    assert sets.want() is None
    assert "arrived damaged" in sets.refused[hash_of(body)]
    sets.plan([entry(body)])
    assert sets.want() == hash_of(body)


def test_a_broken_transfer_starts_anew(tmp_path: Path) -> None:
    sets, body = opened(tmp_path), set_view(14)
    sets.plan([entry(body)])
    assert sets.begin(len(body)) is None
    sets.write(body[:100])
    assert deliver(sets, body) is None
    assert sets.switch()


def test_a_set_that_is_too_large_is_refused_with_its_size(tmp_path: Path) -> None:
    sets = opened(tmp_path)
    body = set_view(14, name="x" * 4096)
    sets.plan([entry(body)])
    assert deliver(sets, body) == f"question set: {len(body)} bytes, this kiosk takes 4096"
    assert sets.want() is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"languages": []}, "no languages"),
        ({"questions": []}, "not 1 to 8 questions"),
        ({"thanks": {"fi": "Kiitos", "sv": " "}}, "thanks has no text in 'sv'"),
        ({"button": {"question": 4}}, "button.question 4 is not the position of one question"),
        ({"button": None}, "button.question None is not the position of one question"),
        ({"button": {"question": 3.0}}, "button.question 3.0 is not the position of one question"),
    ],
)
def test_an_invalid_set_is_refused_with_its_fault_and_the_old_one_stays(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    sets, good, bad = opened(tmp_path), set_view(14), set_view(15, **changes)
    sets.plan([entry(good)])
    deliver(sets, good)
    sets.switch()
    sets.plan([entry(bad)])
    assert deliver(sets, bad) is None
    assert not sets.switch()
    assert sets.running == 14
    assert sets.active is not None
    assert sets.refused == {hash_of(bad): f"question set 15: {reason}"}
    assert sets.want() is None


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (["code"], "", "a question has no code"),
        (["position"], 256, "question 'K4-H': position 256 is not 0 to 255"),
        (["type"], "text", "question 'K4-H': a button kiosk cannot ask type 'text'"),
        (["text", "sv"], None, "question 'K4-H' has no text in 'sv'"),
        (["labels", "en"], ["a", "b"], "question 'K4-H' has not 5 labels in 'en'"),
        (["type"], "smiley4", "question 'K4-H' has not 4 labels in 'fi'"),
    ],
)
def test_a_question_with_a_fault_is_named(path: list[str], value: object, reason: str) -> None:
    body = json.loads(set_view(9))
    inner = body["questions"][0]
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert view.fault(body, 5) == f"question set 9: {reason}"


def test_faces_and_answers_must_be_as_many() -> None:
    assert view.fault(json.loads(set_view(9)), 5) is None
    assert view.fault(json.loads(set_view(9, "agree5")), 5) is None
    assert view.fault(json.loads(set_view(9, "smiley4")), 4) is None
    assert view.fault(json.loads(set_view(9)), 4) == (
        "question set 9: question 'K4-H' has 5 answers, this kiosk 4 faces"
    )


def test_a_set_nested_too_deeply_is_refused_and_does_not_come_back_with_the_power(tmp_path: Path) -> None:
    sets, body = opened(tmp_path), b'{"number":' + b"[" * 1900 + b"]" * 1900 + b"}"
    sets.plan([entry(body)])
    deliver(sets, body)
    sets.switch()
    assert sets.refused[hash_of(body)]
    assert sets.want() is None
    assert not opened(tmp_path).switch()


def test_a_reason_that_quotes_half_a_set_is_cut_to_what_a_report_can_hold(tmp_path: Path) -> None:
    sets, body = opened(tmp_path), set_view(14, button={"question": "a" * 3000})
    sets.plan([entry(body)])
    deliver(sets, body)
    sets.switch()
    assert sets.refused[hash_of(body)].startswith("question set 14: button.question ")
    assert len(sets.refused[hash_of(body)]) == LONGEST_REASON


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    sets, body = opened(tmp_path), b'{"number": 1, '
    sets.plan([entry(body)])
    deliver(sets, body)
    sets.switch()
    assert "no JSON" in sets.refused[hash_of(body)]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(_json, st.sampled_from(["number", "languages", "questions", "thanks", "button", None]))
def test_no_shape_of_a_set_makes_the_check_fail_otherwise_than_by_a_sentence(
    value: object, key: str | None
) -> None:
    body = value if key is None else {**json.loads(set_view(9)), key: value}
    reason = view.fault(body, 5)
    assert reason is None or reason.startswith("question set")


@given(_json, st.sampled_from(["position", "code", "type", "text", "labels"]))
def test_no_shape_of_a_question_does_either(value: object, key: str) -> None:
    body = json.loads(set_view(9))
    body["questions"][0][key] = value
    reason = view.fault(body, 5)
    assert reason is None or reason.startswith("question set 9")


def filled(root: Path, now: int | None, *bodies: bytes) -> Sets:
    sets = opened(root, now)
    sets.plan([entry(body) for body in bodies])
    for body in bodies:
        deliver(sets, body)
    sets.switch()
    return sets


def test_the_clock_chooses_the_set(tmp_path: Path) -> None:
    a, b, c = set_view(1), set_view(2), set_view(3)
    sets = filled(tmp_path, NOW, a, b, c)
    plan = [entry(a, None, NOW + 1000), entry(b, NOW + 1000, NOW + 2000), entry(c, NOW + 1500, None)]
    sets.plan(plan)
    seen = []
    for ms in (0, 999, 1000, 1499, 1500, 2500):
        sets._clock.ms = NOW + ms
        sets.switch()
        seen.append(sets.running)
    assert seen == [1, 1, 2, 2, 3, 3]


def test_when_nothing_is_due_nothing_is_asked(tmp_path: Path) -> None:
    body = set_view(1)
    sets = filled(tmp_path, NOW, body)
    sets.plan([entry(body, None, NOW - 1)])
    assert sets.switch()
    assert (sets.active, sets.running) == (None, None)
    sets.plan([])
    assert not sets.switch()


def test_a_kiosk_without_a_clock_goes_on_with_the_set_it_asked_last(tmp_path: Path) -> None:
    a, b = set_view(1), set_view(2)
    plan = [entry(a, None, NOW - 1), entry(b, NOW - 1, None)]
    sets = filled(tmp_path, NOW, a, b)
    sets.plan(plan)
    sets.switch()
    assert sets.running == 2
    later = opened(tmp_path, None)
    later.plan(plan)
    later.switch()
    assert later.running == 2


def test_a_restart_before_the_server_spoke_shows_the_last_good_set(tmp_path: Path) -> None:
    filled(tmp_path, NOW, set_view(7))
    later = opened(tmp_path, None)
    assert later.switch()
    assert later.running == 7


def test_a_set_that_arrived_before_a_power_cut_is_checked_after_it(tmp_path: Path) -> None:
    body = set_view(7)
    sets = opened(tmp_path)
    sets.plan([entry(body)])
    deliver(sets, body)
    later = opened(tmp_path)
    later.plan([entry(body)])
    assert later.switch()
    assert later.running == 7


def test_a_set_that_flash_damaged_is_asked_for_again(tmp_path: Path) -> None:
    body = set_view(7)
    filled(tmp_path, NOW, body)
    (file,) = (tmp_path / "state/sets").glob("7-*")
    damaged = file.read_bytes().replace(b"Kiitos!", b"Kiitoz!")
    file.write_bytes(damaged)
    later = opened(tmp_path)
    later.plan([entry(body)])
    later.switch()
    assert (later.active, later.want()) == (None, hash_of(body))
    assert deliver(later, body) is None
    assert later.switch()


def test_old_sets_do_not_pile_up(tmp_path: Path) -> None:
    sets = opened(tmp_path)
    for number in range(12):
        body = set_view(number)
        sets.plan([entry(body)])
        deliver(sets, body)
        sets.switch()
        assert sets.running == number
    assert len(sets.held()) <= 2
