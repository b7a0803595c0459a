"""The touch panel of a virtual kiosk: the host's fingers, one at a time. It knows no page and draws nothing.

Invariant: every touch is read once at least, however short, and between two touches `read` says None once.
"""

from kiosk.compat import const, ticks_add, ticks_diff, ticks_ms

_TOUCH_MS = const(120)  # a finger stays about this long
# Two touches are told apart by a pause: a program that looked away must not take them for one contact that trembles.
_APART_MS = const(60)
_MOST_WAITING = const(32)  # a program that reads nothing must not fill the heap with touches


class Touch:
    """As the chip drivers: `read() -> (x, y) or None`, `fingers` as the last reading saw them, `fault`.

    The board's edge is set whenever there is something to read; the board knows whose the last touch was.
    """

    def __init__(self, board):
        self.fingers = 0
        self.fault = None
        self._board = board
        self._now = None  # ((x, y), simulated, fingers) of what that is down
        self._waiting = []  # what was not read yet, None between two touches
        self._up_at = None
        self._lifted_ms = (
            None  # when `read` first told that the finger is up: it tells so until that was long enough
        )

    def read(self):
        """(x, y) where a finger is, or was when nobody looked; None when there is none."""
        if self._lifted_ms is not None:
            if ticks_diff(ticks_ms(), self._lifted_ms) >= _APART_MS:
                self._lifted_ms = None
            return None
        point = self._now
        if self._waiting:
            point = self._waiting.pop(0)
            if point is None:
                self._lifted_ms = ticks_ms()
            elif self._waiting:
                self._board._edge.set()
        if point is None:
            self.fingers = 0
            return None
        point, self._board._simulated_now, self.fingers = point
        return point

    def command(self, order):
        """One line of the host; ValueError names what is wrong with it."""
        if "up" in order:
            self._up()
            return
        point = order["touch"] if "touch" in order else order["down"]
        if not isinstance(point, list) or len(point) != 2 or not all(isinstance(one, int) for one in point):
            raise ValueError("no point %r" % (point,))
        x, y = point
        if not (0 <= x < self._board.display.width and 0 <= y < self._board.display.height):
            raise ValueError("point %r is not on the screen" % (point,))
        self._up()  # one finger: it cannot be in two places
        if len(self._waiting) >= _MOST_WAITING:
            return
        self._now = ((x, y), bool(order.get("simulated", False)), int(order.get("fingers", 1)))
        self._waiting.append(self._now)
        if "touch" in order:
            self._up_at = ticks_add(ticks_ms(), int(order.get("ms", _TOUCH_MS)))
        self._board._edge.set()

    def tick(self):
        """Lift the finger whose time is over; remind the program of what it has not read."""
        if self._waiting:
            self._board._edge.set()
        if self._up_at is not None and ticks_diff(ticks_ms(), self._up_at) >= 0:
            self._up()

    def _up(self):
        self._up_at = None
        if self._now is not None:
            self._now = None
            self._waiting.append(None)
            self._board._edge.set()
