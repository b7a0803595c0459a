"""What a kiosk demands of a desired document: a parsed object in, one sentence or nothing out.

Knows no file and no network.
"""

from kiosk.compat import const

_MOST_SETS = const(8)
_MOST_OFFSETS = const(16)  # two years ahead hold four
_MOST_MINUTES = const(1440)  # no place on earth is further from UTC
_LARGEST_NUMBER = const(1 << 53)  # beyond it JSON readers disagree, and the server takes no such report
OR_NULL = ("cleaning", "qr", "card", "name", "network")  # settings that may be null
_LONGEST_ADDRESS = const(200)
_LONGEST_NAME = const(80)
_QR_SIZES = (21, 57)  # versions 1 to 10: more cells than that are too fine on a screen
_BOUNDS = {  # setting: least, most; None: true or false
    "lockout_ms": (0, 30_000),
    "repeat_ms": (0, 5_000),
    "stuck_s": (5, 600),
    "thanks_ms": (100, 5_000),
    "sound": None,
    "language": (0, 15),
    "report_s": (30, 86_400),
    "keepalive_s": (5, 300),
    "batch_bytes": (128, 4096),
}


def fault(document):
    """What is wrong with a desired document, as one sentence, or None. Unknown keys are no fault."""
    if not isinstance(document, dict):
        return "desired: not an object"
    if not _whole(document.get("version")) or document["version"] < 1:
        return "desired: version %r is not a positive whole number below 2^53" % (document.get("version"),)
    sets = document.get("sets")
    if not isinstance(sets, list) or len(sets) > _MOST_SETS:
        return "desired: sets is not a list of at most %d" % _MOST_SETS
    for entry in sets:
        if not isinstance(entry, dict) or not _whole(entry.get("number")) or not _hash(entry.get("hash")):
            return "desired: a set without number or hash of 64 hex digits"
        for name in ("from", "to"):
            if entry.get(name) is not None and not _whole(entry[name]):
                return "desired: set %d: '%s' is not UTC milliseconds below 2^53" % (entry["number"], name)
            entry[name] = entry.get(name)
        entry["hours"] = entry.get("hours")  # kiosk/hours.py judges them
    offset = document.get("offset")
    if not isinstance(offset, list) or len(offset) > _MOST_OFFSETS:
        return "desired: offset is not a list of at most %d" % _MOST_OFFSETS
    for pair in offset:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not _whole(pair[0])
            or not isinstance(pair[1], int)
            or not -_MOST_MINUTES <= pair[1] <= _MOST_MINUTES
        ):
            return "desired: offset has an entry that is not [UTC ms, minutes]"
    return _settings_fault(document.get("settings"))


def _settings_fault(values):
    if not isinstance(values, dict):
        return "settings: not an object"
    for name in OR_NULL:
        reason = _null_or_fault(name, values.get(name))
        if reason is not None:
            return reason
    for name, value in values.items():
        bounds = _BOUNDS.get(name, ())
        if bounds is None:
            if not isinstance(value, bool):
                return "setting %s: %r is not true or false" % (name, value)
        elif bounds and (not _whole(value) or not bounds[0] <= value <= bounds[1]):
            return "setting %s: %r is not a whole number from %d to %d" % (name, value, bounds[0], bounds[1])
    return None


def _null_or_fault(name, value):
    if value is None:
        return None
    if name == "cleaning":
        if not _whole(value):
            return "setting cleaning: %r is not UTC milliseconds below 2^53" % (value,)
    elif name == "network":
        if not isinstance(value, dict) or not _whole(value.get("version")) or value["version"] < 1:
            return "setting network: no version"  # kiosk/trial.py judges the rest, and refuses that alone
    elif name == "name":
        if not isinstance(value, str) or len(value) > _LONGEST_NAME:
            return "setting name: no text of at most %d letters" % _LONGEST_NAME
    elif name == "card":
        if not _hash(value):
            return "setting card: not a hash of 64 hex digits"
    else:
        text, size, rows = (
            [value.get(key) for key in ("text", "size", "rows")] if isinstance(value, dict) else [0] * 3
        )
        if not isinstance(text, str) or not 1 <= len(text) <= _LONGEST_ADDRESS:
            return "setting qr: no text of at most %d letters" % _LONGEST_ADDRESS
        if not _whole(size) or not _QR_SIZES[0] <= size <= _QR_SIZES[1]:
            return "setting qr: size %r is not %d to %d" % (size, _QR_SIZES[0], _QR_SIZES[1])
        if not isinstance(rows, list) or len(rows) != size:
            return "setting qr: not %d rows" % size
        for row in rows:
            if not _whole_below(row, 1 << size):
                return "setting qr: row %r is not a whole number below 2^%d" % (row, size)
    return None


def _whole_below(value, end):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end


def _whole(value):
    return _whole_below(value, _LARGEST_NUMBER)


def _hash(value):
    """Whether it is 64 small hex digits; letter by letter each would become a string of its own that stays."""
    if not isinstance(value, str) or len(value) != 64:
        return False
    return all(48 <= byte <= 57 or 97 <= byte <= 102 for byte in value.encode())
