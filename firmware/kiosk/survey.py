"""Turns a touch into a record and a thank-you; knows neither pins nor the network.

Invariant: thanks are given after the journal's append has returned, and for nothing else. What cannot be
recorded is refused visibly and counted, never thanked for.
"""

from kiosk import record
from kiosk.compat import const, ticks_add, ticks_diff
from kiosk.journal import JournalFull

CANT_SAY = const(255)  # kiosk/answers.py and kiosk/given.py are the touchscreen's
SKIPPED = const(1)


class Survey:
    """One visit is one press of a button kiosk.

    `buttons` is told when the lock-out begins; `settings` has `thanks_ms`, `sound` and `language`.
    """

    def __init__(self, board, recorder, sets, buttons, settings):
        self._board = board
        self._recorder = recorder
        self._sets = sets
        self._buttons = buttons
        self._settings = settings
        self._screen = None
        self._lights_until = None
        self._stuck = []
        # Of the faces of the gestures the press before: epoch and seq of its record, set and question.
        self._marks = {face: [None, None, 0, 0] for face in (0, 1, board.faces - 2, board.faces - 1)}

    def press(self, face, now_ms):
        """A visitor touched `face` (0 = leftmost, happiest). Returns True when thanked for."""
        view = self._sets.active
        self._buttons.lock(now_ms)
        if view is None:
            self._sound("refused")
            self._show("out")
            return False
        self._board.light(face, True)
        self._lights_until = ticks_add(now_ms, self._settings.get("thanks_ms"))
        flags = record.FLAG_SIMULATED if self._board.simulated() else 0
        question = view["button"]["question"]
        mark = self._marks.get(face)
        if mark is not None:
            mark[0] = None
            mark[2] = view["number"]
            mark[3] = question
        try:
            self._recorder.answer(
                view["number"],
                question,
                self._settings.get("language"),
                self._board.faces - face,
                flags,
                b"",
                mark,
            )
        except (JournalFull, OSError) as error:
            self._refuse(face, error)
            return False
        self._sound("thanks")
        self._board.light_all(True)
        self._recorder.stored()
        self._show("thanks")
        return True

    def take_back(self, faces):
        """The presses of a mask of faces began a gesture (state, cleaning, changed card) and were nobody's opinion:
        each is followed by the record of a visitor who takes an answer back, so it is received and not counted."""
        for face, mark in self._marks.items():
            if not faces >> face & 1 or mark[0] is None:
                continue
            try:
                self._recorder.answer(
                    mark[2], mark[3], self._settings.get("language"), CANT_SAY, SKIPPED, b"", mark
                )
            except (JournalFull, OSError) as error:
                self._board.log("the gesture's press stays counted: %r" % error)
            mark[0] = None

    def tick(self, now_ms):
        """Whatever is due: lights out, next screen, notes of refusal, the set that is to be asked now."""
        if self._lights_until is not None and ticks_diff(now_ms, self._lights_until) >= 0:
            self._lights_until = None
            self._board.light_all(False)
        self._recorder.note_refused()
        if self._buttons.locked(now_ms):
            return
        if self._lights_until is None:
            self._sets.switch()
        self._show_question()
        self._show(self._resting_screen())

    def due_ms(self, now_ms, longest_ms):
        """Milliseconds until `tick` has something to do, at most longest_ms."""
        if self._lights_until is not None:
            return max(1, min(longest_ms, ticks_diff(self._lights_until, now_ms)))
        if self._buttons.locked(now_ms):
            return min(longest_ms, 100)
        return longest_ms

    def idle(self, now_ms):
        """True between visits: nobody is being thanked, no button is locked out."""
        return self._lights_until is None and not self._buttons.locked(now_ms)

    def _refuse(self, face, error):
        self._recorder.refuse(error)
        self._board.light(face, False)
        self._sound("refused")
        self._show("full")
        self._recorder.note_refused()

    def _resting_screen(self):
        if self._buttons.service:
            return "service"
        if self._recorder.full():
            return "full"
        if self._sets.active is None:
            return "out"
        if self._buttons.cleaning:
            return "wait"
        return "ready"

    def _sound(self, tune):
        if self._settings.get("sound"):
            self._board.sound(tune)

    def _show(self, screen):
        if screen != self._screen:
            self._screen = screen
            self._board.show({"screen": screen})
        stuck = self._buttons.stuck_faces()
        if stuck != self._stuck:
            self._stuck = stuck
            self._board.show({"fault": stuck})
            if stuck:
                self._sound("fault")

    def _show_question(self):
        """Hand the texts of another set to the board; they need not stay in memory then."""
        view = self._sets.active
        if view is None or "questions" not in view:
            return
        self._sets.forget_texts()  # first: texts too large for this board's memory are not tried for ever
        asked = None
        for question in view["questions"]:
            if question["position"] == view["button"]["question"]:
                asked = question
        self._board.show(
            {
                "number": view["number"],
                "question": asked["text"],
                "labels": asked["labels"],
                "languages": view["languages"],
                "thanks": view["thanks"],
            }
        )
