"""What a kiosk demands of `said`, the notes for its resting screen; lent for the moment in which one comes.

Knows no screen and no document. A fault in it costs the notes and nothing else: questions and settings stand.
"""

from kiosk.compat import const

LANGUAGES = ("fi", "sv", "en")
MOST_NOTES = const(3)  # each comes round within two minutes
MOST_BYTES = const(1200)  # of text in all: they stay in the heap, beside a TLS connection
MOST_TEXT = const(400)
_LARGEST_ID = const(1 << 31)
_LARGEST_INSTANT = const(1 << 53)


def pack(value):
    """The notes, without what no kiosk knows: [{"id", "until", code: (said, did), …}]. Raises ValueError with what is
    wrong as one sentence."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_NOTES:
        raise ValueError("setting said: not a list of 1 to %d" % MOST_NOTES)
    notes, total = [], 0
    for at, one in enumerate(value):
        if not isinstance(one, dict) or not _whole(one.get("id"), _LARGEST_ID):
            raise ValueError("setting said: note %d has no id" % at)
        until = one.get("until")
        if until is not None and not _whole(until, _LARGEST_INSTANT):
            raise ValueError("setting said: note %d: 'until' is not UTC milliseconds below 2^53" % at)
        note = {"id": one["id"], "until": until}
        for code in LANGUAGES:
            if code not in one:
                continue
            pair = one[code]
            if not isinstance(pair, list) or len(pair) != 2:
                raise ValueError("setting said: note %d: '%s' is not two texts" % (at, code))
            for text in pair:
                size = _size(text)
                if not size:
                    raise ValueError("setting said: note %d: no text of at most %d bytes in '%s'"
                                     % (at, MOST_TEXT, code))  # fmt: skip
                total += size
            note[code] = tuple(pair)
        if len(note) == 2:
            raise ValueError("setting said: note %d has no text in fi, sv or en" % at)
        notes.append(note)
    if total > MOST_BYTES:
        raise ValueError("setting said: %d bytes of text, this kiosk takes %d" % (total, MOST_BYTES))
    return notes


def _size(text):
    """Its bytes; 0 when it is no text of one line, or too long."""
    if not isinstance(text, str):
        return 0
    raw = text.encode()
    if not raw.strip() or len(raw) > MOST_TEXT or min(raw) < 32:
        return 0
    return len(raw)


def _whole(value, end):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end
