"""Turns a touch into a record and a thank-you; knows neither pins nor the network.

Invariant: thanks are given after the journal's append has returned, and for nothing else. What cannot be
recorded is refused visibly and counted, never thanked for.
"""

from kiosk import record
from kiosk.compat import const, ticks_add, ticks_diff
from kiosk.journal import JournalFull

# A full journal has about a hundred records left for notes of refusal: one an hour lasts four days.
_REFUSED_EVERY_TENTHS = const(36000)


class Survey:
    """One visit is one press of a button kiosk.

    `buttons` is told when the lock-out begins; `settings` has `thanks_ms`, `sound` and `language`.
    """

    def __init__(self, board, journal, sets, clock, uptime, buttons, settings):
        self._board = board
        self._journal = journal
        self._sets = sets
        self._clock = clock
        self._uptime = uptime
        self._buttons = buttons
        self._settings = settings
        self._run_epoch = None  # the epoch that holds this run's boot record
        self._refused = 0
        self._refused_since = 0
        self._noted_at = None
        self._full_at = None
        self._screen = None
        self._lights_until = None
        self._stuck = []

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
        try:
            self._begin_run()
            self._journal.append(
                record.KIND_ANSWER,
                set_number=view["number"],
                session=0,
                question=view["button"]["question"],
                language=self._settings.get("language"),
                value=self._board.faces - face,
                flags=flags,
                uptime=self._uptime.tenths(),
            )
        except (JournalFull, OSError) as error:
            self._refuse(face, error)
            return False
        self._sound("thanks")
        self._board.light_all(True)
        self._full_at = None
        self._show("thanks")
        return True

    def clock_learned(self):
        """The estimate of the time is new or has moved: write it down if this run has an answer to place."""
        if self._run_epoch == self._journal.epoch and self._clock.due():
            try:
                self._write_clock()
            except (JournalFull, OSError):
                pass  # still due: the next answer tries again

    def tick(self, now_ms):
        """Whatever is due: lights out, next screen, notes of refusal, the set that is to be asked now."""
        if self._lights_until is not None and ticks_diff(now_ms, self._lights_until) >= 0:
            self._lights_until = None
            self._board.light_all(False)
        if self._refused:
            self._note_refused()
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

    def _begin_run(self):
        """Boot and clock records come before the first answer of their run, and again in a new epoch."""
        journal = self._journal
        begins = self._run_epoch != journal.epoch
        if begins:
            body = record.boot_body(self._board.reset_cause(), self._board.build)
            epoch = journal.epoch
            journal.append(record.KIND_BOOT, uptime=self._uptime.tenths(), body=body)
            self._run_epoch = epoch
        if self._clock.now() is not None and (begins or self._clock.due()):
            self._write_clock()

    def _write_clock(self):
        uptime_ms = self._uptime.ms()
        utc_ms, uncertainty_ms = self._clock.now()
        # The record's uptime has tenths: give the time of that tenth, not of a moment up to 99 ms later.
        body = record.clock_body(utc_ms - uptime_ms % 100, uncertainty_ms)
        self._journal.append(record.KIND_CLOCK, uptime=uptime_ms // 100, body=body)
        self._clock.recorded()

    def _refuse(self, face, error):
        self._board.log("press refused: %r" % error)
        if not self._refused:
            self._refused_since = self._uptime.tenths()
        self._refused = min(self._refused + 1, 65535)
        self._full_at = self._journal.waiting
        self._board.light(face, False)
        self._sound("refused")
        self._show("full")
        self._note_refused()

    def _note_refused(self):
        now = self._uptime.tenths()
        room = self._full_at is None
        if not room and self._noted_at is not None and now - self._noted_at < _REFUSED_EVERY_TENTHS:
            return
        self._noted_at = now
        try:
            self._journal.append(
                record.KIND_REFUSED, uptime=now, body=record.refused_body(self._refused, self._refused_since)
            )
            self._refused = 0
        except (JournalFull, OSError):
            pass  # still counted in RAM; the next try is an hour away

    def _resting_screen(self):
        if self._full_at is not None:
            # Receipts make room: invite the next visitor as soon as something was let go.
            if self._journal.waiting >= self._full_at:
                return "full"
            self._full_at = None
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
