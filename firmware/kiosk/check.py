"""Lends code that is loaded when it is needed and let go after it: it takes kilobytes and runs once a week.

Knows none of it: `kiosk/view.py` has the rules of a question set, `kiosk/wish.py` those of a desired document,
`kiosk/resolver.py` asks name servers.
"""

import sys

# A reason may quote what is wrong, and that may be all of a document; it goes into a report, which has its limit.
LONGEST_REASON = 160


def lend(name):
    """Module `kiosk.<name>`; it goes with the last reference to it, or to something of it.

    Rules are to be asked for before the thing they judge is parsed: loading code needs more room than the code takes.
    """
    path = "kiosk." + name
    delattr(__import__(path), name)
    return sys.modules.pop(path)
