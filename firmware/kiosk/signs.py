"""Says what a person on the spot should know of the kiosk: one sign at a time, the most important one. Knows no display
and no light.

Invariant: a sign comes only when its reason has lasted, and goes likewise: a flicker of the network changes nothing
that anybody sees.
"""

from kiosk.compat import const, ticks_diff

# link, server, clock, waiting, update, fault: the order of importance, of the blinks of the light inside the case, and
# of the pictures (screens/fonts.py: CORNER).
_COUNT = const(6)
_FAULT = const(5)
# How long each has to last before it is shown. Answers wait a little after every press, and a set comes in seconds.
_HOLDS_MS = (15_000, 30_000, 30_000, 300_000, 30_000, 5_000)
# Slots of half a second: a blink takes two, and a pause follows in which nobody loses count.
_PAUSE_SLOTS = const(4)


class Signs:
    """Of the program `app`.

    `.now`: index of the sign to be shown, None when all is well. `.mask`: all that have lasted.
    """

    def __init__(self, app, now_ms):
        self.now = None
        self.mask = 0
        self._app = app
        self._since = [now_ms] * _COUNT  # when each was last as it is shown
        self._slot = 0

    def look(self, now_ms):
        """To be called about twice a second. Says whether another sign is to be shown."""
        raw = reasons(self._app)
        for number in range(_COUNT):
            bit = 1 << number
            if not (raw ^ self.mask) & bit:
                self._since[number] = now_ms
            elif ticks_diff(now_ms, self._since[number]) >= _HOLDS_MS[number]:
                self.mask ^= bit
                self._since[number] = now_ms
        before, self.now = self.now, first(self.mask)
        return self.now != before

    def lit(self):
        """Whether the light inside the case is on during the half second that begins: steadily when all is well, else
        as many blinks as the sign's place in that order, from 1."""
        sign = self.now
        if sign is None:
            self._slot = 0
            return True
        slot, self._slot = self._slot, self._slot + 1
        blinking = 2 * (sign + 1)
        if self._slot >= blinking + _PAUSE_SLOTS:
            self._slot = 0
        return slot < blinking and not slot & 1


def first(mask):
    """The most important of a mask: a fault of the kiosk before all, then in their order; None of none."""
    if mask >> _FAULT & 1:
        return _FAULT
    for number in range(_FAULT):
        if mask >> number & 1:
            return number
    return None


def reasons(app):
    """What holds now of the program `app`, as a mask."""
    status = app.session.status
    mask = 0
    if status == "no-network":
        mask = 1
    elif status != "online":
        mask = 2
    if app.clock.now() is None:
        mask |= 4
    if app.journal.waiting:
        mask |= 8
    if (
        app.sets.want() is not None
        or app.sets.waiting() is not None
        or (app.trial and app.trial.state == "trying")
    ):
        mask |= 16
    if (
        (app.buttons or app.front).stuck_faces()
        or app.recorder.full()
        or app.supervisor.safe_mode
        or app.board.faults()
    ):
        mask |= 32
    return mask
