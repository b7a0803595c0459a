"""Who gets the weekly mail of what: subscribed, paused and ended by the person herself.

It sends nothing. Invariant: every change is in the audit log.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.accounts.models import User
from fleet_server.mails.models import WeeklyMail
from fleet_server.refusals import N_, Faults
from fleet_server.results import subjects
from fleet_server.results.models import UNIT
from fleet_server.results.spans import Span
from fleet_server.results.subjects import Subject

SPANS: tuple[Span, ...] = ("month", "quarter")
MOST = 20  # PDFs in one mail: some 40 kB each, and nobody reads more on a Monday


@dataclass(frozen=True)
class Subscription:
    """A row with the subject that it is about."""

    row: WeeklyMail
    subject: Subject


def subject_of(session: Session, scope: str, scope_id: int) -> Subject | None:
    """The unit or place of a row; None when it is gone."""
    return (subjects.of_unit if scope == UNIT else subjects.of_place)(session, scope_id)


def of_person(session: Session, person: Person) -> list[Subscription]:
    """Her subscriptions to what she may still read, units first, in the order of their making."""
    rows = session.exec(
        select(WeeklyMail)
        .where(WeeklyMail.user_id == person.id)
        .order_by(col(WeeklyMail.scope).desc(), col(WeeklyMail.id))
    ).all()
    found = [(row, subject_of(session, row.scope, row.scope_id)) for row in rows]
    return [
        Subscription(row, subject)
        for row, subject in found
        if subject is not None and subjects.reads(person, subject.unit.path)
    ]


def subscribe(session: Session, person: Person, subject: Subject, span: str, *, now: int) -> WeeklyMail:
    """She gets it from the next one on; a subscription that there is takes the new span, and is paused no more.

    Raises Refused for another span than those of SPANS, and for more than MOST.
    """
    faults = Faults()
    if span not in SPANS:
        faults.add("span", N_("“%(value)s” is none of the times that can be chosen."), value=span)
    where = subject.where
    row = _row(session, person.id, where.scope, where.id)
    if row is None and len(of_person(session, person)) >= MOST:
        faults.add("on", N_("You have %(most)s already. End one of them first."), most=MOST)
    faults.check()
    before = None if row is None else _told(row)
    row = row or WeeklyMail(
        user_id=person.id, scope=where.scope, scope_id=where.id, span=span, created_at=now
    )
    if row.paused_at is not None:
        row.created_at = now  # as in `pause`
    row.span, row.paused_at = span, None
    session.add(row)
    if before != _told(row):
        audit.record(
            session, person, "subscribe to weekly mail", where.scope, where.id, before, _told(row), now=now
        )
    session.flush()
    return row


def pause(session: Session, person: Person, row: WeeklyMail, paused: bool, *, now: int) -> None:
    """Send it no more until she wants it again; or from the next one on."""
    if paused == (row.paused_at is not None):
        return
    before = _told(row)
    row.paused_at = now if paused else None
    if not paused:
        row.created_at = now  # it goes on with the next mail, not with one that has just gone out to others
    session.add(row)
    action = "pause weekly mail" if paused else "resume weekly mail"
    audit.record(session, person, action, row.scope, row.scope_id, before, _told(row), now=now)


def end(session: Session, person: Person, row: WeeklyMail, *, now: int) -> None:
    """End it; `subscribe` with the same values takes that back."""
    audit.record(session, person, "end weekly mail", row.scope, row.scope_id, _told(row), None, now=now)
    session.delete(row)


def stop_all(session: Session, user: User, *, now: int) -> int:
    """Pause all of a person's, by the link in a mail; returns how many went out until now."""
    rows: Sequence[WeeklyMail] = session.exec(
        select(WeeklyMail).where(WeeklyMail.user_id == user.id, col(WeeklyMail.paused_at).is_(None))
    ).all()
    for row in rows:
        before = _told(row)
        row.paused_at = now
        session.add(row)
        audit.record(
            session, user.email, "pause weekly mail", row.scope, row.scope_id, before, _told(row), now=now
        )
    return len(rows)


def _row(session: Session, user_id: int, scope: str, scope_id: int) -> WeeklyMail | None:
    return session.exec(
        select(WeeklyMail).where(
            WeeklyMail.user_id == user_id, WeeklyMail.scope == scope, WeeklyMail.scope_id == scope_id
        )
    ).first()


def _told(row: WeeklyMail) -> dict[str, object]:
    return {"span": row.span, "paused": row.paused_at is not None}
