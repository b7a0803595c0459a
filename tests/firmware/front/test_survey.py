"""Thanks are given for what is in flash and nothing else; runs of answers have boot and clock records."""

import os
import struct
from typing import Any

import pytest
from kiosk import record
from kiosk.clock import Clock, Uptime
from kiosk.journal import Journal, JournalFull
from kiosk.recorder import Recorder
from kiosk.survey import Survey
from nor import Nor
from whole import read

from tests.firmware.front.kiosk_rig import ANSWER, BOOT, CLOCK, QUESTION_SET, REFUSED

NOON = 1_800_000_000_000


class Board:
    """Remembers what the visitor would see and hear, in order."""

    faces = 5
    build = 77

    def __init__(self) -> None:
        self.happened: list[Any] = []
        self.from_simulation = False

    def light(self, face: int, on: bool) -> None:
        self.happened.append(("light", face, on))

    def light_all(self, on: bool) -> None:
        self.happened.append(("lights", on))

    def sound(self, tune: str) -> None:
        self.happened.append(tune)

    def show(self, what: dict[str, Any]) -> None:
        self.happened.append(what)

    def log(self, line: str) -> None:
        self.happened.append(("log", line))

    def simulated(self) -> bool:
        return self.from_simulation

    def reset_cause(self) -> int:
        return 3

    def screens(self) -> list[str]:
        return [what["screen"] for what in self.happened if isinstance(what, dict) and "screen" in what]

    def sounds(self) -> list[str]:
        return [what for what in self.happened if isinstance(what, str)]


class Buttons:
    cleaning = False
    service = False

    def __init__(self) -> None:
        self.until = 0
        self.stuck: list[int] = []

    def lock(self, now_ms: int) -> None:
        self.until = now_ms + 2000

    def locked(self, now_ms: int) -> bool:
        return now_ms < self.until

    def stuck_faces(self) -> list[int]:
        return self.stuck


class Sets:
    def __init__(self) -> None:
        self.active: dict[str, Any] | None = QUESTION_SET
        self.next: dict[str, Any] | None = None

    def switch(self) -> None:
        if self.next:
            self.active, self.next = self.next, None

    def forget_texts(self) -> None:
        assert self.active is not None
        self.active = {name: self.active[name] for name in ("number", "button")}


class Room:
    """A survey with everything around it; time goes by in milliseconds."""

    def __init__(self, sectors: int = 4) -> None:
        self.now = 5_000
        self.board, self.buttons, self.sets = Board(), Buttons(), Sets()
        self.settings = {"thanks_ms": 600, "sound": True, "language": 1}
        self.flash = Nor([b"\xff" * 4096] * sectors)
        self.switch_on()

    def switch_on(self) -> None:
        self.journal = Journal(self.flash, os.urandom)
        self.uptime = Uptime(lambda: self.now % (1 << 30))
        self.clock = Clock(self.uptime)
        self.recorder = Recorder(self.board, self.journal, self.clock, self.uptime)
        self.survey = Survey(self.board, self.recorder, self.sets, self.buttons, self.settings)

    def press(self, face: int, after: int = 2500) -> bool:
        self.pass_time(after)
        thanked: bool = self.survey.press(face, self.now)
        return thanked

    def pass_time(self, ms: int) -> None:
        end = self.now + ms
        while self.now < end:
            self.now += min(end - self.now, 250)
            self.uptime.ms()
            self.survey.tick(self.now)

    def fill(self) -> None:
        for text in (b"x" * 900, b""):
            try:
                while True:
                    self.journal.append(ANSWER, body=text)
            except JournalFull:
                continue

    def release(self) -> None:
        self.journal.release(self.journal.epoch, self.journal.next_seq)

    def records(self) -> list[tuple[int, ...]]:
        """(kind, flags, seq, boot, uptime, set, session, question, language, value, pressed, body)."""
        found = []
        epoch, start, _, records = read(self.journal, 1 << 20)
        for raw in records:
            fields = struct.unpack_from("<HBBIIIHBBBBH", raw)
            found.append((*fields[1:], raw[24 : fields[0]]))
        return found

    def kinds(self) -> list[int]:
        return [entry[0] for entry in self.records()]


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_thank_you_comes_after_the_record_is_in_flash(room: Room) -> None:
    room.pass_time(10)
    room.board.happened.clear()
    append = room.journal.append

    def watched(*args: Any, **kwargs: Any) -> int:
        assert room.board.happened == [("light", 0, True)], (
            "the touched face lights before the flash is written"
        )
        return append(*args, **kwargs)

    room.journal.append = watched  # type: ignore[method-assign]
    assert room.survey.press(0, room.now)
    assert room.board.happened[1:] == ["thanks", ("lights", True), {"screen": "thanks"}]


def test_the_record_says_what_was_asked_and_answered(room: Room) -> None:
    room.press(1)
    kind, flags, seq, boot, uptime, number, session, question, language, value, pressed, body = (
        room.records()[-1]
    )
    assert (kind, flags, boot, number, session, question) == (ANSWER, 0, room.journal.boot, 14, 0, 3)
    assert (language, value, pressed, body) == (1, 4, 1, b"")
    assert uptime == 25


def test_the_happiest_face_is_the_leftmost_and_has_the_highest_value(room: Room) -> None:
    for face in range(5):
        room.press(face)
    assert [entry[9] for entry in room.records() if entry[0] == ANSWER] == [5, 4, 3, 2, 1]


def test_simulated_presses_are_flagged(room: Room) -> None:
    room.press(0)
    room.board.from_simulation = True
    room.press(0)
    assert [entry[1] for entry in room.records() if entry[0] == ANSWER] == [0, record.FLAG_SIMULATED]


def test_nothing_is_written_before_somebody_answers(room: Room) -> None:
    room.clock.learn(NOON, 20)
    room.recorder.clock_learned()
    room.pass_time(60_000)
    assert room.kinds() == []


def test_a_run_begins_with_its_boot_and_clock_records(room: Room) -> None:
    room.clock.learn(NOON, 20)
    room.press(0, after=2537)
    room.press(0)
    assert room.kinds() == [BOOT, CLOCK, ANSWER, ANSWER]
    boot, clock = room.records()[:2]
    assert struct.unpack("<BI", boot[11]) == (3, 77)
    utc_ms, uncertainty_ms = struct.unpack("<QI", clock[11])
    assert utc_ms == NOON + 2500
    assert uncertainty_ms in (20, 21)
    assert clock[4] * 100 == 2500


def test_a_clock_learned_later_is_written_then(room: Room) -> None:
    room.press(0)
    room.clock.learn(NOON, 20)
    room.recorder.clock_learned()
    room.recorder.clock_learned()
    room.press(0)
    assert room.kinds() == [BOOT, ANSWER, CLOCK, ANSWER]


def test_a_new_epoch_gets_boot_and_clock_again(room: Room) -> None:
    room.clock.learn(NOON, 20)
    room.press(0)
    room.release()
    room.journal.new_epoch("behind")
    room.press(0)
    assert room.kinds() == [BOOT, CLOCK, ANSWER]


def test_each_start_writes_its_own_boot_record(room: Room) -> None:
    room.press(0)
    room.switch_on()
    room.press(0)
    assert room.kinds() == [BOOT, ANSWER, BOOT, ANSWER]
    first, second = (entry[3] for entry in room.records() if entry[0] == BOOT)
    assert second == first + 1


def test_a_full_journal_thanks_nobody_and_says_so(room: Room) -> None:
    room.press(0)
    room.fill()
    pressed = room.journal.pressed
    thanks = room.board.sounds().count("thanks")
    room.board.happened.clear()
    assert not room.press(2)
    assert room.board.sounds() == ["refused"]
    assert room.board.screens()[-1] == "full"
    assert ("light", 2, False) in room.board.happened
    room.pass_time(10_000)
    assert room.board.screens()[-1] == "full", "nobody is invited while there is no room"
    assert room.board.sounds().count("thanks") == 0
    assert thanks == 1
    assert room.journal.pressed == pressed


def test_refused_presses_are_counted_in_the_journal(room: Room) -> None:
    room.press(0)
    room.fill()
    for _ in range(3):
        assert not room.press(1)
    notes = [entry for entry in room.records() if entry[0] == REFUSED]
    assert [struct.unpack("<HI", note[11])[0] for note in notes] == [1], (
        "one note an hour saves the last sector"
    )
    room.release()
    room.pass_time(2500)
    assert room.board.screens()[-1] == "ready"
    assert room.press(1)
    told = sum(struct.unpack("<HI", e[11])[0] for e in room.records() if e[0] == REFUSED)
    assert told == 2, "the rest is told as soon as there is room"


def test_flash_that_fails_is_a_refusal_and_no_crash(room: Room) -> None:
    def broken(*args: Any, **kwargs: Any) -> int:
        raise OSError("journal: flash does not hold what is written")

    room.journal.append = broken  # type: ignore[method-assign]
    assert not room.press(0)
    assert room.board.sounds() == ["refused"]


def test_without_a_question_nobody_is_thanked(room: Room) -> None:
    room.sets.active = None
    room.pass_time(500)
    assert room.board.screens() == ["out"]
    assert not room.press(0)
    assert room.board.sounds() == ["refused"]
    assert room.kinds() == []


def test_lights_go_out_and_the_next_visitor_is_invited_after_the_lock_out(room: Room) -> None:
    room.press(0)
    room.pass_time(500)
    assert ("lights", False) not in room.board.happened
    room.pass_time(250)
    assert ("lights", False) in room.board.happened
    assert room.board.screens()[-1] == "thanks"
    room.pass_time(1500)
    assert room.board.screens()[-1] == "ready"


def test_another_set_is_asked_between_visits_only(room: Room) -> None:
    room.press(0)
    room.sets.next = {**QUESTION_SET, "number": 15}
    room.pass_time(1500)
    assert room.sets.active is not None
    assert room.sets.active["number"] == 14
    room.pass_time(1000)
    shown = [what["number"] for what in room.board.happened if isinstance(what, dict) and "number" in what]
    assert shown == [14, 15]
    room.press(0)
    assert room.records()[-1][5] == 15


def test_the_screen_shows_the_asked_question_in_all_languages(room: Room) -> None:
    room.pass_time(10)
    (shown,) = [what for what in room.board.happened if isinstance(what, dict) and "question" in what]
    asked = QUESTION_SET["questions"][0]  # type: ignore[index]
    assert shown["question"] == asked["text"]
    assert shown["labels"] == asked["labels"]
    assert shown["languages"] == ["fi", "sv", "en"]
    assert shown["thanks"]["sv"] == "Tack!"


def test_a_stuck_button_is_shown_and_heard_once(room: Room) -> None:
    room.pass_time(500)
    room.buttons.stuck = [3]
    room.pass_time(5000)
    room.buttons.stuck = []
    room.pass_time(500)
    faults = [what["fault"] for what in room.board.happened if isinstance(what, dict) and "fault" in what]
    assert faults == [[3], []]
    assert room.board.sounds() == ["fault"]


def test_a_silent_kiosk_is_silent(room: Room) -> None:
    room.settings["sound"] = False
    assert room.press(0)
    assert room.board.sounds() == []
