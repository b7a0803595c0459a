"""Lends rules whose code is loaded for a check and let go after it: they take kilobytes and run once a week.

Knows no rule: `kiosk/view.py` has those of a question set, `kiosk/wish.py` those of a desired document.
"""

import sys

# A reason may quote what is wrong, and that may be all of a document; it goes into a report, which has its limit.
LONGEST_REASON = 160


def fault_finder(rules):
    """`fault` of module `kiosk.<rules>`; the module goes with the last reference to it.

    To be asked for before the thing it judges is parsed: loading code needs more room than the code takes.
    """
    name = "kiosk." + rules
    package = __import__(name)
    fault = getattr(package, rules).fault
    del sys.modules[name]
    delattr(package, rules)
    return fault
