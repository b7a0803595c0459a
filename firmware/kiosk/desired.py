"""What the server wishes this kiosk to be: checked, kept whole, handed on. Knows no topic.

Invariant: the version held never falls, and a document that is refused leaves everything as it was.
"""

import json

from kiosk import settings as kiosk_settings
from kiosk.compat import const
from kiosk.store import Store, make_folder

_MOST_SETS = const(8)
_MOST_OFFSETS = const(16)  # two years ahead hold four


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
        self.offset = []
        self.refusal = None
        body = self._store.load()
        document = None
        if body is not None:
            try:
                document = json.loads(body)
            except ValueError:
                pass  # the CRC was right: written by a firmware that is no more; the server sends it again
        if document is not None and fault(document) is None:
            self._take(document)

    def apply(self, payload):
        """Take a document as it came (JSON bytes). Returns None when it is in force or not newer than what
        is,
        else the reason of its refusal, which `refusal` keeps for the report."""
        try:
            document = json.loads(payload)
            reason = fault(document)
        except (ValueError, RuntimeError, MemoryError) as error:  # nested too deeply: the last two
            document, reason = None, "desired: no JSON (%s)" % error
        version = document.get("version") if isinstance(document, dict) else None
        if not _whole(version):
            version = 0
        if reason is None:
            if version <= self.version:
                return None
            try:
                self._store.save(payload)
            except OSError as error:
                reason = "desired: cannot be stored (%s)" % error
        if reason is not None:
            self.refusal = (version, reason)
            return reason
        self._take(document)
        self.refusal = None
        return None

    def _take(self, document):
        self.version = document["version"]
        self.offset = document["offset"]
        self._settings.update(document["settings"])
        self._sets.plan(document["sets"])


def fault(document):
    """What is wrong with a desired document, as one sentence, or None. Unknown keys are no fault."""
    if not isinstance(document, dict):
        return "desired: not an object"
    if not _whole(document.get("version")) or document["version"] < 1:
        return "desired: version %r is not a positive whole number" % (document.get("version"),)
    sets = document.get("sets")
    if not isinstance(sets, list) or len(sets) > _MOST_SETS:
        return "desired: sets is not a list of at most %d" % _MOST_SETS
    for entry in sets:
        if not isinstance(entry, dict) or not _whole(entry.get("number")) or not _hash(entry.get("hash")):
            return "desired: a set without number or hash of 64 hex digits"
        for name in ("from", "to"):
            if entry.get(name) is not None and not _whole(entry[name]):
                return "desired: set %d: '%s' is not UTC milliseconds" % (entry["number"], name)
            entry[name] = entry.get(name)
        if entry.get("hours") is not None and not isinstance(entry["hours"], dict):
            return "desired: set %d: 'hours' is not an object" % entry["number"]
    offset = document.get("offset")
    if not isinstance(offset, list) or len(offset) > _MOST_OFFSETS:
        return "desired: offset is not a list of at most %d" % _MOST_OFFSETS
    for pair in offset:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, int) for part in pair):
            return "desired: offset has an entry that is not [UTC ms, minutes]"
    return kiosk_settings.fault(document.get("settings"))


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _hash(value):
    return isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)
