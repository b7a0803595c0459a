"""Each mail's way from waiting to sent, in the database: claimed before it is written, marked before it is handed over.

It speaks no SMTP and writes no mail. Invariants: a key has one mail; a mail that may have arrived is never sent again
by itself; whatever stops the server, what surely was not sent is tried again.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.db import insert_for
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.mails.models import (
    CLAIMED,
    DROPPED,
    FAILED,
    HANDED,
    SENT,
    UNSURE,
    WAITING,
    Mail,
)

LEASE_MS = 10 * MINUTE_MS  # a batch of mails with their PDFs, and a mail server that takes its time
BACKOFF_MS = (MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS)  # then every hour
GIVE_UP_MS = 2 * DAY_MS  # a weekly mail that comes later is no use, an alert neither
FAULT_CHARACTERS = 300


def add(session: Session, key: str, user_id: int, *, now: int) -> None:
    """A mail to this person is to be sent; nothing when there is one of this key, whatever became of it."""
    insert = insert_for(session, Mail).values(
        key=key, user_id=user_id, state=WAITING, attempts=0, created_at=now, due_at=now, fault=""
    )
    session.connection().execute(insert.on_conflict_do_nothing())


def due(session: Session, *, now: int, most: int) -> Sequence[int]:
    """Ids of mails to be tried now, longest waiting first."""
    open_now = (col(Mail.state).in_((WAITING, CLAIMED)), col(Mail.due_at) <= now)
    found = session.exec(
        select(Mail.id).where(*open_now).order_by(col(Mail.due_at), col(Mail.id)).limit(most)
    )
    return [number for number in found if number is not None]


def settle(session: Session, *, now: int) -> int:
    """Mails whose sender was stopped while it handed them over: whether they arrived, nobody knows. How many."""
    changed = session.exec(
        update(Mail)
        .where(col(Mail.state) == HANDED, col(Mail.due_at) <= now)
        .values(state=UNSURE, ended_at=now, fault="the server was stopped while the mail was handed over")
    )
    return changed.rowcount


def claim(session: Session, mail_id: int, *, now: int) -> Mail | None:
    """Take a due mail for LEASE_MS; None when somebody else has it. One that waited too long fails here."""
    mail = session.get(Mail, mail_id)
    if mail is None:
        return None
    if now - mail.created_at >= GIVE_UP_MS:
        _move(
            session, mail, (WAITING, CLAIMED), FAILED, ended_at=now, fault=mail.fault or "it waited too long"
        )
        return None
    ours = _move(
        session, mail, (WAITING, CLAIMED), CLAIMED, attempts=mail.attempts + 1, due_at=now + LEASE_MS, due=now
    )
    if not ours:
        return None
    session.expire(mail)
    return session.get_one(Mail, mail_id)


def hand_over(session: Session, mail: Mail, *, now: int) -> bool:
    """From here on it may arrive. False when it is not ours any more: then it must not be handed over."""
    return _move(session, mail, (CLAIMED,), HANDED, due_at=now + LEASE_MS)


def sent(session: Session, mail: Mail, *, now: int) -> None:
    """The mail server has it."""
    _move(session, mail, (HANDED,), SENT, ended_at=now, fault="")


def unsure(session: Session, mail: Mail, fault: object, *, now: int) -> None:
    """It may have arrived."""
    _move(session, mail, (HANDED,), UNSURE, ended_at=now, fault=_short(fault))


def failed(session: Session, mail: Mail, fault: object, *, now: int) -> None:
    """It was refused for good."""
    _move(session, mail, (CLAIMED, HANDED), FAILED, ended_at=now, fault=_short(fault))


def dropped(session: Session, mail: Mail, *, now: int) -> None:
    """There is nothing to tell this person any more."""
    _move(session, mail, (CLAIMED,), DROPPED, ended_at=now, fault="")


def later(session: Session, mail: Mail, fault: object, *, now: int) -> None:
    """It surely was not sent: try again after a while, each time a longer one."""
    wait = BACKOFF_MS[min(mail.attempts, len(BACKOFF_MS)) - 1]
    _move(session, mail, (CLAIMED, HANDED), WAITING, due_at=now + wait, fault=_short(fault))


def again(session: Session, actor: Person, mail: Mail, *, now: int) -> None:
    """An operator wants a failed or unsure mail sent (once more)."""
    before = mail.state
    if _move(session, mail, (FAILED, UNSURE), WAITING, created_at=now, due_at=now, attempts=0, ended_at=None):
        audit.record(
            session, actor, "send mail again", "mail", mail.id, {"state": before}, {"state": WAITING}, now=now
        )


def troubled(session: Session, *, now: int) -> Sequence[Mail]:
    """Mails of the last 30 days that were not simply sent, newest first; for operators."""
    recent = (col(Mail.state) != SENT, col(Mail.created_at) > now - 30 * DAY_MS)
    return session.exec(select(Mail).where(*recent).order_by(col(Mail.id).desc()).limit(200)).all()


def _move(
    session: Session,
    mail: Mail,
    olds: tuple[str, ...],
    new: str,
    *,
    due: int | None = None,
    **values: Any,
) -> bool:
    """Change the state if nobody did meanwhile: each claim has a number of its own."""
    condition: tuple[ColumnElement[bool], ...] = (
        col(Mail.id) == mail.id,
        col(Mail.state).in_(olds),
        col(Mail.attempts) == mail.attempts,
    )
    if due is not None:
        condition = (*condition, col(Mail.due_at) <= due)
    changed = session.exec(
        update(Mail)
        .where(*condition)
        .values(state=new, **values)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == 1


def _short(fault: object) -> str:
    return " ".join(str(fault).split())[:FAULT_CHARACTERS]
