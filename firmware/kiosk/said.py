"""Whose turn it is on the resting screen: the question's alone, or for a while a note of what visitors said and what
was done. Knows no pixel, and of visitors only whether one is there.

Invariants: a note is shown only while nobody touches, only before its last instant, and only while the server could
have taken it back: without a connection for a day there is none. What was withdrawn is gone with the next look.
"""

from kiosk.compat import const, ticks_add, ticks_diff

_REST_MS = const(20_000)  # whoever comes to answer has found the question by then
_SHOWN_MS = const(12_000)  # three lines, read slowly and standing
_TRUSTED_MS = const(86_400_000)  # without a connection


class Said:
    """`setting("said")`: notes as said_rules.pack gives them, or None. `.connected()`: is the server reached?"""

    def __init__(self, setting, clock):
        self.connected = None  # without anybody to ask there is nothing to show
        self._setting = setting
        self._clock = clock
        self._notes = self._note = None
        self._turn = 0
        self._since = None  # when the present rest began
        self._began = 0  # when the present note came
        self._heard = None  # when there was a connection last

    def touched(self, now_ms):
        """Somebody is there: the question alone, for at least a whole rest."""
        self._since = now_ms
        self._note = None

    def look(self, idle, now_ms):
        """The note to be shown now, or None. To be asked every second or so; allocates nothing while there are none."""
        notes = self._setting("said")
        if notes is not self._notes:
            self._notes = notes
            self._turn = 0
            self._note = None
        self._listen(now_ms)
        if not idle:
            self._since = self._note = None
            return None
        if self._note is not None:
            if ticks_diff(now_ms, self._began) >= _SHOWN_MS or self._heard is None or self._over(self._note):
                self.touched(now_ms)
            return self._note
        if self._since is None:
            self._since = now_ms
        if ticks_diff(now_ms, self._since) < _REST_MS:
            return None
        if notes is not None and self._heard is not None:
            self._note = self._next(notes)
            self._began = now_ms
        if self._note is None:
            # What comes now is shown at once, for nobody is here; and no instant that is kept grows too old.
            self._since = ticks_add(now_ms, -_REST_MS)
        return self._note

    def _listen(self, now_ms):
        if self.connected is not None and self.connected():
            self._heard = now_ms
        elif self._heard is not None and ticks_diff(now_ms, self._heard) >= _TRUSTED_MS:
            self._heard = None

    def _next(self, notes):
        for _ in notes:
            note = notes[self._turn % len(notes)]
            self._turn = (self._turn + 1) % len(notes)
            if not self._over(note):
                return note
        return None

    def _over(self, note):
        """Without a clock nobody knows: what ends some day is taken for over."""
        if note["until"] is None:
            return False
        now = self._clock.now()
        return now is None or now[0] >= note["until"]
