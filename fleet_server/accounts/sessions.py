"""Sessions of browsers: begun at the sign-in, found by the cookie, ended by signing out, by time, or by an
administrator.

The cookie holds a random token, the table its SHA-256. Invariant: every sign-in makes a new token.
"""

import hashlib
import secrets
from typing import Any

from sqlmodel import Session, col, delete, select

from fleet_server.accounts.access import COUNTY_WIDE, Grant, Person
from fleet_server.accounts.models import Membership, Role, SignIn, User
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.places.models import Unit

IDLE_MS = 12 * HOUR_MS  # a working day with its breaks
ABSOLUTE_MS = 7 * DAY_MS
TOUCH_MS = 5 * MINUTE_MS  # how exactly the last use is known; each touch is a write
MAX_SECRET_CHARACTERS = 100


def begin(session: Session, user: User, *, now: int) -> str:
    """Begin a session; returns the token for the cookie. Sessions that are over are cleared away."""
    session.exec(delete(SignIn).where(_over(now)))
    secret = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            token_sha256=sha256(secret),
            user_id=user.id or 0,
            created_at=now,
            last_seen_at=now,
            expires_at=now + ABSOLUTE_MS,
        )
    )
    session.flush()
    return secret


def end(session: Session, secret: str) -> None:
    """End the session of this token."""
    session.exec(delete(SignIn).where(col(SignIn.token_sha256) == sha256(secret)))


def end_all(session: Session, user_id: int, *, but: str | None = None) -> None:
    """End all sessions of a person, except the one of the token `but`."""
    kept = sha256(but) if but else ""
    session.exec(delete(SignIn).where(col(SignIn.user_id) == user_id, col(SignIn.token_sha256) != kept))


def person_of(session: Session, secret: str, *, now: int) -> tuple[Person | None, bool]:
    """Who is signed in with this token (None: nobody any more), and whether `touch` is due."""
    if len(secret) > MAX_SECRET_CHARACTERS:
        return None, False
    row = session.get(SignIn, sha256(secret))
    if row is None or now >= row.expires_at or now >= row.last_seen_at + IDLE_MS:
        return None, False
    user = session.get(User, row.user_id)
    if user is None or user.disabled_at is not None:
        return None, False
    return person_from(session, user), now - row.last_seen_at >= TOUCH_MS


def touch(session: Session, secret: str, *, now: int) -> None:
    """Keep the time of the last use: an idle session ends."""
    row = session.get(SignIn, sha256(secret))
    if row is not None:
        row.last_seen_at = now
        session.add(row)


def person_from(session: Session, user: User) -> Person:
    """The person as the rules see it: name and grants."""
    held = session.exec(
        select(Membership, Unit.path)
        .join(Unit, col(Unit.id) == col(Membership.unit_id), isouter=True)
        .where(Membership.user_id == user.id)
    )
    grants = tuple(grant(membership.role, membership.unit_id, path) for membership, path in held)
    return Person("user", user.id or 0, user.name, user.email, user.language, grants)


def grant(role: str, unit_id: int | None, path: str | None) -> Grant:
    """A kept role as a Grant. A role that is never limited to a unit is not, whatever the row says."""
    limited = unit_id is not None and Role(role) not in COUNTY_WIDE
    return Grant(Role(role), path or "none" if limited else None)


def sha256(secret: str) -> str:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _over(now: int) -> Any:
    return (col(SignIn.expires_at) <= now) | (col(SignIn.last_seen_at) <= now - IDLE_MS)
