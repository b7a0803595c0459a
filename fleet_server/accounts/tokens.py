"""Tokens of programs that use the API: `hymio_` and a random part, shown once; only the SHA-256 is kept."""

import secrets
from collections.abc import Sequence

from sqlmodel import Session, col, select

from fleet_server.accounts import audit, station_tokens
from fleet_server.accounts.access import COUNTY_WIDE, Person
from fleet_server.accounts.models import ApiToken, Role
from fleet_server.accounts.sessions import MAX_SECRET_CHARACTERS, TOUCH_MS, grant, sha256
from fleet_server.instants import DAY_MS
from fleet_server.places.models import Unit
from fleet_server.refusals import N_, Faults

PREFIX = station_tokens.PREFIX
LONGEST_DAYS = 730


def create(
    session: Session, actor: Person | str, *, name: str, role: Role, unit_id: int | None, days: int, now: int
) -> str:
    """Make a token; returns it, this once. Raises Refused."""
    faults = Faults()
    name = faults.text("name", name, 200)
    if unit_id is not None and session.get(Unit, unit_id) is None:
        faults.add("unit", N_("There is no unit %(value)s."), value=unit_id)
    if unit_id is not None and role in COUNTY_WIDE:
        faults.add("unit", N_("The role %(value)s is always for the whole county."), value=role.value)
    if not 1 <= days <= LONGEST_DAYS:
        faults.add(
            "days",
            N_("%(value)s is not a number of days from 1 to %(longest)s."),
            value=days,
            longest=LONGEST_DAYS,
        )
    there = select(ApiToken).where(
        ApiToken.name == name, col(ApiToken.revoked_at).is_(None), col(ApiToken.expires_at) > now
    )
    if session.exec(there).first() is not None:
        faults.add("name", N_("There is a token named “%(value)s” already."), value=name)
    faults.check()
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        token_sha256=sha256(secret),
        name=name,
        role=role.value,
        unit_id=unit_id,
        created_at=now,
        expires_at=now + days * DAY_MS,
    )
    session.add(row)
    session.flush()
    after = {"name": name, "role": role.value, "unit": unit_id, "days": days}
    audit.record(session, actor, "create token", "token", row.id, after=after, now=now)
    return secret


def revoke(session: Session, actor: Person | str, row: ApiToken, *, now: int) -> None:
    """Shut a token out for good."""
    if row.revoked_at is None:
        row.revoked_at = now
        session.add(row)
        audit.record(session, actor, "revoke token", "token", row.id, before={"name": row.name}, now=now)


def all_tokens(session: Session) -> Sequence[ApiToken]:
    """Every token that was made, the newest first."""
    return session.exec(select(ApiToken).order_by(col(ApiToken.id).desc())).all()


def person_of(session: Session, secret: str, *, now: int) -> tuple[Person | None, bool]:
    """The program that holds this token (None: unknown, revoked, past its time), and whether `touch` is due."""
    row = _row(session, secret)
    if row is None or row.revoked_at is not None or now >= row.expires_at:
        return None, False
    stale = row.last_used_at is None or now - row.last_used_at >= TOUCH_MS
    if row.scope is not None:
        return station_tokens.person_of(session, row), stale
    unit = session.get(Unit, row.unit_id) if row.unit_id is not None else None
    held = grant(row.role, row.unit_id, unit.path if unit else None)
    return Person("token", row.id or 0, row.name, "", "en", (held,)), stale


def touch(session: Session, secret: str, *, now: int) -> None:
    """Keep the time of the last use, for the list."""
    row = _row(session, secret)
    if row is not None:
        row.last_used_at = now
        session.add(row)


def _row(session: Session, secret: str) -> ApiToken | None:
    if not secret.startswith(PREFIX) or len(secret) > MAX_SECRET_CHARACTERS:
        return None
    return session.exec(select(ApiToken).where(ApiToken.token_sha256 == sha256(secret))).first()
