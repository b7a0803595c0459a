"""What the server wishes this kiosk to be: checked, kept whole, handed on. Knows no topic.

Invariant: the version held never falls, and a document that is refused leaves everything as it was.
"""

import json

from kiosk.check import LONGEST_REASON, lend
from kiosk.store import Store, make_folder


class Desired:
    """`sets` follows the plan, `settings` the values. `.version` (UTC ms) is 0 before the first document.

    `.refusal`: (version, reason) of the last document that was refused, until a later one is taken.
    """

    def __init__(self, root, sets, settings):
        make_folder(root + "/state")
        self._store = Store(root + "/state/desired")
        self._sets = sets
        self._settings = settings
        self.version = 0
        self.refusal = None
        body = self._store.load()
        if body is not None:
            try:
                fault = lend("wish").fault
                document = json.loads(body)
                if fault(document) is None:
                    self._take(document)
            except (ValueError, RuntimeError, MemoryError):
                pass  # from a firmware that is no more, or too much now: the server sends it again

    def apply(self, payload):
        """Take a document as it came (JSON bytes). Returns None when it is in force or not newer than what
        is, else the reason of its refusal, which `refusal` keeps for the report."""
        try:
            fault = lend("wish").fault
            document = json.loads(payload)
            reason = fault(document)
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
        return None

    def _take(self, document):
        self._settings.update(document["settings"])
        # Without their opening hours (a press outside of them is recorded all the same) and whatever else is there.
        names = ("number", "hash", "from", "to")
        self._sets.plan([{name: entry[name] for name in names} for entry in document["sets"]])
        self.version = document["version"]  # last: what memory did not suffice for was not taken
