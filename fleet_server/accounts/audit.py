"""The audit log: one entry for each change by a person, a program or the command line. None ever goes."""

import json
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person
from fleet_server.accounts.models import AuditEntry

PAGE_ENTRIES = 50


def record(
    session: Session,
    actor: Person | str,
    action: str,
    object_kind: str,
    object_id: object,
    before: Any = None,
    after: Any = None,
    *,
    now: int,
) -> None:
    """Write that `actor` did `action` (verb and noun, English: `move device`) to an object, in this
    transaction.

    `before` and `after` are JSON values with what changed; never a password, a secret or an answer.
    """
    session.add(
        AuditEntry(
            at=now,
            actor=actor if isinstance(actor, str) else actor.actor,
            action=action,
            object_kind=object_kind,
            object_id=str(object_id),
            before=_json(before),
            after=_json(after),
        )
    )


def entries(
    session: Session, *, actor: str = "", object_kind: str = "", object_id: str = "", below: int | None = None
) -> Sequence[AuditEntry]:
    """The newest PAGE_ENTRIES that fit, with ids below `below`; one more when there are older ones."""
    found = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(PAGE_ENTRIES + 1)
    if actor:
        found = found.where(AuditEntry.actor == actor)
    if object_kind:
        found = found.where(AuditEntry.object_kind == object_kind)
    if object_id:
        found = found.where(AuditEntry.object_id == object_id)
    if below is not None:
        found = found.where(col(AuditEntry.id) < below)
    return session.exec(found).all()


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
