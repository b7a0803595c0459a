"""A draft and its second pair of eyes: somebody asks, another one approves or sends it back with a comment.

It knows no fault of a set. Invariant: what is approved is one revision; an edit opens the draft again
(drafts/service.py), and nobody approves what they edited last or asked for, where the county requires a second person.
The audit log is the history: nothing is kept twice.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts import audit, county
from fleet_server.accounts.access import Person, may
from fleet_server.accounts.models import AuditEntry, Role
from fleet_server.drafts import service
from fleet_server.drafts.models import Draft
from fleet_server.refusals import N_, Faults, Refused, Sentence

ASK, APPROVE, SEND_BACK = "ask for approval", "approve draft", "send draft back"
LONGEST_COMMENT = 300
SHOWN_EVENTS = 50


@dataclass(frozen=True)
class Event:
    """One step of a draft's way: what was done (an action of the audit log), when, by whom, with which comment."""

    at: int
    by: str
    action: str
    comment: str


def ask(session: Session, actor: Person, draft_id: int, *, now: int) -> Draft:
    """Ask somebody else to look at the draft as it is now."""
    draft = _locked(session, draft_id, "open")
    draft.state, draft.asked_at, draft.asked_by = "asked", now, actor.actor
    return _kept(session, actor, draft, ASK, {"revision": draft.revision}, now)


def approve(session: Session, actor: Person, draft_id: int, revision: int, *, now: int) -> Draft:
    """Say that this revision is good. Raises Refused when it is not the newest, or not this person's to approve."""
    draft = _locked(session, draft_id, "asked")
    if revision != draft.revision:
        text = N_("Revision %(value)s was looked at, and the draft is at %(now)s since. Look at it anew.")
        raise Refused({"revision": (text, {"value": revision, "now": draft.revision})})
    reason = obstacle(session, draft, actor)
    if reason is not None:
        raise Refused({"draft": (reason.text, reason.values)})
    draft.state, draft.approved_at, draft.approved_by = "approved", now, actor.actor
    return _kept(session, actor, draft, APPROVE, {"revision": revision}, now)


def send_back(session: Session, actor: Person, draft_id: int, comment: str, *, now: int) -> Draft:
    """Open the draft again and say why; what has been approved may be sent back, too."""
    draft = _locked(session, draft_id, "asked", "approved")
    faults = Faults()
    comment = faults.text("comment", comment, LONGEST_COMMENT)
    faults.check()
    draft.state = "open"
    draft.asked_at = draft.asked_by = draft.approved_at = draft.approved_by = None
    return _kept(session, actor, draft, SEND_BACK, {"comment": comment}, now)


def obstacle(session: Session, draft: Draft, person: Person) -> Sentence | None:
    """Why this person cannot approve this draft; None when they can."""
    if not may(person, Role.COORDINATOR):
        return Sentence(N_("Only a coordinator approves a draft."))
    if not county.rules(session).second_person:
        return None
    if person.kind != "user":
        return Sentence(
            N_("The county requires a second person, and %(who)s is a program."), who=person.actor
        )
    if person.actor in (draft.edited_by, draft.asked_by):
        return Sentence(
            N_(
                "The county requires a second person, and %(who)s edited this draft last or asked for the approval."
            ),
            who=person.name,
        )
    return None


def history(session: Session, draft_id: int) -> list[Event]:
    """The draft's way, the newest step first."""
    rows = session.exec(
        select(AuditEntry)
        .where(AuditEntry.object_kind == "draft", AuditEntry.object_id == str(draft_id))
        .order_by(col(AuditEntry.id).desc())
        .limit(SHOWN_EVENTS)
    )
    return [
        Event(row.at, row.actor, row.action, str((json.loads(row.after or "null") or {}).get("comment", "")))
        for row in rows
    ]


def sent_back(session: Session, draft: Draft) -> Event | None:
    """Why an open draft was sent back, as long as nobody has asked again."""
    if draft.state != "open":
        return None
    newest = next(
        (event for event in history(session, draft.id or 0) if event.action in (ASK, SEND_BACK)), None
    )
    return newest if newest is not None and newest.action == SEND_BACK else None


def _locked(session: Session, draft_id: int, *states: str) -> Draft:
    draft = service.get(session, draft_id, for_edit=True)
    if draft is None:
        raise Refused({"draft": (N_("There is no draft %(value)s."), {"value": draft_id})})
    if draft.state not in states:
        text = N_(
            "This cannot be done with draft %(value)s as it is now: somebody changed it meanwhile. Look at it anew."
        )
        raise Refused({"draft": (text, {"value": draft_id})})
    return draft


def _kept(session: Session, actor: Person, draft: Draft, action: str, after: Any, now: int) -> Draft:
    session.add(draft)
    audit.record(session, actor, action, "draft", draft.id, after=after, now=now)
    session.flush()
    return draft
