"""What the service gesture shows: the kiosk's state as plain facts, and as lights where there is no display. Knows
no word and no layout; in memory only while it is shown.

Invariant: no secret is among the facts: neither the kiosk's own nor the network's key.
"""

from kiosk import signs
from kiosk.compat import const

_LONGEST_FAULT = const(90)
# What each face's light stands for while the service gesture shows, as bits of a mask.
_ORDER = (1, 2, 4, 8, 48)
_ORDER_4 = (1, 2, 4, 56)


def facts(app):
    """A dict of numbers and names for screens/service_words.py."""
    board, session, journal = app.board, app.session, app.journal
    identity = board.identity()
    link = board.link
    now = app.clock.now()
    wrong = faults(app)
    alarm = bool(wrong)
    refusal = app.desired.refusal
    if not wrong and refusal is not None:
        wrong = [refusal[1]]
    if not wrong and session.status != "online" and session.failure:
        wrong = [session.failure]
    if not wrong:
        wrong = list(app.sets.refused.values()) or ([app.crashed] if app.crashed else [])
    fetching = "fetch" if app.sets.want() is not None else "card" if app.sets.waiting() is not None else ""
    view = app.sets.active
    # A button kiosk has let go of the texts: the order of the national sets.
    codes = view.get("languages", ("fi", "sv", "en")) if view is not None else ()
    at = app.settings.get("language")
    return {
        "language": codes[at] if at < len(codes) else "fi",
        "name": app.settings.get("name") or "",
        "id": identity["id"],
        "model": board.model,
        "kind": getattr(link, "kind", ""),
        "signal": link.signal(),
        "status": session.status,
        "host": "%s:%d" % (identity["host"], identity["port"]),
        "clock": None if now is None else now[0],
        "waiting": journal.waiting,
        "set": app.sets.running,
        "update": fetching,
        "firmware": board.firmware,
        "build": board.build,
        "settings": app.desired.version,
        "trial": app.trial.state if app.trial else "",
        "alarm": alarm,  # whether it is so now
        "fault": wrong[0][:_LONGEST_FAULT] if wrong else "",
    }


def faults(app):
    """What is wrong with the kiosk itself: short texts for a technician, the present ones first."""
    found = list(app.board.faults())
    keys = app.buttons
    if keys is not None:
        found += ["button %d is stuck" % (face + 1) for face in keys.stuck_faces()]
    elif not found and app.front.stuck_faces():
        found.append("something lies on the screen")
    if app.recorder.full():
        found.append("answers cannot be stored")
    if app.supervisor.safe_mode:
        found.append("safe mode")
    return found


class Lights:
    """The lights of the faces as answers to: network, server, clock, all sent, nothing wrong (four faces: the last two
    in one). Steady is well, blinking is not."""

    def __init__(self, app):
        self._app = app
        self._order = _ORDER if app.board.faces > 4 else _ORDER_4
        self._half = False

    def tick(self, shown):
        """Twice a second; `shown`: whether the gesture's time is running. Says whether it was."""
        board = self._app.board
        if not shown:
            board.light_all(False)
            return False
        self._half = not self._half
        mask = signs.reasons(self._app)
        if mask & 1:
            mask |= 2  # without a network there is no server either
        for face in range(len(self._order)):
            board.light(face, not mask & self._order[face] or self._half)
        return True
