"""What the county may tune on a kiosk, with the values that hold until it does. Knows no server."""

from kiosk.store import Store, make_folder

# name: (default, least, most); a bool has no bounds
KNOWN = {
    "lockout_ms": (2000, 0, 30_000),  # after a thank-you: long enough to walk on, short enough for a queue
    "repeat_ms": (500, 0, 5_000),  # the same face again within this is one press
    "stuck_s": (30, 5, 600),  # a button held this long is a fault, not a visitor
    "thanks_ms": (600, 100, 5_000),  # how long the lights say thank you
    "sound": (True, None, None),
    "language": (0, 0, 15),  # position in the set's languages
    "report_s": (900, 30, 86_400),
    "keepalive_s": (30, 5, 300),  # a dead link is seen within 1.5 of it; shorter costs traffic
    "batch_bytes": (2048, 128, 4096),
}


class Settings:
    """Values in RAM; what makes them durable is the desired document they came with."""

    def __init__(self):
        self._values = {}

    def get(self, name):
        """The value in force. Raises KeyError for a name that no kiosk knows."""
        known = KNOWN[name]
        return self._values.get(name, known[0])

    def update(self, values):
        """Lay `values` (without fault) over the defaults; what they leave out falls back."""
        self._values = {name: value for name, value in values.items() if name in KNOWN}


def fault(values):
    """What is wrong with settings as they came, as one sentence, or None. Unknown names are no fault."""
    if not isinstance(values, dict):
        return "settings: not an object"
    for name, value in values.items():
        if name not in KNOWN:
            continue
        default, least, most = KNOWN[name]
        if isinstance(default, bool):
            if not isinstance(value, bool):
                return "setting %s: %r is not true or false" % (name, value)
        elif isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            return "setting %s: %r is not a whole number from %d to %d" % (name, value, least, most)
    return None


def count_start(root):
    """Number of this start of the device, from 1, kept over power cuts: high part of connection numbers."""
    make_folder(root + "/state")
    store = Store(root + "/state/starts")
    body = store.load()
    number = int(body) + 1 if body is not None else 1
    store.save(b"%d" % number)
    return number
