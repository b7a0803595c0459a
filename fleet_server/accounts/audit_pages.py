"""The audit log's page: who changed what, when, from what to what."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import allow
from fleet_server.accounts.models import ApiToken, AuditEntry, Role, User
from fleet_server.accounts.wording import PARTS, ROLE_NAMES
from fleet_server.devices.models import Device
from fleet_server.drafts.models import Draft
from fleet_server.places.fields import SECTORS
from fleet_server.places.models import Place, Unit
from fleet_server.web.deps import ReadSession
from fleet_server.web.i18n import LANGUAGE_NAMES, _
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name

router = APIRouter(include_in_schema=False)
Filter = Annotated[str, Query(max_length=200, pattern="^[^\\x00]*$")]

# Which parts of an entry hold the number of a unit or of a place.
_KIND_OF_PART = {"unit": "unit", "parent": "unit", "place": "place"}
_TABLES: dict[str, Any] = {
    "unit": Unit,
    "place": Place,
    "person": User,
    "token": ApiToken,
    "device": Device,
    "draft": Draft,
}
Names = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Line:
    """One entry as it is shown. `changes`: name, value before, value after; None: there was or is none."""

    id: int
    at: int
    actor: str
    action: str
    kind: str
    object_id: str
    object_name: str
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
    lines = _lines(session, rows[: audit.PAGE_ENTRIES])
    return render(
        request,
        "accounts/audit.html",
        lines=lines,
        older=len(rows) > audit.PAGE_ENTRIES,
        chosen={"actor": actor, "kind": kind, "object": object},
        chosen_name=lines[0].object_name if object and lines else object,
        filtered=bool(actor or kind or object or below),
    )


def _lines(session: Session, rows: Sequence[AuditEntry]) -> list[Line]:
    parts = [(row, _parts(row.before), _parts(row.after)) for row in rows]
    wanted = {(row.object_kind, row.object_id) for row in rows}
    for _row, before, after in parts:
        for side in (before, after):
            wanted |= {(_KIND_OF_PART[part], str(side[part])) for part in _KIND_OF_PART.keys() & side.keys()}
            wanted |= {("unit", str(role[-1])) for role in side.get("roles") or []}
    names = _names(session, wanted)
    return [
        Line(
            id=row.id or 0,
            at=row.at,
            actor=row.actor,
            action=_(row.action),
            kind=row.object_kind,
            object_id=row.object_id,
            object_name=names.get((row.object_kind, row.object_id), row.object_id),
            changes=[
                (
                    _(PARTS.get(part, part)),
                    _shown(part, before.get(part), names),
                    _shown(part, after.get(part), names),
                )
                for part in dict.fromkeys([*before, *after])
                if before.get(part) is not None or after.get(part) is not None
            ],
        )
        for row, before, after in parts
    ]


def _parts(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {"value": value}


def _names(session: Session, wanted: set[tuple[str, str]]) -> Names:
    """Names of objects by kind and id, as they are called now; what was removed keeps its number."""
    found: Names = {}
    for kind, table in _TABLES.items():
        ids = [number for each, number in wanted if each == kind and (kind == "device" or number.isdigit())]
        keys: list[Any] = ids if kind == "device" else [int(number) for number in ids if len(number) < 10]
        for row in session.exec(select(table).where(col(table.id).in_(keys))) if keys else ():
            found[kind, str(row.id)] = unit_name(row) if kind == "unit" else row.name
    return found


def _shown(part: str, value: Any, names: Names) -> str | None:
    """A value as people read it."""
    if value is None:
        return None
    if part == "roles":
        return ", ".join(_role(role, unit, names) for role, unit in value) or _("no role")
    if part in _KIND_OF_PART:
        return names.get((_KIND_OF_PART[part], str(value)), str(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if part == "role":
        return _(ROLE_NAMES[Role(value)])
    if part == "sector":
        return _(SECTORS.get(value, value))
    if part == "language":
        return LANGUAGE_NAMES.get(value, str(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _role(role: str, unit: int | None, names: Names) -> str:
    name = _(ROLE_NAMES[Role(role)])
    return name if unit is None else f"{name} ({names.get(('unit', str(unit)), unit)})"
