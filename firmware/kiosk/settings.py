"""What the county may tune on a kiosk, with the values that hold until it does. Knows no server."""

from kiosk.store import Store, make_folder

DEFAULTS = {  # kiosk/wish.py has the bounds
    "lockout_ms": 2000,  # after a thank-you: long enough to walk on, short enough for a queue
    "repeat_ms": 500,  # the same face again within this is one press
    "stuck_s": 30,  # a button held this long is a fault, not a visitor
    "thanks_ms": 600,  # how long the lights say thank you
    "sound": True,
    "language": 0,  # position in the set's languages
    "report_s": 900,
    "keepalive_s": 30,  # a dead link is seen within 1.5 of it; shorter costs traffic
    "batch_bytes": 2048,
    "cleaning": None,  # UTC ms until which a touchscreen takes no touch
    "qr": None,  # the form for visitors' phones: {"text", "size", "rows"}
    "card": None,  # hash of the set whose printed card is in the kiosk, as confirmed on its page
    "said": None,  # notes for the resting screen, as kiosk/said_rules.py gives them
}


class Settings:
    """Values in RAM; what makes them durable is the desired document they came with."""

    def __init__(self):
        self._values = DEFAULTS

    def get(self, name):
        """The value in force. Raises KeyError for a name that no kiosk knows."""
        return self._values[name]

    def update(self, values):
        """Lay `values` (without fault) over the defaults; what they leave out falls back, unknown ones are not kept."""
        self._values = {name: values.get(name, default) for name, default in DEFAULTS.items()}


def count_start(root):
    """Number of this start of the device, from 1, kept over power cuts: high part of connection numbers."""
    make_folder(root + "/state")
    store = Store(root + "/state/starts")
    body = store.load()
    number = int(body) + 1 if body is not None else 1
    store.save(b"%d" % number)
    return number
