"""Word by word, what became of a text: for people who compare two wordings. It knows no question.

Invariant: the parts that stayed and those that went are the old text; those that stayed and those that came, the new.
"""

import re
from difflib import SequenceMatcher

SAME, GONE, NEW = "same", "gone", "new"
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


def difference(old: str, new: str) -> list[tuple[str, str]]:
    """[(SAME, GONE or NEW, text)] in reading order; neighbours are of different kinds."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    parts: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append((SAME, "".join(before[a:b])))
            continue
        if a < b:
            parts.append((GONE, "".join(before[a:b])))
        if c < d:
            parts.append((NEW, "".join(after[c:d])))
    return parts
