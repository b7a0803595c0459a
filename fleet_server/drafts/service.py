"""Drafts in the database: made, edited by several people at once, dropped and restored; undoing.py takes edits back.

It knows no page. Invariant: `body` is what all edits of a draft give, in their order; no edit ever goes. An edit on a
field that somebody else has changed since is not done: both versions are handed back, and the person decides.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.drafts import beginning, ops
from fleet_server.drafts.library import by_code
from fleet_server.drafts.models import Draft, DraftEdit
from fleet_server.drafts.ops import Body, Op
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import canonical
from fleet_server.questions.views import hash_of
from fleet_server.refusals import N_, Faults, Refused

EDITABLE = ("open", "asked", "approved")
MOST_BODY_BYTES = 128 * 1024  # eight times a set: room for what is still to be shortened
_UNSEEN = ("name", "version", "number")  # no screen shows them, so changing them asks for no new preview


@dataclass(frozen=True)
class Conflict:
    """An operation that was not done: `by` changed its field meanwhile (`theirs`), and it stands as `now` says."""

    yours: Op
    theirs: Op
    now: Any
    by: str
    at: int


@dataclass(frozen=True)
class Applied:
    """`revision`: the draft's after the call. What is not among the conflicts holds."""

    revision: int
    conflicts: list[Conflict]


def new(
    session: Session,
    actor: Person | str,
    name: str,
    *,
    copy_of: int | None = None,
    continues: bool = False,
    now: int,
) -> Draft:
    """A draft: empty, a copy of a set, or (`continues`) that set's next version, in the same family."""
    faults = Faults()
    name = faults.text("name", name, 200)
    source = session.get(QuestionSet, copy_of) if copy_of is not None else None
    if copy_of is not None and source is None:
        faults.add("copy_of", N_("There is no question set %(value)s."), value=copy_of)
    faults.check()
    body = (
        beginning.empty()
        if source is None
        else beginning.copied(source, by_code(session), next_version=continues)
    )
    draft = Draft(
        name=name,
        family=source.family if source and continues else None,
        previous=source.number if source else None,
        body=_text(body | {"name": name}),
        created_at=now,
        created_by=name_of(actor),
        edited_at=now,
        edited_by=name_of(actor),
    )
    session.add(draft)
    session.flush()
    audit.record(
        session, actor, "create draft", "draft", draft.id, after={"name": name, "set": copy_of}, now=now
    )
    return draft


def get(session: Session, draft_id: int, *, for_edit: bool = False) -> Draft | None:
    """A draft; `for_edit`: no other transaction changes it meanwhile."""
    return session.get(Draft, draft_id, with_for_update=True if for_edit else None)


def all_drafts(session: Session) -> Sequence[Draft]:
    """Every draft, the one that was edited last first."""
    return session.exec(select(Draft).order_by(col(Draft.edited_at).desc(), col(Draft.id).desc())).all()


def body(draft: Draft) -> Body:
    """The draft as a question set without a number, see questions/schema.py."""
    made: Body = json.loads(draft.body)
    return made


def content_hash(draft: Draft) -> str:
    """SHA-256 of all that a visitor could see; the name and the version are for the desk."""
    return hash_of(canonical({key: value for key, value in body(draft).items() if key not in _UNSEEN}))


def edits(session: Session, draft_id: int, *, since: int = 0) -> Sequence[DraftEdit]:
    """The edits after a revision, oldest first."""
    query = select(DraftEdit).where(DraftEdit.draft_id == draft_id, col(DraftEdit.revision) > since)
    return session.exec(query.order_by(col(DraftEdit.revision))).all()


def body_at(session: Session, draft: Draft, revision: int) -> Body:
    """The body as it was at an earlier revision."""
    found = body(draft)
    for edit in reversed(edits(session, draft.id or 0, since=revision)):
        for inverse in json.loads(edit.inverse):
            found, _again = ops.apply(found, inverse)
    return found


def apply(
    session: Session, actor: Person | str, draft_id: int, wanted: list[Op], revision: int, *, now: int
) -> Applied:
    """Do operations that were thought of at `revision`, as one edit.

    Raises Refused with every fault, and does nothing then. Where somebody has changed the same field since, that
    operation is a conflict, and the others hold.
    """
    draft = editable(session, draft_id)
    if not 0 <= revision <= draft.revision:
        raise Refused({"revision": (N_("Revision %(value)s is none of this draft."), {"value": revision})})
    later = [(edit, op) for edit in edits(session, draft_id, since=revision) for op in json.loads(edit.op)]
    faults: dict[str, Any] = {}
    done: list[Op] = []
    inverses: list[Op] = []
    conflicts: list[Conflict] = []
    made = body(draft)
    library = by_code(session)
    for op in ops.read(wanted):
        against = changed_since(op, later)
        if op["do"] == "set" and against and ops.at(made, op["path"]) == op["to"]:
            continue  # both wanted the same
        if against:
            edit, theirs = against
            conflicts.append(Conflict(op, theirs, ops.at(made, op["path"]), edit.by, edit.at))
            continue
        try:
            whole = ops.spelled_out(made, op, library)
        except Refused as refused:
            faults |= refused.faults
            continue
        after, inverse = ops.apply(made, whole)
        if after != made or whole["do"] == "keep":
            made = after
            done.append(whole)
            inverses.insert(0, inverse)
    if faults:
        raise Refused(faults)
    if done:
        keep(session, actor, draft, made, done, inverses, undoes=None, now=now)
    return Applied(draft.revision, conflicts)


def drop(session: Session, actor: Person | str, draft_id: int, *, now: int) -> Draft:
    """Put a draft away; it can be restored."""
    draft = editable(session, draft_id)
    _change_state(draft, "dropped")
    session.add(draft)
    audit.record(session, actor, "drop draft", "draft", draft_id, before={"name": draft.name}, now=now)
    return draft


def restore(session: Session, actor: Person | str, draft_id: int, *, now: int) -> Draft:
    """Take a dropped draft up again."""
    draft = get(session, draft_id, for_edit=True)
    if draft is None or draft.state != "dropped":
        raise Refused({"draft": (N_("Draft %(value)s is not a dropped one."), {"value": draft_id})})
    _change_state(draft, "open")
    session.add(draft)
    audit.record(session, actor, "restore draft", "draft", draft_id, after={"name": draft.name}, now=now)
    return draft


def keep(
    session: Session,
    actor: Person | str,
    draft: Draft,
    made: Body,
    done: list[Op],
    inverses: list[Op],
    *,
    undoes: int | None,
    now: int,
) -> None:
    """One edit: the body that it makes, its operations, and those that take it back."""
    kept = _text(made)
    if len(kept.encode()) > MOST_BODY_BYTES:
        text = N_("The draft would be %(size)s bytes, at most %(most)s are kept.")
        raise Refused({"ops": (text, {"size": len(kept.encode()), "most": MOST_BODY_BYTES})})
    draft.body, draft.name = kept, made["name"]
    draft.revision += 1
    draft.edited_at, draft.edited_by = now, name_of(actor)
    _change_state(draft, "open")  # what was approved is a revision, not a draft
    session.add(draft)
    session.add(
        DraftEdit(
            draft_id=draft.id or 0,
            revision=draft.revision,
            at=now,
            by=name_of(actor),
            op=json.dumps(done, ensure_ascii=False),
            inverse=json.dumps(inverses, ensure_ascii=False),
            undoes=undoes,
        )
    )
    session.flush()


def changed_since(op: Op, later: list[tuple[DraftEdit, Op]]) -> tuple[DraftEdit, Op] | None:
    """The newest later edit of the same field, or the one that removed the question after which it wants to stand."""
    wanted = [ops.field(op)] + ([f"questions/{op['after']}"] if op.get("after") else [])
    for edit, other in reversed(later):
        if ops.overlap(ops.field(other), wanted[0]) or (other["do"] == "remove" and other["path"] in wanted):
            return edit, other
    return None


def editable(session: Session, draft_id: int) -> Draft:
    """The draft, for an edit. Raises Refused when it is none that can be edited."""
    draft = get(session, draft_id, for_edit=True)
    if draft is None:
        raise Refused({"draft": (N_("There is no draft %(value)s."), {"value": draft_id})})
    if draft.state not in EDITABLE:
        text = N_("Draft %(value)s was published. Go on with a new version of its set.")
        if draft.state == "dropped":
            text = N_("Draft %(value)s was dropped. Restore it to go on.")
        raise Refused({"draft": (text, {"value": draft_id})})
    return draft


def _change_state(draft: Draft, state: str) -> None:
    draft.state = state
    draft.asked_at = draft.asked_by = draft.approved_at = draft.approved_by = None


def _text(made: Body) -> str:
    return canonical(made).decode()


def name_of(actor: Person | str) -> str:
    """As the edits keep whose they are."""
    return actor if isinstance(actor, str) else actor.actor
