"""The limit on guessing passwords: failed sign-ins for one e-mail and from one address in a time window."""

import hashlib

from sqlmodel import Session, col, delete

from fleet_server.accounts.models import SignInAttempt
from fleet_server.instants import MINUTE_MS

WINDOW_MS = 15 * MINUTE_MS
# 10 leaves room for an honest person on a bad morning; 960 guesses a day are nothing against 12 characters.
PER_EMAIL = 10
# A clinic's staff comes from one address.
PER_ADDRESS = 100


def take(session: Session, email: str, address: str, *, now: int) -> int:
    """Count an attempt before its password is looked at, so that many at once are no way round.

    Returns 0, or the milliseconds until the next attempt may be made (it is then not counted).
    """
    session.exec(delete(SignInAttempt).where(col(SignInAttempt.window_at) <= now - WINDOW_MS))
    taken = []
    for key, most in ((_key("email", email), PER_EMAIL), (_key("address", address), PER_ADDRESS)):
        row = session.get(SignInAttempt, key) or SignInAttempt(key=key, window_at=now)
        if row.failures >= most:
            return row.window_at + WINDOW_MS - now
        taken.append(row)
    for row in taken:
        row.failures += 1
        session.add(row)
    return 0


def give_back(session: Session, email: str, address: str) -> None:
    """The attempt was right: the e-mail starts anew, the address is given its one back."""
    email_row = session.get(SignInAttempt, _key("email", email))
    if email_row is not None:
        session.delete(email_row)
    address_row = session.get(SignInAttempt, _key("address", address))
    if address_row is not None:
        address_row.failures = max(0, address_row.failures - 1)
        session.add(address_row)


def _key(kind: str, value: str) -> str:
    # Hashed: people type passwords into the wrong field.
    return f"{kind}:{hashlib.sha256(value.strip().casefold().encode('utf-8', 'replace')).hexdigest()}"
