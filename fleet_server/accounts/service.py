"""People with local accounts: created, invited, given roles, shut out. Tokens, sessions and limits lie beside
it.

Invariant: somebody who may administer people is always left.
"""

import re
import secrets
from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, delete, func, select

from fleet_server.accounts import audit, passwords, sessions, tokens
from fleet_server.accounts.access import COUNTY_WIDE, Person
from fleet_server.accounts.models import Invitation, Membership, Role, User
from fleet_server.instants import DAY_MS
from fleet_server.places.models import Unit
from fleet_server.refusals import N_, Faults
from fleet_server.web.i18n import LANGUAGES

INVITATION_DAYS = 7
INVITATION_MS = INVITATION_DAYS * DAY_MS
COMMAND_LINE = "fleet"
_EMAIL = re.compile(r"[^@\s\"<>(),;:\\]+@[^@\s\"<>(),;:\\.]+(\.[^@\s\"<>(),;:\\.]+)+")

RoleAt = tuple[Role, int | None]
"""A role and the unit (its id) where it is held; None: the whole county."""


def create_user(
    session: Session,
    *,
    email: str,
    name: str,
    language: str,
    roles: Iterable[RoleAt],
    now: int,
    actor: Person | str = COMMAND_LINE,
) -> User:
    """A new person, who cannot sign in before the invitation was used. Raises Refused with every fault."""
    faults = Faults()
    email = _email(session, faults, email, own_id=None)
    name = faults.text("name", name, 200)
    language = _language(faults, language)
    held = _roles(session, faults, roles)
    faults.check()
    user = User(email=email, name=name, language=language, created_at=now)
    session.add(user)
    session.flush()
    session.add_all(Membership(user_id=user.id or 0, role=role.value, unit_id=unit) for role, unit in held)
    session.flush()
    after = {"email": email, "name": name, "language": language, "roles": _plain(held)}
    audit.record(session, actor, "create person", "person", user.id, after=after, now=now)
    return user


def invite(session: Session, user: User, *, now: int, actor: Person | str = COMMAND_LINE) -> str:
    """The secret of a one-time link with which the person sets the password; earlier ones stop working."""
    session.exec(
        delete(Invitation).where(col(Invitation.user_id) == user.id, col(Invitation.used_at).is_(None))
    )
    secret = secrets.token_urlsafe(32)
    session.add(
        Invitation(
            token_sha256=sessions.sha256(secret),
            user_id=user.id or 0,
            created_at=now,
            expires_at=now + INVITATION_MS,
        )
    )
    audit.record(session, actor, "invite person", "person", user.id, after={"email": user.email}, now=now)
    return secret


def invited(session: Session, secret: str, *, now: int) -> User | None:
    """Whom this invitation is for; None when it is unknown, used, past its time, or the person shut out."""
    if len(secret) > sessions.MAX_SECRET_CHARACTERS:
        return None
    row = session.get(Invitation, sessions.sha256(secret))
    if row is None or row.used_at is not None or now >= row.expires_at:
        return None
    user = session.get(User, row.user_id)
    return None if user is None or user.disabled_at is not None else user


def accept(session: Session, secret: str, password_hash: str, *, now: int) -> User | None:
    """Use an invitation up: the person has this password (hashed beforehand) and is signed out everywhere."""
    user = invited(session, secret, now=now)
    if user is None:
        return None
    row = session.get_one(Invitation, sessions.sha256(secret))
    row.used_at = now
    session.add(row)
    keep_password(session, user, password_hash, actor=user.email, now=now)
    sessions.end_all(session, user.id or 0)
    return user


def set_password(
    session: Session, user: User, password: str, *, now: int, actor: Person | str = COMMAND_LINE
) -> None:
    """Give a person a password. Raises Refused when it is too easy."""
    faults = Faults()
    passwords.check(faults, "password", password, password, (user.email, user.name))
    faults.check()
    keep_password(session, user, passwords.hashed(password), actor=actor, now=now)


def keep_password(session: Session, user: User, password_hash: str, *, actor: Person | str, now: int) -> None:
    """Keep a hash made by `passwords.hashed`."""
    user.password_hash = password_hash
    session.add(user)
    audit.record(session, actor, "set password", "person", user.id, now=now)


def change_user(
    session: Session,
    actor: Person | str,
    user: User,
    *,
    email: str,
    name: str,
    language: str,
    roles: Iterable[RoleAt],
    now: int,
) -> None:
    """Change who a person is and what the person may do. Raises Refused."""
    faults = Faults()
    email = _email(session, faults, email, own_id=user.id)
    name = faults.text("name", name, 200)
    language = _language(faults, language)
    held = _roles(session, faults, roles)
    if Role.ADMIN not in {role for role, _unit in held}:
        _keep_an_admin(session, faults, "roles", user)
    faults.check()
    before = {
        "email": user.email,
        "name": user.name,
        "language": user.language,
        "roles": _plain(roles_of(session, user)),
    }
    after = {"email": email, "name": name, "language": language, "roles": _plain(held)}
    if before == after:
        return
    user.email, user.name, user.language = email, name, language
    session.add(user)
    session.exec(delete(Membership).where(col(Membership.user_id) == user.id))
    session.add_all(Membership(user_id=user.id or 0, role=role.value, unit_id=unit) for role, unit in held)
    changed = [key for key in after if before[key] != after[key]]
    audit.record(
        session,
        actor,
        "change person",
        "person",
        user.id,
        before={key: before[key] for key in changed},
        after={key: after[key] for key in changed},
        now=now,
    )


def set_language(session: Session, user: User, language: str) -> None:
    """The language that the person wants; one's own taste is no matter for the audit log."""
    if language in LANGUAGES:
        user.language = language
        session.add(user)


def disable(session: Session, actor: Person | str, user: User, *, now: int) -> None:
    """Shut a person out: sessions and invitations end at once. Raises Refused for the last administrator."""
    faults = Faults()
    _keep_an_admin(session, faults, "disable", user)
    faults.check()
    if user.disabled_at is None:
        user.disabled_at = now
        session.add(user)
        sessions.end_all(session, user.id or 0)
        session.exec(
            delete(Invitation).where(col(Invitation.user_id) == user.id, col(Invitation.used_at).is_(None))
        )
        audit.record(
            session, actor, "disable person", "person", user.id, before={"email": user.email}, now=now
        )


def enable(session: Session, actor: Person | str, user: User, *, now: int) -> None:
    """Let a person in again, with the old roles and a new invitation to come."""
    if user.disabled_at is not None:
        user.disabled_at = None
        user.password_hash = None
        session.add(user)
        audit.record(session, actor, "enable person", "person", user.id, after={"email": user.email}, now=now)


def by_email(session: Session, email: str) -> User | None:
    """The person with this e-mail."""
    if "\0" in email:  # PostgreSQL takes no such text, not even to compare with
        return None
    return session.exec(select(User).where(User.email == email.strip().lower())).first()


def all_users(session: Session) -> Sequence[User]:
    """Everybody, by name."""
    return session.exec(select(User).order_by(func.lower(User.name), col(User.id))).all()


def roles_of(session: Session, user: User) -> list[RoleAt]:
    """The roles that a person holds."""
    rows = session.exec(select(Membership).where(Membership.user_id == user.id).order_by(col(Membership.id)))
    return [(Role(row.role), row.unit_id) for row in rows]


def units_of_roles(session: Session, user: User | None = None) -> Sequence[Unit]:
    """The units to which roles are limited: those of one person, or of everybody."""
    held = select(Membership.unit_id)
    if user is not None:
        held = held.where(Membership.user_id == user.id)
    return session.exec(select(Unit).where(col(Unit.id).in_(held))).all()


def create_token(session: Session, *, name: str, role: Role, unit_id: int | None, days: int, now: int) -> str:
    """A token for the API, made on the command line."""
    return tokens.create(session, COMMAND_LINE, name=name, role=role, unit_id=unit_id, days=days, now=now)


def _email(session: Session, faults: Faults, typed: str, *, own_id: int | None) -> str:
    email = faults.text("email", typed, 200).lower()
    if email and not _EMAIL.fullmatch(email):
        faults.add(
            "email", N_("“%(value)s” is not an e-mail address, such as name@example.org."), value=typed
        )
    there = by_email(session, email)
    if there is not None and there.id != own_id:
        faults.add("email", N_("“%(value)s” belongs to %(name)s already."), value=email, name=there.name)
    return email


def _language(faults: Faults, typed: str) -> str:
    if typed not in LANGUAGES:
        faults.add("language", N_("“%(value)s” is not one of the languages fi, sv and en."), value=typed)
    return typed


def _roles(session: Session, faults: Faults, roles: Iterable[RoleAt]) -> list[RoleAt]:
    held = list(dict.fromkeys(roles))
    if not held:
        faults.add("roles", N_("Choose at least one role: without one, nothing can be seen."))
    for role, unit_id in held:
        if unit_id is None:
            continue
        if role in COUNTY_WIDE:
            faults.add("roles", N_("The role %(value)s is always for the whole county."), value=role.value)
        elif session.get(Unit, unit_id) is None:
            faults.add("roles", N_("There is no unit %(value)s."), value=unit_id)
    return held


def _keep_an_admin(session: Session, faults: Faults, name: str, user: User) -> None:
    if Role.ADMIN not in {role for role, _unit in roles_of(session, user)} or user.disabled_at is not None:
        return
    others = (
        select(User.id)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.role == Role.ADMIN.value, User.id != user.id)
        .where(col(User.disabled_at).is_(None), col(User.password_hash).is_not(None))
    )
    if session.exec(others).first() is None:
        faults.add(
            name, N_("%(name)s is the last administrator. Make somebody else one first."), name=user.name
        )


def _plain(roles: Iterable[RoleAt]) -> list[list[str | int | None]]:
    return sorted(([role.value, unit] for role, unit in roles), key=str)
