"""What a kiosk does with any bytes as a question set, judged by its rules alone and on the whole way to the press.

Runs on CPython and on MicroPython.
"""

import json

from kiosk import record as codec
from kiosk import view as view_rules
from kiosk.buttons import Buttons
from kiosk.clock import Clock, Uptime
from kiosk.compat import ticks_ms
from kiosk.recorder import Recorder
from kiosk.sets import Sets
from kiosk.settings import Settings
from kiosk.survey import Survey

from tests.fuzz.by_hand import digest
from tests.fuzz.kiosk_parts import FACES, MOST_JSON_BYTES, MOST_PIECE_BYTES, SERVER_MS, Board


class SetEnds:
    """The checks of question sets. Of who inherits: `_journal`, `_fresh_root()`."""

    def view(self, payload):
        """As the rules alone judge it: without fault is only what can be asked. Returns the fault."""
        try:
            parsed = json.loads(payload)
            reason = view_rules.fault(parsed, FACES)
        except (ValueError, RuntimeError, MemoryError):  # as `Sets` does
            return "no JSON"
        if reason is None:
            self._askable(parsed)
        else:
            assert isinstance(reason, str)
            assert reason.strip(), "refused without a reason"
        return reason

    def question_set(self, payload):
        """The whole way: wished, received in pieces, checked, asked. Returns whether it is asked now."""
        if len(payload) > MOST_JSON_BYTES:
            return False
        root = self._fresh_root()
        board = Board()
        uptime = Uptime(ticks_ms)
        clock = Clock(uptime)
        sets = Sets(root, clock, FACES)
        old = self._old_view()
        self._give(sets, [old], old)
        assert sets.switch(), "the old set must be good"
        hash = digest(payload)
        self._give(sets, [old, payload], payload)
        survey = self._front(board, sets, clock, uptime)
        survey.tick(ticks_ms())  # as the program calls `switch`; what escapes it kills the press path
        if sets.running == 65534 and sets._shown != hash:
            reason = sets.refused.get(hash)
            if hash != digest(old):
                assert isinstance(reason, str), "neither asked nor refused"
                assert reason.strip(), "refused without a reason"
            assert sets.want() is None, "asked for again for ever"
            assert self._pressed(survey, board) == (65534, 3), "the old set must still be asked"
            again = Sets(root, clock, FACES)
            again.switch()
            assert again.held() == [[65534, digest(old)]], "a refused set must not come back with the power"
            return False
        assert sets._shown == hash
        parsed = json.loads(payload)
        self._askable(parsed)
        expected = (parsed["number"], parsed["button"]["question"])
        assert self._pressed(survey, board) == expected
        return True

    def _give(self, sets, views, view):
        plan = []
        for start, each in enumerate(views):
            began = None if start == 0 else start
            entry = {"number": 1, "hash": digest(each), "from": began, "to": None, "hours": None}
            plan.append(entry)
        sets._clock.learn(SERVER_MS, 10)
        sets.plan(plan)
        if sets.want() is None:
            return
        assert sets.begin(len(view)) is None
        for at in range(0, len(view), MOST_PIECE_BYTES):
            sets.write(memoryview(view)[at : at + MOST_PIECE_BYTES])
        assert sets.finish() is None

    def _front(self, board, sets, clock, uptime):
        settings = Settings()
        buttons = Buttons(FACES, ticks_ms(), 0, settings.get)
        return Survey(board, Recorder(board, self._journal, clock, uptime), sets, buttons, settings)

    def _pressed(self, survey, board):
        """(set, question) of the record that a press makes."""
        journal = self._journal
        journal.release(journal.epoch, journal.next_seq)
        journal.tidy()
        assert survey.press(1, ticks_ms()) is True, "not thanked for: " + str(board.lines)
        buf = bytearray(512)
        _, _, _, count, end = journal.read_into(buf, 0, 512)
        at = 0
        for _ in range(count):
            fields = codec.decode(buf, at, journal.epoch)
            at += codec.size(buf, at)
        assert at == end
        assert fields[0] == codec.KIND_ANSWER
        assert fields[9] == FACES - 1
        return fields[5], fields[7]

    def _askable(self, view):
        """What a front needs, said once more and otherwise."""
        for number, most in ((view["number"], 65535), (view["button"]["question"], 255)):
            assert type(number) is int, "a set or question without a whole number is good"
            assert 0 <= number <= most
        asked = [q for q in view["questions"] if q["position"] == view["button"]["question"]]
        assert len(asked) == 1
        for question in view["questions"]:
            assert type(question["position"]) is int
            assert 0 <= question["position"] <= 255
            for language in view["languages"]:
                texts = [question["text"][language], view["thanks"][language], question["code"], language]
                texts += question["labels"][language]
                for text in texts:
                    assert isinstance(text, str)
                    assert text.strip()
        for language in view["languages"]:
            assert len(asked[0]["labels"][language]) == FACES

    def _old_view(self):
        labels = ["5", "4", "3", "2", "1"]
        question = {
            "position": 3,
            "code": "OLD",
            "type": "smiley5",
            "text": {"fi": "?"},
            "labels": {"fi": labels},
        }
        view = {
            "number": 65534,
            "name": "old",
            "languages": ["fi"],
            "questions": [question],
            "thanks": {"fi": "!"},
            "button": {"question": 3},
        }
        return json.dumps(view).encode()
