"""Takes out of an open text what names a person: identity codes, telephone numbers, e-mail addresses.

It is done when a text arrives, before it is kept: what was never stored is shown to nobody. It knows shapes, not
people: names and stories it cannot see.
"""

import re

MASK = "[▪▪▪]"

# Signs between the date and the number: Finland's since 2023, and those before (DVV). The last character is a check.
_SIGNS = "-+ABCDEFUVWXY"
_CHECKS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_IDENTITY = re.compile(
    rf"(?<![0-9A-Za-z])(\d{{6}})( ?)([{_SIGNS}]?)\2(\d{{3}})([0-9A-Y])(?![0-9A-Za-z])", re.IGNORECASE
)
_MAIL = re.compile(r"[\w.+-]+ ?@ ?[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.])(?:\+\d{1,3}|00\d{1,3}|0)(?:[ -]?\(0\))?(?:[ -]?\d){5,12}(?![\w])")


def masked(text: str) -> str:
    """The text with MASK for each; the text itself when there is none."""
    text = _IDENTITY.sub(_identity, text)
    return _PHONE.sub(MASK, _MAIL.sub(MASK, text))


def _identity(found: re.Match[str]) -> str:
    """With its sign anything that could be a date of birth; without, only what the check character confirms: the sign
    is easily forgotten, but ten characters in a row may be the number of something else."""
    date, _, sign, number, check = found.groups()
    day, month = int(date[:2]), int(date[2:4])
    confirmed = _CHECKS[int(date + number) % 31] == check.upper()
    born = 1 <= day <= 31 and 1 <= month <= 12
    return MASK if confirmed or (sign and born) else found.group()
