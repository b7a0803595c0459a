"""Applies rules whose code is loaded for the check and let go after it: they take kilobytes and run once a week.

Knows no rule: `kiosk/view.py` has those of a question set, `kiosk/wish.py` those of a desired document.
"""

import sys

# A reason may quote what is wrong, and that may be all of a document; it goes into a report, which has its limit.
LONGEST_REASON = 160


def fault(rules, *things):
    """What module `kiosk.<rules>` finds wrong with `things`, as one sentence, or None."""
    name = "kiosk." + rules
    package = __import__(name)
    try:
        return getattr(package, rules).fault(*things)
    finally:
        del sys.modules[name]
        delattr(package, rules)
