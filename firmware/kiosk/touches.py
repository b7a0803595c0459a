"""Turns what a touch panel reads into touches; knows nothing of pages, questions or chips.

Invariant: one contact of the glass is reported at most once, where and when it began, and one that is not reported is
counted under exactly one reason (`ignored`): the same place again at once, or a hand, a cloth, the time of cleaning.

Cleaning: a finger held for three seconds in the upper left corner, then within three seconds in the upper right one. No
visitor does that, no page has its answers there, and it needs no key. It ends a minute after the last contact.
Service: the same from right to left. It ends after a minute, or by a touch.
"""

from kiosk.compat import const, ticks_add, ticks_diff

# A contact that is lost for less than this is the same one: a trembling finger, a drop of water.
_DEBOUNCE_MS = const(50)
# Fingers of a shaky hand come down about so far from each other, in pixels (5.6 mm on a screen of 84 mm).
_SAME_PLACE = const(32)
# On a keyboard the same key is often meant twice: only what no finger does on purpose is a repeat there.
_REPEAT_TYPING_MS = const(120)
_CORNER = const(80)  # pixels each way
_CORNER_HOLD_MS = const(3000)
_CORNER_THEN_MS = const(3000)
_CLEANING_MS = const(60000)
# Ticks wrap after 12 days: no instant that is kept may grow older than this.
_OLDEST_MS = const(86_400_000)
_SERVICE_MS = const(60000)
_POLL_MS = const(25)
_IDLE_MS = const(1000)


class Touches:
    """The glass of one kiosk, `width` pixels wide.

    setting: function(name) -> value of `repeat_ms` or `stuck_s`. `.typing`: whether a keyboard is shown.
    """

    def __init__(self, width, setting):
        self.ignored = {"repeat": 0, "cleaning": 0}
        self.just_ignored = None  # why the last sample ignored a contact
        self.cleaning = False
        self.typing = False
        self._width = width
        self._setting = setting
        self._down = None  # where the contact of now began, None when there is none
        self._since = 0  # when
        self._at = None  # where it was last
        self._gap = False  # whether the last reading found none
        self._seen = 0  # when there was contact last
        self._stuck = False
        self._hand = False  # the contact of now was told to be more than one finger
        self._last = None  # where the touch before began
        self._last_ms = 0
        self._armed_ms = None  # when the hold in the left corner was long enough
        self._cleaning_until = 0
        self.service = False  # the kiosk's state is shown; a touch ends that and means nothing else
        self._service_armed_ms = None
        self._service_until = 0

    def sample(self, point, fingers, now_ms):
        """Take a reading: (x, y) or None, and how many fingers. Returns where a touch began, or None."""
        self.just_ignored = None
        if self._last is not None and ticks_diff(now_ms, self._last_ms) >= self._repeat_ms():
            self._last = None
        if self.cleaning and ticks_diff(now_ms, self._cleaning_until) >= 0:
            self.cleaning = False
        if self._armed_ms is not None and ticks_diff(now_ms, self._armed_ms) > _CORNER_THEN_MS:
            self._armed_ms = None
        if self.service and ticks_diff(now_ms, self._service_until) >= 0:
            self.service = False
        if (
            self._service_armed_ms is not None
            and ticks_diff(now_ms, self._service_armed_ms) > _CORNER_THEN_MS
        ):
            self._service_armed_ms = None
        if point is None:
            self._gap = True
            if self._down is not None and ticks_diff(now_ms, self._seen) >= _DEBOUNCE_MS:
                self._down = None
                self._stuck = False
            return None
        gap, self._gap, self._seen = self._gap, False, now_ms
        if gap and self._down is not None and not _near(self._at, point):
            self._down = None  # two thumbs take turns faster than a finger trembles
            self._stuck = False
        self._at = point
        if self._down is not None:
            self._hold(point, fingers, now_ms)
            return None
        self._since, self._hand = now_ms, fingers > 1
        if self._armed_ms is not None and _in_corner(point, self._width - _CORNER):
            self._armed_ms = None
            self.cleaning = True
            found = self._ignore("cleaning", now_ms)
        elif self._service_armed_ms is not None and _in_corner(point, 0) and not self.cleaning:
            self._service_armed_ms = None
            found = self._ignore("cleaning", now_ms)
            self.service = True
            self._service_until = ticks_add(now_ms, _SERVICE_MS)
        else:
            found = self._judge(point, now_ms)
        self._down = point  # last: where memory did not suffice, the next reading finds the finger again
        return found

    @property
    def free(self):
        """Nothing touches the glass, or only what has been lying on it."""
        return self._down is None or self._stuck

    def stuck_faces(self):
        """[0] while something lies on the glass: a fault like that of a button, in the report's words."""
        return [0] if self._stuck else []

    def due_ms(self):
        """Milliseconds until the next reading is needed even if nobody touches."""
        return _POLL_MS if self._down is not None and not self._stuck else _IDLE_MS

    def _judge(self, point, now_ms):
        if self.cleaning or self.service or self._hand:
            self.service = False
            return self._ignore("cleaning", now_ms)
        again = self._last is not None and _near(self._last, point)
        self._last, self._last_ms = point, now_ms
        return self._ignore("repeat", now_ms) if again else point

    def _hold(self, point, fingers, now_ms):
        """The contact goes on."""
        held_ms = ticks_diff(now_ms, self._since)
        if held_ms > _OLDEST_MS:
            self._since = ticks_add(now_ms, -_OLDEST_MS)
        if fingers > 1 and not self._hand:
            self._hand = True
            self.ignored["cleaning"] += 1  # the first finger was a touch; the others of this hand are none
        if self.cleaning:
            self._cleaning_until = ticks_add(now_ms, _CLEANING_MS)
        if held_ms >= 1000 * self._setting("stuck_s"):
            self._stuck = True
        elif held_ms >= _CORNER_HOLD_MS and _in_corner(self._down, 0) and _in_corner(point, 0):
            self._armed_ms = now_ms
        elif held_ms >= _CORNER_HOLD_MS:
            left = self._width - _CORNER
            if _in_corner(self._down, left) and _in_corner(point, left):
                self._service_armed_ms = now_ms

    def _ignore(self, reason, now_ms):
        self.ignored[reason] += 1
        self.just_ignored = reason
        if self.cleaning:
            self._cleaning_until = ticks_add(now_ms, _CLEANING_MS)

    def _repeat_ms(self):
        repeat_ms = self._setting("repeat_ms")
        return min(repeat_ms, _REPEAT_TYPING_MS) if self.typing else repeat_ms


def _near(one, other):
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= _SAME_PLACE


def _in_corner(point, left):
    return left <= point[0] < left + _CORNER and point[1] < _CORNER
