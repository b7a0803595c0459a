"""A technician's own token for the station tool: made on her page, good for some hours, for nothing but the tool.

It acts in her roles as a technician as they are at each request: a role that is taken away, or a person shut out, ends
it at once. Invariant: it passes no route but those that name its scope (access.py).
"""

import secrets
from collections.abc import Sequence

from sqlmodel import Session, col, delete, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import STATION, Grant, Person
from fleet_server.accounts.models import ApiToken, Role, User
from fleet_server.accounts.sessions import person_from, sha256
from fleet_server.instants import HOUR_MS
from fleet_server.refusals import N_, Faults

PREFIX = "hymio_"  # lets scanners for leaked secrets find it
DEFAULT_HOURS = 8  # a working day in the field
LONGEST_HOURS = 24


def create(session: Session, person: Person, *, hours: int, now: int) -> str:
    """Make one for the person who is signed in; returns it, this once. Raises Refused at `hours`."""
    faults = Faults()
    if not 1 <= hours <= LONGEST_HOURS:
        text = N_("“%(value)s” is not a number of hours from 1 to %(longest)s.")
        faults.add("hours", text, value=hours, longest=LONGEST_HOURS)
    faults.check()
    # Tokens of past days are of no use to anybody; the audit log keeps that they were made.
    session.exec(delete(ApiToken).where(col(ApiToken.scope) == STATION, col(ApiToken.expires_at) <= now))
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        token_sha256=sha256(secret),
        name=_name(person.email),
        role=Role.TECHNICIAN.value,
        created_at=now,
        expires_at=now + hours * HOUR_MS,
        scope=STATION,
        user_id=person.id,
    )
    session.add(row)
    session.flush()
    after = {"name": row.name, "only_for": STATION, "valid_hours": hours}
    audit.record(session, person, "create token", "token", row.id, after=after, now=now)
    return secret


def own(session: Session, person: Person, *, now: int) -> Sequence[ApiToken]:
    """The person's tokens that are good now, the newest first."""
    found = select(ApiToken).where(
        ApiToken.user_id == person.id,
        ApiToken.scope == STATION,
        col(ApiToken.revoked_at).is_(None),
        col(ApiToken.expires_at) > now,
    )
    return session.exec(found.order_by(col(ApiToken.id).desc())).all()


def person_of(session: Session, row: ApiToken) -> Person | None:
    """Who asks with this token; None when its maker is shut out. Without a technician's role nothing is granted."""
    user = session.get(User, row.user_id) if row.user_id is not None else None
    if user is None or user.disabled_at is not None:
        return None
    held = person_from(session, user).grants
    grants = {
        Grant(Role.TECHNICIAN, grant.unit_path)
        for grant in held
        if grant.role in (Role.TECHNICIAN, Role.ADMIN)
    }
    ordered = tuple(sorted(grants, key=lambda grant: grant.unit_path or ""))
    return Person("token", row.id or 0, _name(user.email), user.email, "en", ordered, row.scope or STATION)


def _name(email: str) -> str:
    return f"{email[:180]} (station)"
