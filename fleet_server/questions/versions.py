"""Families of question sets: which versions there are, their labels, and which of them are put away.

A set itself never changes; a label and the archive are marks beside it. Invariant: a set that something needs
(questions/uses.py) is never in the archive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.drafts.models import Draft
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.uses import uses_of
from fleet_server.refusals import N_, Faults, Refused

LONGEST_LABEL = 40
_OPEN = ("open", "asked", "approved")


@dataclass(frozen=True)
class Family:
    """`versions`: newest first. `drafts`: what is being made of it. `number`: of its first version."""

    number: int
    versions: list[QuestionSet]
    drafts: list[Draft]

    @property
    def name(self) -> str:
        """That of its newest version that is not put away, or of the newest."""
        return next((row.name for row in self.versions if row.archived_at is None), self.versions[0].name)


def families(session: Session, *, archived: bool = False) -> list[Family]:
    """Every family that has a version in use (`archived`: one that was put away), with these alone."""
    away = col(QuestionSet.archived_at)
    query = select(QuestionSet).where(away.is_not(None) if archived else away.is_(None))
    rows = session.exec(query.order_by(col(QuestionSet.number).desc())).all()
    drafts = [] if archived else open_drafts(session)
    return [
        Family(
            number,
            [row for row in rows if row.family == number],
            [draft for draft in drafts if draft.family == number],
        )
        for number in sorted({row.family for row in rows})
    ]


def open_drafts(session: Session) -> Sequence[Draft]:
    """Drafts that are neither published nor dropped, the last edited first."""
    query = select(Draft).where(col(Draft.state).in_(_OPEN))
    return session.exec(query.order_by(col(Draft.edited_at).desc(), col(Draft.id).desc())).all()


def archive(session: Session, actor: Person | str, number: int, *, now: int) -> QuestionSet:
    """Put a set away. Raises Refused while a kiosk, a rollout or a schedule needs it, and names them."""
    row = _row(session, number)
    if uses := uses_of(session, number, now=now):
        raise Refused(uses.faults(number), code="in_use")
    if row.archived_at is None:
        row.archived_at = now
        session.add(row)
        audit.record(session, actor, "archive question set", "question set", number, now=now)
    return row


def restore(session: Session, actor: Person | str, number: int, *, now: int) -> QuestionSet:
    """Take a set out of the archive."""
    row = _row(session, number)
    if row.archived_at is not None:
        before = {"archived_at": row.archived_at}
        row.archived_at = None
        session.add(row)
        audit.record(session, actor, "restore question set", "question set", number, before=before, now=now)
    return row


def label(session: Session, actor: Person | str, number: int, text: str, *, now: int) -> QuestionSet:
    """Give a set a label, or with an empty text none."""
    row = _row(session, number)
    faults = Faults()
    given = faults.text("label", text, LONGEST_LABEL) if text.strip() else ""
    faults.check()
    if given != row.label:
        before, row.label = row.label, given
        session.add(row)
        audit.record(
            session, actor, "label question set", "question set", number,
            before={"label": before}, after={"label": given}, now=now,
        )  # fmt: skip
    return row


def _row(session: Session, number: int) -> QuestionSet:
    row = session.get(QuestionSet, number, with_for_update=True)
    if row is None:
        raise Refused({"set": (N_("There is no question set %(value)s."), {"value": number})})
    return row
