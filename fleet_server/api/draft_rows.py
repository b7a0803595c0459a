"""A draft's row as the API's modules find it, say it and tell of it. It decides nothing."""

from dataclasses import asdict
from typing import Any

from fastapi import HTTPException, Request
from sqlmodel import Session

from fleet_server.api import desk_shapes as shapes
from fleet_server.db import after_commit
from fleet_server.drafts import service
from fleet_server.drafts.models import Draft
from fleet_server.instants import utc
from fleet_server.questions.compare import Comparison


def draft_row(session: Session, draft_id: int) -> Draft:
    """The draft; raises HTTPException 404."""
    row = service.get(session, draft_id)
    if row is None:
        raise HTTPException(404, f"draft {draft_id} does not exist")
    return row


def draft_fields(row: Draft) -> dict[str, Any]:
    """What shapes.Draft says of it."""
    found = {name: getattr(row, name) for name in shapes.Draft.model_fields if name != "edited_at"}
    return found | {"edited_at": utc(row.edited_at)}


def breaks_of(breaks: dict[str, Any]) -> dict[str, list[str]]:
    """The same in sentences."""
    return {code: [str(reason) for reason in reasons] for code, reasons in breaks.items()}


def comparison(found: Comparison) -> shapes.Comparison:
    """What one body has otherwise than another."""
    return shapes.Comparison(
        classes=list(found.classes),
        added=found.added,
        removed=found.removed,
        reworded=[shapes.Text(**asdict(text)) for text in found.reworded],
        translated=[shapes.Text(**asdict(text)) for text in found.translated],
        moved=[str(change.said) for change in found.moved],
        rescaled=[str(change.said) for change in found.rescaled],
        breaks=breaks_of(found.breaks),
    )


def applied(request: Request, session: Session, draft_id: int, done: service.Applied) -> shapes.Applied:
    """What an edit came to; those who look at the draft are told once it is committed."""
    tell(request, session, draft_id)
    conflicts = [
        shapes.Conflict(yours=one.yours, theirs=one.theirs, now=one.now, by=one.by, at=utc(one.at))
        for one in done.conflicts
    ]
    return shapes.Applied(revision=done.revision, conflicts=conflicts)


def tell(request: Request, session: Session, draft_id: int) -> None:
    """Tell, once it is committed, who looks at the draft or at all drafts."""
    after_commit(session, lambda: request.app.state.changes.notify("drafts", f"draft:{draft_id}"))
