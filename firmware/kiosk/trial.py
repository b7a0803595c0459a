"""Network settings that the server wishes are tried, and the kiosk goes back by itself when it cannot return over them:
what each step writes. Knows no network driver and no clock; in memory for one step at a time (kiosk/tried.py).

Invariants: what the kiosk was provisioned with (NVS) is never written; what was good stays beside what is tried until a
receipt has come over the new; a trial has ten minutes with power on, of which each start takes one, so that no power
cut and no crash prolongs it; a version that went back is not tried again.
"""

import json

from kiosk.compat import const
from kiosk.store import Store

TRIAL_S = const(600)
_START_S = const(60)  # what a start takes: one that crashes at once must end as well
_LONGEST_REASON = const(100)
_NETWORK = ("ssid", "key")
_IDENTITY = ("host", "port")
TRYING, KEPT, BACK = "trying", "kept", "back"


def effective(root, identity, network):
    """(identity, network) with which this start is to go: what was provisioned, over it what was kept, over that what
    is on trial. To be asked once a start."""
    try:
        store, held = _opened(root)
        if held["state"] == TRYING:
            held["left"] -= held["start"]
            if held["left"] <= 0:
                _end(held, held["reason"] or "the kiosk was started too often")
            store.save(json.dumps(held).encode())
        return laid(identity, network, held)
    except (OSError, ValueError, KeyError, TypeError):
        return identity, network  # nothing there, or not to be trusted: what it was provisioned with


def laid(identity, network, held):
    """Copies of both, over which lies what `held` has; another network has another key, or none."""
    identity, network = dict(identity), dict(network)
    for more in (held["kept"], held["trial"] or {}):
        if "ssid" in more:
            network.pop("key", None)
        for names, into in ((_NETWORK, network), (_IDENTITY, identity)):
            for name in names:
                if name in more:
                    into[name] = more[name]
    return identity, network


# Each step gives (version, state, reason, seconds that are left), as they are in flash now. Raises OSError when flash
# does not take it; what is there stays as it was.


def known(root):
    """What is in flash."""
    return _told(_held(root)[1])


def take(root, wish):
    """From the next start on the settings of a wish are tried; what makes no sense is refused at once."""
    store, held = _held(root)
    seconds = wish.get("seconds", TRIAL_S)
    held["version"] = wish["version"]
    reason = fault(wish)
    if reason is not None:
        _end(held, reason)
    else:
        start = min(_START_S, max(1, seconds // 10))
        held.update(state=TRYING, reason="", start=start, left=seconds + start)
        held["trial"] = {name: wish[name] for name in _NETWORK + _IDENTITY if name in wish}
    return _saved(store, held)


def keep(root):
    """A receipt has come: they are the good ones."""
    store, held = _held(root)
    if "ssid" in held["trial"]:
        held["kept"].pop("key", None)
    held["kept"].update(held["trial"])
    held.update(state=KEPT, reason="", trial=None)
    return _saved(store, held)


def spend(root, left, reason):
    """So many seconds are left of the trial, none: it is over. reason: why nothing came so far."""
    store, held = _held(root)
    held.update(left=left, reason=reason[:_LONGEST_REASON])
    if left <= 0:
        _end(held, held["reason"])
    return _saved(store, held)


def fault(value):
    """What is wrong with network settings; their values are not quoted: one of them is a key."""
    if not any(name in value for name in ("ssid", "key", "host", "port")):
        return "nothing to try"
    for name, least, most in (("ssid", 0, 32), ("key", 0, 63), ("host", 1, 253)):
        text = value.get(name, "-" * least)
        if not isinstance(text, str) or not least <= len(text.encode()) <= most:
            return "%s is no text of %d to %d bytes" % (name, least, most)
    for name, most in (("port", 65_535), ("seconds", 600)):
        number = value.get(name, 1)
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            return "%s is not 1 to %d" % (name, most)
    return None


def _held(root):
    try:
        return _opened(root)
    except (ValueError, KeyError, TypeError):
        return Store(root + "/state/network"), _nothing()


def _opened(root):
    """(store, what it holds). Raises ValueError, KeyError or TypeError when that is no such thing."""
    store = Store(root + "/state/network")
    body = store.load()
    if body is None:
        return store, _nothing()
    held = json.loads(body)
    for name, value in _nothing().items():
        if value is not None and not isinstance(held[name], type(value)):
            raise ValueError("network: %s is a %s" % (name, type(held[name]).__name__))
    if held["state"] == TRYING and not isinstance(held["trial"], dict):
        raise ValueError("network: nothing to try")
    return store, held


def _nothing():
    return {"version": 0, "state": "", "reason": "", "start": 0, "left": 0, "kept": {}, "trial": None}


def _end(held, reason):
    """Go back: what was tried is forgotten, with its key."""
    held.update(state=BACK, reason=reason, trial=None)


def _saved(store, held):
    store.save(json.dumps(held).encode())
    return _told(held)


def _told(held):
    return held["version"], held["state"], held["reason"], held["left"]
