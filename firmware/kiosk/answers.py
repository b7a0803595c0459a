"""What a visitor's choice means: the value that a record carries for each type of question, and back.

Knows no page and no journal. Invariant: `index(question, value(question, i)) == i` for every option that is offered.
"""

from kiosk.compat import const

CANT_SAY = const(255)
TEXT = "text"
# Options of each type and the value of the first one; the others count down from it.
_SCALES = {"smiley4": (4, 4), "smiley5": (5, 5), "agree5": (5, 5), "pei": (3, 2)}
_MOST_NPS = const(10)


def options(question):
    """How many options the question shows, "can't say" not counted; 0 for an open text."""
    kind = question["type"]
    if kind in _SCALES:
        return _SCALES[kind][0]
    if kind == "nps":
        return _MOST_NPS + 1
    if kind == "choice":
        for row in question["labels"].values():
            return len(row)
    return 0


def several(question):
    """Whether more than one option may be chosen."""
    return question["type"] == "choice" and bool(question.get("several"))


def cant_say(question):
    """Whether "can't say" is offered: the view says so, or it is not."""
    return bool(question.get("cant_say"))


def value(question, i):
    """The value of the option at `i` (-1: can't say), or None when the question offers no such option."""
    if i == -1:
        return CANT_SAY if cant_say(question) else None
    if not isinstance(i, int) or not 0 <= i < options(question):
        return None
    kind = question["type"]
    if kind in _SCALES:
        return _SCALES[kind][1] - i
    return i if kind == "nps" else 1 << i


def index(question, given):
    """The option to mark for a value that was given: its index, -1 for can't say, the mask for several."""
    kind = question["type"]
    if given == CANT_SAY:
        return -1
    if kind in _SCALES:
        return _SCALES[kind][1] - given
    if kind == "nps" or several(question):
        return given
    i = 0
    while given >> i > 1:
        i += 1
    return i


def asked(question, answers):
    """Whether this question is to be asked after `answers` ({index of a question: value})."""
    when = question.get("when")
    return when is None or answers.get(when["question"]) in when["values"]
