"""Keeps the time of a trial of network settings and what became of it: kiosk/trial.py, which writes its steps, is in
memory for each of them, and this only where there ever was one. Knows no setting of a network.
"""

from kiosk.check import lend
from kiosk.compat import const

_STEP_S = const(60)  # how often the flash hears of the time that is gone
_LEAVE_MS = const(10_000)  # from taking the settings to the restart: the server hears that they are tried


class Tried:
    """`.state`: "", "trying", "kept" or "back", of `.version`, with `.reason`. `.restart`: the board is to be restarted
    when nobody is near. `uptime` has `ms()`."""

    def __init__(self, root, uptime, log):
        self._root = root
        self._uptime = uptime
        self._log = log
        self._leave_at = None
        self._charged = uptime.ms()
        self.restart = False
        self.version, self.state, self.reason, self._left = lend("trial").known(root)

    def look(self, wish, reached, failure):
        """Twice a second. wish: setting `network` or None; reached: a receipt has come over this connection; failure:
        why the last connection ended, or none came about."""
        now = self._uptime.ms()
        if wish is not None and wish["version"] > self.version:
            if not self._step("take", wish):
                self.version, self.state, self.reason = (
                    wish["version"],
                    "back",
                    "the settings cannot be stored",
                )
            self._leave_at = now + _LEAVE_MS if self.state == "trying" else None
        if self._leave_at is not None:
            self.restart = now >= self._leave_at
        elif self.state == "trying":
            if reached:
                self._step("keep")
            else:
                self._spend(now, failure or "no receipt from the server")

    def report(self):
        """For the kiosk's report. No network's name and no key."""
        return {"version": self.version, "state": self.state, "reason": self.reason}

    def _spend(self, now, reason):
        gone = (now - self._charged) // 1000
        left = self._left - gone
        if left > 0 and gone < _STEP_S:
            return
        # Without a word in flash it goes back all the same: the next start takes its minute, and ends it.
        if self._step("spend", left, reason) or left <= 0:
            self._charged = now
        if left <= 0:
            self._leave_at = now
            self._log("network: went back: %s" % reason)

    def _step(self, name, *more):
        try:
            told = getattr(lend("trial"), name)(self._root, *more)
        except OSError as error:
            self._log("network: its settings cannot be stored: %r" % error)
            return False
        self.version, self.state, self.reason, self._left = told
        return True
