"""Edits of a draft taken back, and done again, by whoever made them. It knows no page.

Invariant: taking back is an edit, too; nobody's edit takes back another person's.
"""

import json

from sqlmodel import Session

from fleet_server.accounts.access import Person
from fleet_server.drafts import ops
from fleet_server.drafts.models import DraftEdit
from fleet_server.drafts.ops import Op
from fleet_server.drafts.service import Applied, Conflict, body, changed_since, editable, edits, keep, name_of


def undo(session: Session, actor: Person | str, draft_id: int, *, now: int) -> Applied:
    """Take back this person's newest edit that still holds. Nothing to take back: nothing happens."""
    return _take_back(session, actor, draft_id, 0, now=now)


def redo(session: Session, actor: Person | str, draft_id: int, *, now: int) -> Applied:
    """Do again what this person took back last, unless there was an edit since."""
    return _take_back(session, actor, draft_id, 1, now=now)


def undoable(
    session: Session, actor: Person | str, draft_id: int
) -> tuple[DraftEdit | None, DraftEdit | None]:
    """The edits that `undo` and `redo` would take back."""
    done: list[DraftEdit] = []
    undone: list[DraftEdit] = []
    for edit in edits(session, draft_id):
        if edit.by != name_of(actor):
            continue
        if edit.undoes is None:
            done.append(edit)
            undone.clear()
        elif done and done[-1].revision == edit.undoes:
            done.pop()
            undone.append(edit)
        elif undone:
            undone.pop()
            done.append(edit)
    return (done[-1] if done else None), (undone[-1] if undone else None)


def _take_back(session: Session, actor: Person | str, draft_id: int, which: int, *, now: int) -> Applied:
    draft = editable(session, draft_id)
    edit = undoable(session, actor, draft_id)[which]
    if edit is None:
        return Applied(draft.revision, [])
    inverses: list[Op] = json.loads(edit.inverse)
    foreign = [
        (other, op)
        for other in edits(session, draft_id, since=edit.revision)
        if other.by != edit.by
        for op in json.loads(other.op)
    ]
    made = body(draft)
    conflicts = [
        Conflict(op, theirs, ops.at(made, op["path"]), other.by, other.at)
        for op in inverses
        for other, theirs in [changed_since(op, foreign) or (None, {})]
        if other is not None
    ]
    if conflicts:
        return Applied(draft.revision, conflicts)
    again: list[Op] = []
    for op in inverses:
        made, back = ops.apply(made, op)
        again.insert(0, back)
    keep(session, actor, draft, made, inverses, again, undoes=edit.revision, now=now)
    return Applied(draft.revision, [])
