"""Turns the buttons' levels into touches; knows nothing of questions, records or pins.

Invariant: one push of a button is reported at most once, at its first edge, and a push that is not reported
is counted under exactly one reason (`ignored`): it is a repeat, falls into the lock-out, or looks like
cleaning. A button that is held too long is a fault, listed by `stuck_faces`, until it comes up again.
"""

from kiosk.compat import const, ticks_add, ticks_diff

# Contacts bounce for 1-10 ms, worn ones for 30: act on the first edge, then look away for this long.
_DEBOUNCE_MS = const(50)
# Both ends held this long is the cleaner's signal: no visitor does it, and it needs no key.
_CLEANING_HOLD_MS = const(3000)
# With a set that waits for its printed card the same gesture, held longer, says that the card was changed.
_CARD_HOLD_MS = const(5000)
# Both neighbours of the ends held this long show the kiosk's state: other buttons than the cleaner's, and shorter than
# the least `stuck_s`.
_SERVICE_HOLD_MS = const(4000)
_SERVICE_MS = const(60000)
# Cleaning is over when nothing was touched for this long.
_CLEANING_MS = const(60000)
# Ticks wrap after 12 days: no instant that is kept may grow older than this.
_OLDEST_MS = const(86_400_000)
# How often to look again while a button is down or has just moved.
_POLL_MS = const(25)
_IDLE_MS = const(1000)


class Buttons:
    """The faces of one kiosk.

    faces: how many; now_ms: ticks at start; down: mask of buttons down at start (nobody saw their edge);
    setting: function(name) -> value of `lockout_ms`, `repeat_ms` or `stuck_s`.
    """

    def __init__(self, faces, now_ms, down, setting):
        self.faces = faces
        self.ignored = {"lockout": 0, "repeat": 0, "cleaning": 0}
        self.just_ignored = None  # why the last scan ignored a touch
        self.cleaning = False
        self.card_waits = None  # of a card kiosk: function that says whether a set waits for its card
        self.card_changed = False  # set by the gesture, taken by the program
        self.service = False  # the kiosk's state is shown; a press ends that and is none
        self.service_begun = False  # set by the gesture, taken by the program
        self.unmeant = 0  # mask of pushes that `scan` gave out and that began a gesture; taken by the program
        self._counted = 0  # faces whose present push was given out by `scan`
        self._service_until = now_ms
        self._inner = 2 | 1 << (faces - 2)
        self._inner_used = False
        self._hold_used = False
        self._setting = setting
        self._all = (1 << faces) - 1
        self._ends = 1 | 1 << (faces - 1)
        self._down = down & self._all
        self._stuck = 0
        self._moved = [ticks_add(now_ms, -_DEBOUNCE_MS)] * faces
        self._touched = [None] * faces
        self._locked = False
        self._locked_until = now_ms
        self._cleaning_until = now_ms

    def resume(self, stuck, ignored):
        """Go on after a sleep: mask of buttons that were stuck, counts of what was ignored."""
        self._down |= stuck
        self._stuck = stuck
        self.ignored = ignored

    def at_rest(self):
        """No button is down but stuck ones, and nobody cleans: a kiosk may sleep."""
        return not self.cleaning and not self._down & ~self._stuck

    def scan(self, mask, now_ms):
        """Take the levels (bit per face, 1 = down or touched since the last scan).

        Returns the face that was touched, or None. More than one face at the same moment is a hand or a cloth
        across the front, not an opinion: counted as cleaning.
        """
        mask &= self._all
        self.just_ignored = None
        touched = 0
        stuck_ms = 1000 * self._setting("stuck_s")
        repeat_ms = self._setting("repeat_ms")
        for face in range(self.faces):
            bit = 1 << face
            held_ms = ticks_diff(now_ms, self._moved[face])
            if held_ms > _OLDEST_MS:
                self._moved[face] = ticks_add(now_ms, -_OLDEST_MS)
            if self._touched[face] is not None and ticks_diff(now_ms, self._touched[face]) >= repeat_ms:
                self._touched[face] = None
            if (mask ^ self._down) & bit:
                if held_ms >= _DEBOUNCE_MS:
                    self._down ^= bit
                    self._moved[face] = now_ms
                    if mask & bit:
                        touched |= bit
                    else:
                        self._stuck &= ~bit
                        self._counted &= ~bit
            elif mask & bit and held_ms >= stuck_ms:
                self._stuck |= bit
        self._watch_cleaning(now_ms)
        self._watch_service(now_ms)
        if self._locked and ticks_diff(now_ms, self._locked_until) >= 0:
            self._locked = False
        return self._judge(touched, now_ms) if touched else None

    def lock(self, now_ms):
        """Begin the lock-out: the visitor has had an answer (thanked or refused)."""
        self._locked = True
        self._locked_until = ticks_add(now_ms, self._setting("lockout_ms"))

    def locked(self, now_ms):
        return self._locked and ticks_diff(now_ms, self._locked_until) < 0

    def stuck_faces(self):
        return [face for face in range(self.faces) if self._stuck >> face & 1]

    def due_ms(self, now_ms):
        """Milliseconds until the next scan is needed even if no button moves."""
        if self._down & ~self._stuck:
            return _POLL_MS
        for face in range(self.faces):
            if ticks_diff(now_ms, self._moved[face]) < _DEBOUNCE_MS:
                return _POLL_MS
        return _IDLE_MS

    def _judge(self, touched, now_ms):
        if self.cleaning or self.service or touched & (touched - 1):
            self.service = False
            self._cleaning_until = ticks_add(now_ms, _CLEANING_MS)
            return self._ignore("cleaning", touched, now_ms)
        face = 0
        while not touched >> face & 1:
            face += 1
        before = self._touched[face]
        self._touched[face] = now_ms
        if before is not None:
            return self._ignore("repeat", touched, now_ms)
        if self.locked(now_ms):
            return self._ignore("lockout", touched, now_ms)
        self._counted |= touched
        return face

    def _ignore(self, reason, touched, now_ms):
        for face in range(self.faces):
            if touched >> face & 1:
                self.ignored[reason] += 1
                self._touched[face] = now_ms
        self.just_ignored = reason
        return

    def _watch_service(self, now_ms):
        if self.service:
            if ticks_diff(now_ms, self._service_until) >= 0:
                self.service = False
        elif self._down & ~self._stuck != self._inner:
            self._inner_used = False
        elif not self._inner_used and not self.cleaning:
            held_ms = min([ticks_diff(now_ms, self._moved[face]) for face in (1, self.faces - 2)])
            if held_ms >= _SERVICE_HOLD_MS:
                self._inner_used = self.service = self.service_begun = True
                self._service_until = ticks_add(now_ms, _SERVICE_MS)
                self._gesture()

    def _watch_cleaning(self, now_ms):
        if self.cleaning:
            if ticks_diff(now_ms, self._cleaning_until) >= 0:
                self.cleaning = False
        elif self._down & ~self._stuck & self._ends != self._ends:
            self._hold_used = False
        elif not self._hold_used:
            held_ms = min(ticks_diff(now_ms, self._moved[0]), ticks_diff(now_ms, self._moved[-1]))
            if self.card_waits is not None and self.card_waits():
                if held_ms >= _CARD_HOLD_MS:
                    self._hold_used = self.card_changed = True
                    self._gesture()
            elif held_ms >= _CLEANING_HOLD_MS:
                self.cleaning = True
                self._cleaning_until = ticks_add(now_ms, _CLEANING_MS)
                self._gesture()

    def _gesture(self):
        self.unmeant = self._counted & self._down & ~self._stuck
