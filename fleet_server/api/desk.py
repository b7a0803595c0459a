"""`/api/v1` at the coordinator's desk: drafts edited, approved and published, question sets compared.

The same services and rules as the pages; nothing is decided here.
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, allow, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.api import desk_shapes as shapes
from fleet_server.api.draft_rows import applied, breaks_of, comparison, draft_fields, draft_row, tell
from fleet_server.api.shapes import FAULTS
from fleet_server.drafts import approval, publish, service, undoing
from fleet_server.drafts.models import Draft
from fleet_server.instants import utc
from fleet_server.questions import service as questions
from fleet_server.questions import versions
from fleet_server.questions.compare import compare
from fleet_server.questions.models import QuestionSet
from fleet_server.rollouts.where import where
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write

router = APIRouter(prefix="/api/v1", responses=FAULTS)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
After = Annotated[int, Query(ge=0, lt=2**31, description="the last one already had")]
Limit = Annotated[int, Query(ge=1, le=500, description="at most so many in one answer")]


@router.get("/drafts")
def drafts(person: Coordinator, session: ReadSession, after: After = 0, limit: Limit = 100) -> shapes.Drafts:
    """Drafts by id, also those published or dropped."""
    query = select(Draft).where(col(Draft.id) > after).order_by(col(Draft.id)).limit(limit + 1)
    rows = session.exec(query).all()
    shown = [shapes.Draft(**draft_fields(row)) for row in rows[:limit]]
    return shapes.Drafts(drafts=shown, next=shown[-1].id if len(rows) > limit else None)


@router.get("/drafts/{draft_id}")
def draft(person: Coordinator, session: ReadSession, now: Now, draft_id: RowId) -> shapes.OneDraft:
    """One draft with its texts, its faults and what it breaks."""
    row = draft_row(session, draft_id)
    ready = publish.readiness(session, row, now=now)
    return shapes.OneDraft(
        **draft_fields(row),
        body=service.body(row),
        faults=[str(fault) for fault in ready.faults],
        unseen=ready.unseen,
        breaks=breaks_of(ready.breaks),
    )


@router.post("/drafts", status_code=201)
def new_draft(
    request: Request, person: Coordinator, session: WriteSession, now: Now, asked: shapes.NewDraft
) -> shapes.Draft:
    """Make a draft: empty, a copy of a set, or that set's next version."""
    row = service.new(session, person, asked.name, copy_of=asked.copy_of, continues=asked.continues, now=now)
    tell(request, session, row.id or 0)
    return shapes.Draft(**draft_fields(row))


@router.post("/drafts/{draft_id}/ops")
def edit(
    request: Request, person: Coordinator, session: WriteSession, now: Now, draft_id: RowId, asked: shapes.Ops
) -> shapes.Applied:
    """Edit. Where somebody has changed the same field since, that operation is a conflict, and the others hold."""
    draft_row(session, draft_id)
    done = service.apply(session, person, draft_id, asked.ops, asked.revision, now=now)
    return applied(request, session, draft_id, done)


@router.post("/drafts/{draft_id}/undo")
def undo(
    request: Request, person: Coordinator, session: WriteSession, now: Now, draft_id: RowId
) -> shapes.Applied:
    """Take back the newest edit of whoever asks."""
    draft_row(session, draft_id)
    return applied(request, session, draft_id, undoing.undo(session, person, draft_id, now=now))


@router.post("/drafts/{draft_id}/redo")
def redo(
    request: Request, person: Coordinator, session: WriteSession, now: Now, draft_id: RowId
) -> shapes.Applied:
    """Do again what was taken back last."""
    draft_row(session, draft_id)
    return applied(request, session, draft_id, undoing.redo(session, person, draft_id, now=now))


@router.post("/drafts/{draft_id}/drop")
def drop(
    request: Request, person: Coordinator, session: WriteSession, now: Now, draft_id: RowId
) -> shapes.Draft:
    """Put a draft away; it can be restored."""
    draft_row(session, draft_id)
    row = service.drop(session, person, draft_id, now=now)
    tell(request, session, draft_id)
    return shapes.Draft(**draft_fields(row))


@router.post("/drafts/{draft_id}/restore")
def restore_draft(
    request: Request, person: Coordinator, session: WriteSession, now: Now, draft_id: RowId
) -> shapes.Draft:
    """Take a dropped draft up again."""
    draft_row(session, draft_id)
    row = service.restore(session, person, draft_id, now=now)
    tell(request, session, draft_id)
    return shapes.Draft(**draft_fields(row))


@router.post("/drafts/{draft_id}/ask")
def ask(
    request: Request, person: Coordinator, session: WriteSession, now: Now, draft_id: RowId
) -> shapes.Draft:
    """Ask for a second person's approval."""
    draft_row(session, draft_id)
    row = approval.ask(session, person, draft_id, now=now)
    tell(request, session, draft_id)
    return shapes.Draft(**draft_fields(row))


@router.post("/drafts/{draft_id}/approve")
def approve(
    request: Request,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    draft_id: RowId,
    asked: shapes.OfRevision,
) -> shapes.Draft:
    """Approve a revision. Where the county requires a second person, a token cannot."""
    draft_row(session, draft_id)
    row = approval.approve(session, person, draft_id, asked.revision, now=now)
    tell(request, session, draft_id)
    return shapes.Draft(**draft_fields(row))


@router.post("/drafts/{draft_id}/send-back")
def send_back(
    request: Request,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    draft_id: RowId,
    asked: shapes.SentBack,
) -> shapes.Draft:
    """Open an asked or approved draft again, with a comment."""
    draft_row(session, draft_id)
    row = approval.send_back(session, person, draft_id, asked.comment, now=now)
    tell(request, session, draft_id)
    return shapes.Draft(**draft_fields(row))


@router.post("/drafts/{draft_id}/publish", status_code=201)
async def publish_draft(
    request: Request, person: Coordinator, now: Now, draft_id: RowId, asked: shapes.Publish
) -> shapes.Published:
    """Make the immutable question set; refused with every fault in `faults`. No kiosk changes yet."""

    def look(session: Session) -> None:  # lays it out, which nobody else should wait for
        publish.readiness(session, draft_row(session, draft_id), now=now)

    def make(session: Session) -> QuestionSet:
        row = publish.publish(
            session,
            person,
            draft_id,
            revision=asked.revision,
            breaks_confirmed=asked.breaks_confirmed,
            now=now,
        )
        tell(request, session, draft_id)
        return row

    await read(request, look)
    row = await write(request, make)
    return shapes.Published(
        number=row.number, hash=row.hash, family=row.family, previous=row.previous, change=row.change
    )


@router.get("/question-sets/{number}/compare/{other}")
def compare_sets(person: SignedIn, session: ReadSession, number: RowId, other: RowId) -> shapes.Comparison:
    """What set `other` has otherwise than set `number`."""
    found = compare(*(questions.body_of(_set(session, one)) for one in (number, other)))
    return comparison(found)


@router.get("/question-sets/{number}/kiosks")
def kiosks(person: SignedIn, session: ReadSession, number: RowId) -> shapes.Kiosks:
    """Who runs what: each kiosk that you may see of which this set is wished now."""
    row = _set(session, number)
    visible = set(session.scalars(visible_devices(person)))
    found = [
        shapes.Kiosk(
            device_id=one.device_id,
            state=one.state,
            asks=one.asks,
            wished_at=None if one.since is None else utc(one.since),
            heard_at=None if one.heard is None else utc(one.heard),
            reason=str(one.reason),
        )
        for one in where(session, number)
        if one.device_id in visible
    ]
    return shapes.Kiosks(faults=[str(fault) for fault in questions.faults_for(row, ())], kiosks=found)


@router.post("/question-sets/{number}/archive")
def archive(person: Coordinator, session: WriteSession, now: Now, number: RowId) -> shapes.Kept:
    """Put a set away; refused while it is wished of a kiosk."""
    _set(session, number)
    return _kept(versions.archive(session, person, number, now=now))


@router.post("/question-sets/{number}/restore")
def restore(person: Coordinator, session: WriteSession, now: Now, number: RowId) -> shapes.Kept:
    """Take a set out of the archive."""
    _set(session, number)
    return _kept(versions.restore(session, person, number, now=now))


@router.post("/question-sets/{number}/label")
def label(
    person: Coordinator, session: WriteSession, now: Now, number: RowId, asked: shapes.Label
) -> shapes.Kept:
    """Give a set a label, or take it away."""
    _set(session, number)
    return _kept(versions.label(session, person, number, asked.label, now=now))


def _kept(row: QuestionSet) -> shapes.Kept:
    return shapes.Kept(number=row.number, label=row.label, archived=row.archived_at is not None)


def _set(session: Session, number: int) -> QuestionSet:
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    return row
