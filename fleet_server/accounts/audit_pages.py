"""The audit log's page: who changed what, when, from what to what."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from fleet_server.accounts import audit
from fleet_server.accounts.access import allow
from fleet_server.accounts.models import AuditEntry, Role
from fleet_server.web.deps import ReadSession
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False)
Filter = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class Line:
    """One entry as it is shown. `changes`: name, value before, value after; None: there was or is none."""

    id: int
    at: int
    actor: str
    action: str
    kind: str
    object_id: str
    changes: list[tuple[str, str | None, str | None]]


@router.get("/audit", dependencies=[allow(Role.OPERATOR)])
def audit_page(
    request: Request,
    session: ReadSession,
    actor: Filter = "",
    kind: Filter = "",
    object: Filter = "",
    below: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The newest changes, of everybody or of one person, of everything or of one object."""
    rows = audit.entries(session, actor=actor, object_kind=kind, object_id=object, below=below)
    return render(
        request,
        "accounts/audit.html",
        lines=[_line(row) for row in rows[: audit.PAGE_ENTRIES]],
        older=len(rows) > audit.PAGE_ENTRIES,
        chosen={"actor": actor, "kind": kind, "object": object},
        filtered=bool(actor or kind or object or below),
    )


def _line(row: AuditEntry) -> Line:
    before, after = (json.loads(text) if text else {} for text in (row.before, row.after))
    if not isinstance(before, dict) or not isinstance(after, dict):
        before, after = {"value": before or None}, {"value": after or None}
    names = list(dict.fromkeys([*before, *after]))
    return Line(
        id=row.id or 0,
        at=row.at,
        actor=row.actor,
        action=_(row.action),
        kind=row.object_kind,
        object_id=row.object_id,
        changes=[(_(name), _shown(before.get(name)), _shown(after.get(name))) for name in names],
    )


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
