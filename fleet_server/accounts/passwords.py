"""Passwords: how they are kept (argon2) and which are refused. It knows no people.

Length is the first demand, that nobody guesses it the second (NIST SP 800-63B, 5.1.1.2: no dictionary words, repeated
or sequential characters, nothing of the person's own); rules about digits and signs make passwords worse.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import cache

from pwdlib import PasswordHash

from fleet_server.refusals import N_, Faults

SHORTEST = 12
# What is left of a password without its easy parts. Four letters are one more word: enough against those few guesses
# that the limit on sign-ins allows, and honest people are not sent round.
LEAST_LEFT = 4
LEAST_PART = 3  # shorter parts of a name stand in words by chance
LEAST_ROW = 4  # keys or letters in a row
EASY_WORDS = (
    "password passphrase passw0rd p@ssword letmein welcome secret login master iloveyou football monkey "
    "dragon sunshine princess shadow qwerty abc123 admin root user salasana tunnussana salainen tervetuloa "
    "kirjaudu perkele kissa koira kesä talvi syksy kevät suomi finland helsinki lösenord losenord välkommen "
    "sommar vinter hymiö hymio kioski kiosk palaute feedback hyvinvointialue sairaala terveysasema summer "
    "winter spring autumn"
)
ROWS = ("abcdefghijklmnopqrstuvwxyzåäö", "01234567890", "qwertyuiopå", "asdfghjklöä", "zxcvbnm")
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
    elif _easy(password, known):
        faults.add(
            name,
            N_(
                "This password is too easy to guess: it is hardly more than common words, rows of keys, repetition, "
                "or your own name or address. Take several words that do not belong together."
            ),
        )
    if password != again:
        faults.add(f"{name}_again", N_("The two passwords differ. Type the same one twice."))


def _easy(password: str, known: Iterable[str]) -> bool:
    """Whether little is left of it without common words, rows of keys, repetitions and the person's own words."""
    text = _once(_normal(password).casefold())
    own = [part for word in known for part in re.split(r"[\W_\d]+", _normal(word).casefold())]
    left = text
    for part in sorted(
        {*EASY_WORDS.split(), *(part for part in own if len(part) >= LEAST_PART)}, key=len, reverse=True
    ):
        left = left.replace(part, " ")
    left = _without_rows(left)
    if left != text:
        left = re.sub(r"[\W_\d]+", "", left)  # a year or a sign behind a common word is the first thing tried
    return len(set(_once(left))) < LEAST_LEFT


def _once(text: str) -> str:
    """The part of which `text` is made by repetition: "abab" and "ababa" are "ab"."""
    for size in range(1, len(text) // 2 + 1):
        if (text[:size] * (len(text) // size + 1)).startswith(text):
            return text[:size]
    return text


def _without_rows(text: str) -> str:
    rows = [*ROWS, *(row[::-1] for row in ROWS)]
    kept, at = "", 0
    while at < len(text):
        end = at + LEAST_ROW
        while end <= len(text) and any(text[at:end] in row for row in rows):
            end += 1
        if end > at + LEAST_ROW:
            kept, at = kept + " ", end - 1
        else:
            kept, at = kept + text[at], at + 1
    return kept


@cache
def _nobody() -> str:
    return _argon2.hash("nobody has this password")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
