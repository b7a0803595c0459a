"""What the server wishes this kiosk to be: checked, kept whole, handed on. Knows no topic.

Invariant: the version held never falls, and a document that is refused leaves everything as it was.
"""

import json

from kiosk.check import LONGEST_REASON, lend
from kiosk.store import Store, make_folder


class Desired:
    """`sets` follows the plan, `settings` the values. `.version` (UTC ms) is 0 before the first document.

    `.refusal`: (version, reason) of the last document that was refused, until a later one is taken.
    `.said_refusal`: why the notes of the one in force are left out, or None.
    """

    def __init__(self, root, sets, settings):
        make_folder(root + "/state")
        self._store = Store(root + "/state/desired")
        self._sets = sets
        self._settings = settings
        self.version = 0
        self.refusal = self.said_refusal = None
        body = self._store.load()
        if body is not None:
            try:
                fault = lend("wish").fault
                document = json.loads(body)
                reason = fault(document)
                fault = None
                if (reason or _small(document)) is None:
                    left_out = _notes(document["settings"])
                    self._take(document)
                    self.said_refusal = left_out
            except (ValueError, RuntimeError, MemoryError):
                pass  # from a firmware that is no more, or too much now: the server sends it again

    def apply(self, payload):
        """Take a document as it came (JSON bytes). Returns None when it is in force or not newer than what
        is, else the reason of its refusal, which `refusal` keeps for the report."""
        try:
            fault = lend("wish").fault
            document = json.loads(payload)
            reason = fault(document)
            fault = None  # lets go of the rules
            reason = reason or _small(document)
            left_out = None if reason is not None else _notes(document["settings"])
        except (ValueError, RuntimeError, MemoryError) as error:  # nested too deeply: the last two
            document, reason = None, "desired: no JSON (%s)" % error
        version = document.get("version") if isinstance(document, dict) else 0
        if reason is None:
            if version <= self.version:
                return None
            try:
                self._store.save(payload)
            except OSError as error:
                reason = "desired: cannot be stored (%s)" % error
        if reason is not None:
            reason = reason[:LONGEST_REASON]
            self.refusal = (version if isinstance(version, int) else 0, reason)
            return reason
        self._take(document)
        self.refusal = None
        self.said_refusal = left_out
        return None

    def notes(self):
        """For the report: which notes the resting screen shows in turn, or why none; None when none are wished."""
        if self.said_refusal is not None:
            return {"ids": [], "reason": self.said_refusal}
        notes = self._settings.get("said")
        return None if notes is None else {"ids": [note["id"] for note in notes], "reason": ""}

    def _take(self, document):
        self._settings.update(document["settings"])
        # Without whatever else is there.
        plan, offset = [], None
        for entry in document["sets"]:
            plan.append({name: entry[name] for name in ("number", "hash", "from", "to", "hours")})
            if entry["hours"] is not None:
                plan[-1]["seen"] = (
                    False,
                    0,
                    0,
                )  # whether they hold, since and until when: nobody has looked yet
                offset = document["offset"]
        self._sets.plan(plan, offset)
        self.version = document["version"]  # last: what memory did not suffice for was not taken


def _notes(settings):
    """Bring `said` into its small form. With a fault in it that key alone is left out: why, as one sentence."""
    if settings.get("said") is None:
        return None
    try:
        pack = lend("said_rules").pack
        settings["said"] = pack(settings["said"])
    except (ValueError, MemoryError) as error:
        settings["said"] = None
        return (str(error) or "setting said: no memory")[:LONGEST_REASON]
    return None


def _small(document):
    """Bring the hours of the planned sets into their small form. What is wrong with them, as one sentence, or None."""
    pack = None
    for entry in document["sets"]:
        if entry["hours"] is not None:
            if not document["offset"]:
                return "desired: set %d: hours, but no offset of local time" % entry["number"]
            pack = pack or lend("hours").pack
            try:
                entry["hours"] = pack(entry["hours"])
            except ValueError as error:
                return "desired: set %d: %s" % (entry["number"], error)
    return None
