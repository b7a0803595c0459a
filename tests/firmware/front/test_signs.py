"""One sign at a time, only what lasts; the service gesture shows the state, counts no answer and costs no neighbour."""

from types import SimpleNamespace
from typing import Any

import pytest
from kiosk import record, service, signs
from kiosk.buttons import Buttons
from kiosk.clock import Clock, Uptime
from kiosk.journal import Journal
from kiosk.recorder import Recorder
from kiosk.settings import Settings
from kiosk.survey import Survey
from screens import service_words
from screens.fonts import CORNER

from fleet_server.technician.codes import codes
from tests.firmware.nor import Nor

PERIOD = 1 << 30
LINK, SERVER, CLOCK, WAITING, UPDATE, FAULT = (1 << number for number in range(6))


REASONS = signs.reasons


@pytest.fixture(autouse=True)
def masks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is a number is the mask of its own reasons."""
    monkeypatch.setattr(signs, "reasons", lambda app: app if isinstance(app, int) else REASONS(app))


class Watch:
    """Signs with a clock that a test turns; it begins shortly before the ticks wrap."""

    def __init__(self) -> None:
        self.now = PERIOD - 20_000
        self.signs = signs.Signs(None, self.now)
        self.raw = 0

    @property
    def raw(self) -> int:
        return self._raw

    @raw.setter
    def raw(self, mask: int) -> None:
        self._raw = mask
        self.signs._app = mask

    def last(self, mask: int, seconds: float) -> int | None:
        self.raw = mask
        for _ in range(int(2 * seconds) + 1):
            self.signs.look(self.now % PERIOD)
            self.now += 500
        now: int | None = self.signs.now
        return now


@pytest.mark.parametrize(
    ("bit", "short", "long"),
    [(LINK, 14, 16), (SERVER, 29, 31), (CLOCK, 29, 31), (WAITING, 299, 301), (UPDATE, 29, 31), (FAULT, 4, 6)],
)
def test_a_sign_comes_when_its_reason_has_lasted_and_goes_likewise(bit: int, short: int, long: int) -> None:
    number = bit.bit_length() - 1
    watch = Watch()
    for _ in range(3):
        assert watch.last(bit, short) is None
        watch.last(0, 1)
    assert watch.last(bit, long) == number
    assert watch.last(0, short) == number
    watch.last(bit, 1)
    assert watch.last(0, short) == number, "a flicker the other way begins anew, too"
    assert watch.last(0, long) is None


def test_the_most_important_is_shown_and_the_others_follow() -> None:
    watch = Watch()
    assert watch.last(SERVER | CLOCK | WAITING | UPDATE, 400) == 1
    assert watch.last(LINK | CLOCK | WAITING | FAULT, 60) == 5
    assert watch.last(CLOCK | WAITING, 60) == 2
    assert watch.last(WAITING, 60) == 3
    assert signs.first(LINK | SERVER) == 0


@pytest.mark.parametrize("sign", range(6))
def test_the_light_blinks_as_often_as_the_codes_say_then_rests(sign: int) -> None:
    watch = Watch()
    watch.signs.now = sign
    lit = [watch.signs.lit() for _ in range(2 * (2 * (sign + 1) + 4))]
    half = len(lit) // 2
    assert lit[:half] == lit[half:]
    assert lit[:half] == [True, False] * (sign + 1) + [False] * 4
    watch.signs.now = None
    assert all(watch.signs.lit() for _ in range(20))


def app(**parts: Any) -> Any:
    """The program's parts, all well."""
    none = SimpleNamespace(stuck_faces=list)
    well: dict[str, Any] = {
        "session": SimpleNamespace(status="online"),
        "clock": SimpleNamespace(now=lambda: (1, 1)),
        "journal": SimpleNamespace(waiting=0),
        "sets": SimpleNamespace(want=lambda: None, waiting=lambda: None),
        "trial": SimpleNamespace(state=""),
        "buttons": none,
        "front": none,
        "recorder": SimpleNamespace(full=lambda: False),
        "supervisor": SimpleNamespace(safe_mode=False),
        "board": SimpleNamespace(faces=5, faults=list),
    }
    return SimpleNamespace(**well | parts)


@pytest.mark.parametrize(
    ("parts", "mask"),
    [
        ({}, 0),
        ({"session": SimpleNamespace(status="no-network")}, LINK),
        ({"session": SimpleNamespace(status="offline")}, SERVER),
        ({"clock": SimpleNamespace(now=lambda: None)}, CLOCK),
        ({"journal": SimpleNamespace(waiting=3)}, WAITING),
        ({"sets": SimpleNamespace(want=lambda: "5f", waiting=lambda: None)}, UPDATE),
        ({"sets": SimpleNamespace(want=lambda: None, waiting=lambda: "5f")}, UPDATE),
        ({"trial": SimpleNamespace(state="trying")}, UPDATE),
        ({"buttons": SimpleNamespace(stuck_faces=lambda: [2])}, FAULT),
        ({"board": SimpleNamespace(faults=lambda: ["expander does not answer"])}, FAULT),
        ({"recorder": SimpleNamespace(full=lambda: True)}, FAULT),
        ({"supervisor": SimpleNamespace(safe_mode=True)}, FAULT),
        ({"buttons": None, "front": SimpleNamespace(stuck_faces=lambda: [0])}, FAULT),
    ],
)
def test_each_reason_is_seen(parts: dict[str, Any], mask: int) -> None:
    assert signs.reasons(app(**parts)) == mask


def test_every_sign_is_explained_to_technicians() -> None:
    assert {code.corner for kind in codes() for code in kind.codes} - {""} == set(CORNER)


class Lit:
    """The lights of a kiosk, for signs.Lights."""

    def __init__(self, faces: int) -> None:
        self.faces = faces
        self.faults = list
        self.on = [False] * faces

    def light(self, face: int, on: Any) -> None:
        self.on[face] = bool(on)

    def light_all(self, on: bool) -> None:
        self.on = [on] * self.faces


@pytest.mark.parametrize(("faces", "blinking"), [(5, {1, 3}), (4, {1, 3})])
def test_a_kiosk_without_display_answers_with_its_lights(faces: int, blinking: set[int]) -> None:
    board = Lit(faces)
    lights = service.Lights(
        app(board=board, session=SimpleNamespace(status="offline"), journal=SimpleNamespace(waiting=9))
    )
    seen = []
    for _ in range(4):
        lights.tick(True)
        seen.append(list(board.on))
    for face in range(faces):
        assert len({row[face] for row in seen}) == (2 if face in blinking else 1)
        assert seen[0][face] or face in blinking
    lights.tick(False)
    assert board.on == [False] * faces


class Front:
    """Buttons, survey and journal of one kiosk, with a clock that a test turns."""

    INNER, ENDS = 0b01010, 0b10001

    def __init__(self, **settings: Any) -> None:
        self.now = 1000
        self.settings = Settings()
        self.settings.update(settings)
        self.sounds: list[str] = []
        self.screens: list[str] = []
        board = SimpleNamespace(
            faces=5,
            build=1,
            light=lambda *_: None,
            light_all=lambda *_: None,
            sound=self.sounds.append,
            show=lambda what: self.screens.append(what["screen"]) if "screen" in what else None,
            simulated=lambda: False,
            reset_cause=lambda: 1,
            log=self.sounds.append,
        )
        uptime = Uptime(lambda: self.now % PERIOD)
        self.flash = Nor(8)
        self.journal = Journal(self.flash, lambda size: bytes(range(1, size + 1)))
        recorder = Recorder(board, self.journal, Clock(uptime), uptime)
        view = {"number": 14, "button": {"question": 3}}
        sets = SimpleNamespace(active=view, switch=lambda: None, forget_texts=lambda: None)
        self.buttons = Buttons(5, self.now, 0, self.settings.get)
        self.survey = Survey(board, recorder, sets, self.buttons, self.settings)

    def hold(self, mask: int, ms: int) -> None:
        """As the program's press path does."""
        end = self.now + ms
        while self.now < end:
            face = self.buttons.scan(mask, self.now)
            if face is not None:
                self.survey.press(face, self.now)
            if self.buttons.unmeant:
                self.survey.take_back(self.buttons.unmeant)
                self.buttons.unmeant = 0
            self.survey.tick(self.now)
            self.now += 25

    def records(self) -> list[tuple[int, int, int, int]]:
        """(seq, value, flags, session) of the answers."""
        raw = bytearray(8192)
        end = self.journal.read_into(raw, 0, 4096)[4]
        found, at = [], 0
        while at < end:
            size = int.from_bytes(raw[at : at + 2], "little")
            if raw[at + 2] == record.KIND_ANSWER:
                seq = int.from_bytes(raw[at + 4 : at + 8], "little")
                found.append((seq, raw[at + 21], raw[at + 3], raw[at + 18]))
            at += (size + 4 + 3) // 4 * 4
        return found


@pytest.mark.parametrize(("lockout_ms", "pressed"), [(2000, [4]), (0, [4, 2])])
def test_the_press_with_which_the_gesture_begins_is_taken_back_and_no_other(
    lockout_ms: int, pressed: list[int]
) -> None:
    front = Front(lockout_ms=lockout_ms)
    front.hold(0b00010, 100)
    front.hold(0, 3000)
    front.hold(0b00010, 60)
    front.hold(front.INNER, 4100)
    assert front.screens[-1] == "service"
    found = front.records()
    assert found[0][1:] == (4, 0, 0), "a visitor's answer before stays as it is"
    mine, back = found[1 : 1 + len(pressed)], found[1 + len(pressed) :]
    assert [value for _, value, _, _ in mine] == pressed
    assert [(value, flags) for _, value, flags, _ in back] == [(255, 1)] * len(pressed)
    assert [seq - session for seq, _, _, session in back] == [seq for seq, *_ in mine], "the same visits"
    front.hold(0, 500)
    front.hold(0b00100, 100)
    assert front.screens[-1] == "ready"
    assert front.records() == found, "the press that ends it is no answer"
    assert front.buttons.ignored["cleaning"] == 1
    front.hold(0, 2500)
    front.hold(0b00100, 100)
    assert len(front.records()) == len(found) + 1


@pytest.mark.parametrize("card_waits", [False, True])
def test_the_press_with_which_cleaning_or_a_changed_card_begins_is_taken_back_and_no_other(
    card_waits: bool,
) -> None:
    front = Front(lockout_ms=0)
    front.buttons.card_waits = lambda: card_waits
    front.hold(0b00001, 100)
    front.hold(0, 3000)
    front.hold(0b10000, 100)
    front.hold(front.ENDS, 2900)
    assert [row[1:3] for row in front.records()] == [(5, 0), (1, 0), (5, 0)], "not yet"
    front.hold(front.ENDS, 2200)
    assert (front.buttons.cleaning, front.buttons.card_changed) == (not card_waits, card_waits)
    found = front.records()
    assert sorted((value, flags, seq - session) for seq, value, flags, session in found[3:]) == [
        (255, 1, found[1][0]),
        (255, 1, found[2][0]),
    ]
    front.hold(front.ENDS, 20_000)
    assert front.records() == found


def test_what_a_stuck_button_counted_stays_when_somebody_cleans() -> None:
    front = Front(lockout_ms=0)
    front.hold(0b00010, 31_000)
    front.hold(0b10011, 3200)
    assert front.buttons.cleaning
    assert [row[1:3] for row in front.records()] == [(4, 0)], "both ends at one instant were no answer"


def test_two_buttons_at_the_same_instant_leave_nothing_to_take_back() -> None:
    front = Front()
    front.hold(front.INNER, 4100)
    assert front.screens[-1] == "service"
    assert front.records() == []
    front.hold(0, 60_100)
    assert front.screens[-1] == "ready", "it ends by itself"


@pytest.mark.parametrize("mask", [0b00010, 0b10001, 0b11010, 0b01110, 0b11111])
def test_other_buttons_show_no_state(mask: int) -> None:
    front = Front()
    front.hold(mask, 12_000)
    assert "service" not in front.screens


def test_the_gesture_is_neither_cleaning_nor_a_changed_card_and_a_short_hold_is_an_answer() -> None:
    front = Front()
    front.buttons.card_waits = lambda: True
    front.hold(0b00010, 60)
    front.hold(front.INNER, 20_000)
    assert not front.buttons.cleaning
    assert not front.buttons.card_changed
    front = Front(stuck_s=5)
    front.hold(0b00010, 60)
    front.hold(front.INNER, 3800)
    front.hold(0, 100)
    assert [row[1:] for row in front.records()] == [(4, 0, 0)]
    front.hold(front.INNER, 4100)
    assert front.screens[-1] == "service", "within the least time after which a button counts as stuck"


def test_the_words_tell_the_date_and_all_languages() -> None:
    assert service_words.stamp(1_796_000_000_000) == "2026-11-30 00:53 UTC"
    assert service_words.stamp(951_782_400_000) == "2000-02-29 00:00 UTC"
    assert all(len(texts) == 3 and all(texts) for texts in service_words._WORDS.values())
