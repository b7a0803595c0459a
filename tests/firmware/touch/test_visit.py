"""One visitor's way: what is asked when, what is recorded for it, and that it always ends."""

from typing import Any

import pytest
from kiosk.given import COMPLETE, SKIPPED, TIMED_OUT
from kiosk.visit import Visit
from touch_views import CHILD, KIN, KTI, NPS, OPEN, PEI, national

QR = {"text": "https://palaute.example.fi/p/7", "size": 25, "rows": [0] * 25}


class Room:
    """A visit, and what was to be recorded."""

    def __init__(self, **settings: Any) -> None:
        self.now = 5_000
        self.settings = {"language": 0, "qr": None} | settings
        self.drawn = 0
        self.visit = Visit(national(), self.random, self.settings.__getitem__, self.now)
        self.entries: list[Any] = []

    def random(self, count: int) -> bytes:
        self.drawn += 7919
        return (self.drawn % 65_536).to_bytes(2, "little")

    def act(self, *action: Any, after: int = 1000) -> Any:
        self.wait(after)
        return self.take(self.visit.act(action, self.now))

    def take(self, entry: Any) -> Any:
        if entry is not None:
            self.entries.append(entry)
            if entry[5][0] is None:
                entry[5][0] = len(self.entries)
            return entry[:5]
        return None

    def wait(self, ms: int) -> None:
        end = self.now + ms
        while self.now < end:
            due = self.visit.due_ms(self.now)
            self.now += end - self.now if due is None else max(1, min(due, end - self.now))
            self.take(self.visit.tick(self.now))

    @property
    def scene(self) -> dict[str, Any]:
        return self.visit.scene(self.now)

    def answer_until(self, page: str) -> None:
        """Always the leftmost, until that page comes."""
        for _ in range(12):
            if self.scene["page"] == page:
                return
            if self.scene["page"] == "text":
                self.act("key", "X")
                self.act("next")
            elif self.scene.get("question") == KTI:
                self.act("toggle", 0)
                self.act("next")
            else:
                self.act("answer", 0)
        pytest.fail(f"page {page} did not come")

    def given(self) -> list[Any]:
        return [entry[:5] for entry in self.entries]


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_visitor_rests_on_the_first_question_with_the_other_flows_offered(room: Room) -> None:
    assert room.scene["page"] == "rest"
    assert room.scene["question"] == NPS
    assert room.scene["kinds"] == ["child", "kin"]
    assert room.visit.idle


def test_one_touch_is_an_answer_to_be_recorded_at_once(room: Room) -> None:
    assert room.act("answer", 9) == (0, 0, 9, COMPLETE, b"")
    assert room.scene["page"] == "ask"
    assert room.scene["leave"]
    assert (room.scene["step"], room.scene["steps"]) == (2, 5)


def test_the_whole_way_ends_with_thanks_and_the_next_visitor(room: Room) -> None:
    room.act("answer", 3)
    room.answer_until("thanks")
    positions = [entry[0] for entry in room.given()]
    assert positions[0] == NPS
    assert len(positions) == 6
    assert positions[3:] == [PEI, KTI, OPEN]
    assert all(1 <= position <= 7 for position in positions[1:3])
    assert [entry[2] for entry in room.given()][3:] == [2, 1, 0]
    assert room.given()[-1][4] == b"X"
    room.wait(20_000)
    assert room.visit.idle
    assert room.given()[6:] == []


def test_a_follow_up_is_asked_only_after_the_answers_that_it_is_for(room: Room) -> None:
    room.act("answer", 9)
    room.answer_until("thanks")
    assert OPEN not in [entry[0] for entry in room.given()]


def test_going_back_shows_what_was_chosen_and_a_change_is_recorded_anew(room: Room) -> None:
    room.act("answer", 3)
    first = room.scene["question"]
    room.act("answer", 1)
    room.act("back")
    assert (room.scene["question"], room.scene["chosen"]) == (first, 1)
    room.act("back")
    assert (room.scene["question"], room.scene["chosen"]) == (NPS, 3)
    assert not room.scene["back"]
    assert room.act("answer", 3) is None, "it is recorded already"
    assert room.scene["question"] == first, "the same rotated question"
    assert room.act("answer", 0) == (first, 0, 5, COMPLETE, b"")
    assert len(room.entries) == 3


def test_cant_say_is_a_value_of_its_own(room: Room) -> None:
    room.act("answer", 10)
    assert room.act("answer", -1)[2:4] == (255, COMPLETE)
    room.act("back")
    assert room.scene["chosen"] == -1


def test_skipping_before_anything_was_given_leaves_no_trace(room: Room) -> None:
    room.act("kind", "child")
    assert room.act("skip") is None
    assert room.act("skip") is None
    assert room.visit.idle
    assert room.entries == []


def test_a_skipped_question_is_recorded_once_without_an_opinion(room: Room) -> None:
    room.act("answer", 10)
    skipped = room.scene["question"]
    assert room.act("skip") == (skipped, 0, 255, SKIPPED, b"")
    room.act("back")
    assert room.scene["chosen"] is None
    assert room.act("skip") is None
    room.act("back")
    assert room.act("answer", -1)[2:4] == (255, COMPLETE), "can't say is an answer, skipping was none"


def test_several_options_are_recorded_when_the_visitor_goes_on(room: Room) -> None:
    room.act("kind", "child")
    room.act("answer", 0)
    assert room.act("toggle", 0) is None
    assert room.act("toggle", 2) is None
    assert room.scene["chosen"] == 0b101
    assert room.act("next") == (KTI, 0, 0b101, COMPLETE, b"")
    assert room.scene["page"] == "thanks"


def test_several_options_all_taken_back_are_taken_back_in_the_records(room: Room) -> None:
    room.act("answer", 2)
    for _ in range(3):
        room.act("answer", 0)
    room.act("toggle", 1)
    room.act("next")
    assert room.scene["page"] == "text"
    room.act("back")
    assert room.scene["chosen"] == 2
    room.act("toggle", 1)
    assert not room.scene["chosen"]
    assert room.act("next") == (KTI, 0, 255, SKIPPED, b"")


def test_what_was_typed_is_recorded_when_done_and_is_there_again_after_going_back(room: Room) -> None:
    room.act("kind", "kin")
    room.act("answer", 0)
    room.act("answer", -1)
    room.act("skip")  # no NPS was asked: the open question is not due, the statement was
    assert room.scene["page"] == "thanks"
    room.act("leave")
    room.act("answer", 0)
    for _ in range(3):
        room.act("skip")
    room.act("skip")
    assert room.scene["page"] == "text"
    for letter in "Hyvä!":
        room.act("key", letter)
    assert room.act("back")[4] == "Hyvä!".encode()
    room.act("skip")
    assert room.scene["text"] == "Hyvä!"
    assert room.act("next") is None
    assert room.scene["page"] == "thanks"
    assert room.visit.scene(room.now).get("text") is None


def test_leaving_counts_what_was_given(room: Room) -> None:
    room.act("answer", 2)
    assert room.act("leave") is None
    assert room.scene["page"] == "thanks"
    assert len(room.entries) == 1
    room.act("leave")
    assert room.visit.idle


def test_leaving_while_writing_records_the_text(room: Room) -> None:
    room.act("answer", 2)
    room.answer_until("text")
    room.act("key", "O")
    room.act("key", "k")
    assert room.act("leave")[4] == b"Ok"


def test_a_visitor_who_walks_away_is_warned_and_what_was_given_is_kept_and_marked(room: Room) -> None:
    room.act("answer", 2)
    asked = room.scene["question"]
    room.wait(9_900)
    assert "left" not in room.scene
    room.wait(200)
    assert room.scene["left"] == 10
    room.wait(5_000)
    assert room.scene["left"] == 5
    room.act("stay", after=0)
    assert "left" not in room.scene
    room.wait(20_001)
    assert room.given()[1:] == [(asked, 0, 255, TIMED_OUT, b"")]
    assert room.entries[1][5] is room.entries[0][5], "it belongs to the visit that is over"
    assert room.visit.idle
    room.act("answer", 0)
    assert room.entries[2][5][0] == 3


def test_a_text_that_nobody_finishes_is_kept_as_far_as_it_was_written(room: Room) -> None:
    room.act("answer", 2)
    room.answer_until("text")
    for letter in "Liian k":
        room.act("key", letter)
    room.wait(30_000)
    assert room.given()[-1] == (OPEN, 0, 0, TIMED_OUT, b"Liian k")
    assert room.visit.idle


def test_a_visit_without_an_answer_leaves_no_record(room: Room) -> None:
    room.act("language", 1)
    room.act("mode", "large")
    room.act("kind", "kin")
    room.wait(60_000)
    assert room.entries == []
    assert room.visit.idle
    assert (room.visit.language, room.visit.mode) == (0, ())


def test_language_and_display_fall_back_with_the_visit(room: Room) -> None:
    room.act("language", 2)
    room.act("mode", "low")
    room.act("mode", "contrast")
    assert room.act("answer", 1)[1] == 2
    assert room.visit.mode == ("contrast", "low")
    room.act("mode", "low")
    assert room.visit.mode == ("contrast",)
    room.act("leave")
    assert room.visit.language == 2, "the thank-you is in the visitor's language"
    room.wait(20_000)
    assert (room.visit.language, room.visit.mode) == (0, ())


def test_a_language_that_the_set_lacks_is_the_first_one() -> None:
    assert Room(language=9).visit.language == 0


def test_the_phone_is_offered_only_with_an_address_and_gives_time_to_aim() -> None:
    room = Room()
    room.act("phone")
    assert room.scene["page"] == "rest"
    room = Room(qr=QR)
    room.act("answer", 9)
    room.act("leave")
    assert room.scene["qr"] == QR["text"]
    room.act("phone")
    assert room.scene["page"] == "phone"
    room.wait(45_000)
    assert room.scene["page"] == "phone"
    room.act("back")
    assert room.scene["page"] == "thanks"
    room.act("phone")
    room.wait(61_000)
    assert room.visit.idle
    assert len(room.entries) == 1


def test_a_child_goes_another_way_and_back(room: Room) -> None:
    room.act("kind", "child")
    assert (room.scene["page"], room.scene["question"]) == ("ask", CHILD)
    assert room.scene["back"]
    room.act("back")
    assert (room.scene["page"], room.scene["question"]) == ("rest", NPS)
    room.act("kind", "kin")
    assert room.act("answer", 4) == (KIN, 0, 1, COMPLETE, b"")
    assert room.scene["question"] == 13


def test_what_cannot_be_recorded_ends_the_visit_visibly(room: Room) -> None:
    room.act("answer", 3)
    room.visit.refused(room.now)
    assert room.scene == {"page": "full"}
    assert room.act("answer", 3) is None
    room.wait(100_000)
    assert room.scene["page"] == "full"
    room.visit.reset(room.now)
    assert room.visit.idle


def test_the_last_touch_coming_twice_does_not_skip_the_thank_you(room: Room) -> None:
    room.act("answer", 3)
    room.act("leave")
    room.visit.touch(room.now + 200)
    assert room.scene["page"] == "thanks"
    room.visit.touch(room.now + 2_000)
    assert room.scene["page"] == "rest"


def test_rotated_questions_fill_up_evenly() -> None:
    room = Room()
    for _ in range(70):
        room.act("answer", 10)
        room.answer_until("thanks")
        room.wait(20_000)
    counts = [sum(entry[0] == position for entry in room.given()) for position in range(1, 8)]
    assert sum(counts) == 140
    assert max(counts) - min(counts) <= 1
