"""The short code in a place's public address; it knows no place and no address.

Drawn once when the place is made and kept for ever: it stands on paper. Invariant: no two places have one code (the
database holds that), and of 27^8 (282 thousand million) that of a removed place is not drawn again, decision 0009.
"""

import re
import secrets

# No vowels (no words), and nothing that looks like something else on paper: no i, l, o, 0, 1, u beside v, y.
ALPHABET = "bcdfghjkmnpqrstvwxz23456789"
LENGTH = 8
_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def new_code() -> str:
    """A code for a new place."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read_code(typed: str) -> str | None:
    """The code that somebody scanned, or typed off a poster in capitals; None when it cannot be one."""
    code = typed.lower()
    return code if _CODE.fullmatch(code) else None
