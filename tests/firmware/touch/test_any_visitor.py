"""Whatever visitors do, at whatever pace: no dead end, nothing of the one before, records that agree with the page."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk import answers
from kiosk.given import SKIPPED
from kiosk.touch_rules import fault
from kiosk.visit import Visit

from tests.firmware.touch.test_visit import QR
from tests.firmware.touch_views import LANGUAGES, question

LONGEST_MS = 125_000  # the longest idle time that a set may ask for, and a little
PAGES = {"rest", "ask", "text", "phone", "thanks", "full"}

_WORDS = ("skip", "back", "next", "done", "leave", "stay", "countdown")
_kinds = st.sampled_from(["nps", "agree5", "pei", "smiley4", "smiley5", "choice", "text"])


@st.composite
def views(draw: Any) -> dict[str, Any]:
    """Sets of every shape that a kiosk takes: follow-ups of follow-ups, rotations, several flows."""
    kinds = draw(st.lists(_kinds, min_size=1, max_size=9))
    questions = []
    for place, kind in enumerate(kinds):
        more: dict[str, Any] = {}
        if kind == "choice":
            more = {"several": draw(st.booleans()), "cant_say": draw(st.booleans())}
        if place and draw(st.integers(0, 2)) == 0:
            values = draw(st.lists(st.integers(0, 10) | st.just(255), min_size=1, max_size=6))
            more["when"] = {"question": draw(st.integers(0, place - 1)), "values": values}
        questions.append(question(f"Q{place}", kind, place + 3, **more))
    flows = []
    for kind in ["visitor", "child", "kin"][: draw(st.integers(1, 3))]:
        firsts = [i for i, one in enumerate(questions) if one["type"] != "text" and "when" not in one]
        if not firsts:
            questions[0] = question("Q0", "nps", 3)
            firsts = [0]
        first = draw(st.sampled_from(firsts))
        others = draw(st.permutations([i for i in range(len(questions)) if i != first]))
        cut = draw(st.integers(0, len(others)))
        ask: list[Any] = [first, *others[:cut]]
        rotated = others[cut : cut + 5]
        if rotated:
            ask.append({"rotate": rotated, "take": draw(st.integers(1, len(rotated)))})
            ask += others[cut + 5 :]
        flows.append({"kind": kind, "ask": ask})
    words = {key: dict.fromkeys(LANGUAGES, key) for key in _WORDS}
    view = {
        "number": 9, "name": "Any", "languages": LANGUAGES, "questions": questions, "flows": flows,
        "thanks": dict.fromkeys(LANGUAGES, "Kiitos"), "idle_s": draw(st.integers(10, 120)), "words": words,
    }  # fmt: skip
    assert fault(view) is None
    return view


_actions = st.one_of(
    st.tuples(st.just("answer"), st.integers(-1, 11)),
    st.tuples(st.just("toggle"), st.integers(0, 6)),
    st.sampled_from(
        [("next",), ("skip",), ("back",), ("leave",), ("phone",), ("stay",), ("rub",), ("caps",)]
    ),
    st.sampled_from([("next",), ("skip",), ("back",)]),
    st.tuples(st.just("language"), st.integers(0, 4)),
    st.tuples(st.just("mode"), st.sampled_from(["contrast", "large", "low", "none"])),
    st.tuples(st.just("kind"), st.sampled_from(["visitor", "child", "kin", "none"])),
    st.tuples(st.just("key"), st.sampled_from(["a", "Ä", "ǯ", " ", "."])),
    st.tuples(st.just("layer"), st.integers(0, 3)),
    st.just(("a touch beside everything",)),
    st.just(("refused",)),
)
_doings = st.tuples(_actions, st.one_of(st.integers(0, 2_000), st.integers(0, LONGEST_MS)))


class Watched:
    """A visit whose entries are written down, and held against what its pages show."""

    def __init__(self, view: dict[str, Any], qr: Any, random: Any) -> None:
        self.now = (1 << 30) - 60_000  # the ticks wrap on the way
        self.view = view
        setting = {"language": 0, "qr": qr}.__getitem__
        self.visit = Visit(view, lambda count: random.randbytes(count), setting, self.ticks)
        self.last: dict[int, Any] = {}
        self.mark: Any = None

    @property
    def ticks(self) -> int:
        return self.now % (1 << 30)

    def take(self, entry: Any) -> None:
        if entry is None:
            return
        position, language, value, flags, body, mark = entry
        assert any(one["position"] == position for one in self.view["questions"])
        assert 0 <= language < len(LANGUAGES)
        assert len(body) <= 1000
        body.decode()
        if mark[0] is None:
            assert (flags, value) != (SKIPPED, 255), "a visit began with what is no answer"
            self.last = {}
            mark[0] = self.mark = object()
        assert mark[0] is self.mark, "an entry of a visit that is over"
        before = self.last.get(position)
        assert before != (value, flags, body)
        if before is not None:
            assert flags or before[1] or (value, body) != (before[0], before[2])
        self.last[position] = (value, flags, body)

    def do(self, action: Any) -> None:
        if action[0] == "refused":
            self.visit.refused(self.ticks)
            assert self.visit.scene(self.ticks) == {"page": "full"}
            self.visit.reset(self.ticks)
        elif action[0].startswith("a touch"):
            self.visit.touch(self.ticks)
        else:
            self.take(self.visit.act(action, self.ticks))

    def wait(self, ms: int) -> None:
        end = self.now + ms
        while self.now < end:
            due = self.visit.due_ms(self.ticks)
            self.now += end - self.now if due is None else max(1, min(due, end - self.now))
            self.take(self.visit.tick(self.ticks))
            self.look()

    def look(self) -> None:
        scene = self.visit.scene(self.ticks)
        assert scene["page"] in PAGES
        if scene["page"] == "rest":
            self.last = {}
            assert scene["chosen"] is None
            assert not scene["leave"]
        if scene["page"] == "thanks":
            assert self.last
        if "question" not in scene:
            assert "chosen" not in scene
            assert "text" not in scene
            return
        asked = self.view["questions"][scene["question"]]
        assert 1 <= scene["step"] <= scene["steps"] <= len(self.view["questions"])
        value, flags, _ = self.last.get(asked["position"], (None, 0, b""))
        if scene["page"] == "text":
            assert asked["type"] == "text"
        elif answers.several(asked):
            assert scene["chosen"] is None or scene["chosen"] == -1 or 0 < scene["chosen"] < 64
        else:
            shown = scene["chosen"]
            assert shown == (None if value is None or flags else answers.index(asked, value))


@settings(max_examples=300, deadline=None)
@given(
    views(), st.sampled_from([None, QR]), st.lists(_doings, max_size=60), st.randoms(use_true_random=False)
)
def test_any_visitors_find_a_way_out_and_leave_records_that_agree(
    view: dict[str, Any], qr: Any, doings: list[Any], random: Any
) -> None:
    watched = Watched(view, qr, random)
    for action, pause_ms in doings:
        watched.do(action)
        watched.look()
        watched.wait(pause_ms)
    watched.wait(2 * LONGEST_MS)
    assert watched.visit.idle, "every page ends by itself"
    assert (watched.visit.language, watched.visit.mode) == (0, ())
    assert watched.visit.due_ms(watched.ticks) is None


@settings(max_examples=100, deadline=None)
@given(views(), st.randoms(use_true_random=False))
def test_going_on_and_on_comes_to_the_end_of_every_flow(view: dict[str, Any], random: Any) -> None:
    for flow in view["flows"]:
        watched = Watched(view, None, random)
        watched.do(("kind", flow["kind"]))
        for _ in range(3 * len(view["questions"])):
            scene = watched.visit.scene(watched.ticks)
            if scene["page"] == "thanks":
                break
            assert scene["page"] in ("rest", "ask", "text")
            if scene["page"] == "text":
                watched.do(("key", "a"))
                watched.do(("next",))
            elif answers.several(view["questions"][scene["question"]]):
                watched.do(("toggle", 0))
                watched.do(("next",))
            else:
                watched.do(("answer", 0))
        assert watched.visit.page == "thanks"


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 10), st.data(), st.randoms(use_true_random=False))
def test_rotated_questions_are_asked_equally_often_whoever_leaves_when(
    count: int, data: Any, random: Any
) -> None:
    take = data.draw(st.integers(1, count))
    leaves = data.draw(st.lists(st.integers(0, take), min_size=30, max_size=60))
    questions = [question("Q0", "smiley5", 0)] + [question(f"Q{i}", "agree5", i) for i in range(1, count + 1)]
    view = {
        "number": 9, "languages": LANGUAGES, "questions": questions, "idle_s": 20,
        "flows": [{"kind": "visitor", "ask": [0, {"rotate": list(range(1, count + 1)), "take": take}]}],
    }  # fmt: skip
    watched = Watched(view, None, random)
    asked = [0] * (count + 1)
    for answered in leaves:
        for _ in range(answered + 1):
            if watched.visit.page in ("rest", "ask"):
                watched.do(("answer", 0))
                scene = watched.visit.scene(watched.ticks)
                if scene["page"] == "ask":
                    asked[scene["question"]] += 1
        watched.do(("leave",))
        watched.wait(LONGEST_MS)
    assert max(asked[1:]) - min(asked[1:]) <= 1, asked
