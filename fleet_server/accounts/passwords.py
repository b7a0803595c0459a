"""Passwords: how they are kept (argon2) and which are refused. It knows no people.

Length is the only demand (NIST SP 800-63B): rules about digits and signs make passwords worse.
"""

import threading
import unicodedata
from collections.abc import Iterable
from functools import cache

from pwdlib import PasswordHash

from fleet_server.refusals import N_, Faults

SHORTEST = 12
LONGEST = 200  # far above any passphrase; a limit at all, because hashing costs time
# Each hashing takes 64 MiB: as many at once as the machine has cores in the smallest set-up.
_hashing = threading.BoundedSemaphore(2)
_argon2 = PasswordHash.recommended()


def hashed(password: str) -> str:
    """What is kept of a password. Slow on purpose: never call it within a write transaction."""
    with _hashing:
        return _argon2.hash(_normal(password))


def matches(password: str, kept: str | None) -> bool:
    """Whether this is the password. For an unknown person (None) it takes as long: nobody can be probed."""
    if len(password) > LONGEST:
        return False
    with _hashing:
        right = _argon2.verify(_normal(password), kept or _nobody())
    return right and kept is not None


def check(faults: Faults, name: str, password: str, again: str, known: Iterable[str]) -> None:
    """Adds what is wrong with a new password; `known` are words that are too easy for this person."""
    if len(password) < SHORTEST:
        faults.add(
            name,
            N_("This password has %(length)s characters; take at least %(shortest)s."),
            length=len(password),
            shortest=SHORTEST,
        )
    elif len(password) > LONGEST:
        faults.add(
            name,
            N_("This is too long: %(length)s characters, at most %(longest)s."),
            length=len(password),
            longest=LONGEST,
        )
    elif len(set(password.casefold())) < 4 or password.casefold() in {word.casefold() for word in known}:
        faults.add(
            name, N_("This password is too easy to guess. Take several words that do not belong together.")
        )
    if password != again:
        faults.add(f"{name}_again", N_("The two passwords differ. Type the same one twice."))


@cache
def _nobody() -> str:
    return _argon2.hash("nobody has this password")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
