"""What the kiosk says about itself: what it runs, what it lacks, how it is. Knows no topic."""

import gc
import os


class Report:
    """`.buttons` is set by the program: `.stuck_faces()` gives face indexes, `.ignored` numbers by reason."""

    def __init__(self, board, journal, clock, uptime, sets, desired):
        self._board = board
        self._journal = journal
        self._clock = clock
        self._uptime = uptime
        self._desired = desired
        self._sets = sets
        self.buttons = None

    def mark(self):
        """A small value that differs whenever something changed that the server should hear of at once."""
        return (
            self._desired.version,
            self._desired.refusal,
            self._sets.running,
            self._sets.want(),
            self._sets.waiting(),
            len(self._sets.held()),
            len(self._sets.refused),
            self._journal.epoch,
            tuple(self.buttons.stuck_faces()) if self.buttons else (),
        )

    def build(self):
        """The report as it is sent; the keys are those of the contract."""
        board, sets = self._board, self._sets
        return {
            "v": 1,
            "board": board.name,
            "model": board.model,
            "firmware": board.firmware,
            "build": board.build,
            "slot": getattr(board, "slot", "a"),
            "desired": self._desired.version,
            "update": self._update(),
            "sets": sets.held(),
            "running": sets.running,
            "want": sets.want(),
            "card": sets.waiting(),
            "said": self._desired.notes(),
            "epochs": [list(epoch) for epoch in self._journal.epochs()],
            "health": self._health(),
        }

    def _update(self):
        """How the last wish of the server ended."""
        if self._desired.refusal is not None:
            version, reason = self._desired.refusal
            return {"version": version, "result": "refused", "reason": reason}
        if not self._desired.version:
            return None
        for reason in self._sets.refused.values():
            return {"version": self._desired.version, "result": "refused", "reason": reason}
        return {"version": self._desired.version, "result": "ok", "reason": ""}

    def _health(self):
        board, journal = self._board, self._journal
        measured = board.health()
        counters = journal.counters
        now = self._clock.now()
        return {
            "reset": board.reset_cause(),
            "signal": board.link.signal(),
            "supply": measured["supply"],
            "temperature": measured["temperature"],
            "heap": _free_heap(),
            "flash": _free_flash(board.root or "/"),
            "fill": round(journal.fill, 4),
            "clock": None if now is None else now[1],
            "buttons": list(self.buttons.stuck_faces()) if self.buttons else [],
            "ignored": dict(self.buttons.ignored) if self.buttons else {},
            "slow": counters["slow"],
            "dropped": counters["dropped"],
            "unreadable": counters["unreadable"],
            "uptime": self._uptime.ms() // 1000,
        }


def _free_heap():
    """Bytes; 0 where the interpreter has no heap of its own to tell about (CPython)."""
    gc.collect()
    return gc.mem_free() if hasattr(gc, "mem_free") else 0


def _free_flash(path):
    """Bytes left in the file system of `path`."""
    facts = os.statvfs(path)
    return facts[1] * facts[4]
