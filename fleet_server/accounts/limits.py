"""The limit on guessing passwords: failed sign-ins for one e-mail from one address, and for each, in a time window."""

import hashlib

from sqlmodel import Session, col, delete

from fleet_server.accounts.models import SignInAttempt
from fleet_server.instants import MINUTE_MS

WINDOW_MS = 15 * MINUTE_MS
# 10 leaves room for an honest person on a bad morning.
PER_PAIR = 10
# Higher, so that strangers do not easily lock the right person out;
# 4800 guesses a day are nothing against 12 characters.
PER_EMAIL = 50
# A clinic's staff comes from one address.
PER_ADDRESS = 100


def take(session: Session, email: str, address: str, *, now: int) -> int:
    """Count an attempt before its password is looked at, so that many at once are no way round.

    Returns 0, or the milliseconds until the next attempt may be made (it is then not counted).
    """
    session.exec(delete(SignInAttempt).where(col(SignInAttempt.window_at) <= now - WINDOW_MS))
    taken = []
    for key, most in (
        (_key("pair", email, address), PER_PAIR),
        (_key("email", email), PER_EMAIL),
        (_key("address", address), PER_ADDRESS),
    ):
        row = session.get(SignInAttempt, key) or SignInAttempt(key=key, window_at=now)
        if row.failures >= most:
            return row.window_at + WINDOW_MS - now
        taken.append(row)
    for row in taken:
        row.failures += 1
        session.add(row)
    return 0


def give_back(session: Session, email: str, address: str) -> None:
    """The attempt was right: what this address got wrong with this e-mail is forgotten, strangers' guesses are not.

    The address itself is given its one back.
    """
    pair = session.get(SignInAttempt, _key("pair", email, address))
    wrong = pair.failures if pair is not None else 1
    if pair is not None:
        session.delete(pair)
    for key, back in ((_key("email", email), wrong), (_key("address", address), 1)):
        row = session.get(SignInAttempt, key)
        if row is not None:
            row.failures = max(0, row.failures - back)
            session.add(row)


def _key(kind: str, *values: str) -> str:
    # Hashed: people type passwords into the wrong field.
    text = "\n".join(value.strip().casefold() for value in values)
    return f"{kind}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"
