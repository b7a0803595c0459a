"""What the page of a draft shows: its fields, their faults, who changed what, what is unsaved. It edits nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from sqlmodel import Session

from fleet_server.accounts.access import Person, may
from fleet_server.accounts.models import Role
from fleet_server.accounts.names import of_people
from fleet_server.drafts import approval, flowing, form, ops, service
from fleet_server.drafts.fields import question_of
from fleet_server.drafts.library import by_code, items
from fleet_server.drafts.models import Draft, DraftEdit
from fleet_server.drafts.wording import KIND_NAMES, STATE_NAMES, anchor, faults, target, told, without_name
from fleet_server.questions.flows import KINDS
from fleet_server.questions.pages import LANGUAGE_NAMES, STATUS_NAMES
from fleet_server.questions.turns import MOST_THEN
from fleet_server.questions.types import OPTIONS, TYPE_NAMES, TYPES, asked_by, models, offers_cant_say
from fleet_server.refusals import N_
from fleet_server.web.forms import said
from fleet_server.web.i18n import _

LATEST_EDITS = 5
HOW_NAMES = {
    flowing.ALWAYS: N_("always"),
    flowing.IN_TURN: N_("in turn"),
    flowing.NOT: N_("not asked"),
}


@dataclass
class Sent:
    """What came of a sent form. `typed`: what stays in a field though it was not saved; `back`: what was taken back."""

    revision: int
    back: str = ""
    structure: bool = False
    conflicts: list[service.Conflict] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EditLine:
    """One edit as it is listed."""

    revision: int
    at: int
    by: str
    what: list[str]
    undoes: int | None


def context_of(
    request: Request,
    session: Session,
    person: Person,
    row: Draft,
    outcome: Sent | None = None,
    since: int | None = None,
) -> dict[str, Any]:
    """Everything that the template of a draft's page needs."""
    body = service.body(row)
    names = of_people(session)
    shown_lines = lines(
        session, service.edits(session, row.id or 0, since=min(since or 0, row.revision - LATEST_EDITS))
    )
    codes = [question["code"] for question in body["questions"]]
    flows = [flow["kind"] for flow in body.get("flows", [])] or ["visitor"]
    tables = {kind: flowing.cells(ops.at(body, f"flows/{kind}"), codes) for kind in flows}
    outcome = outcome or Sent(row.revision)
    faces = frozenset[str]().union(*(asked_by(each) for each in models().values() if each.screen != "touch"))
    return {
        "person": person,
        "may": may,
        "draft": row,
        "body": body,
        "questions": body["questions"],
        "languages": body["languages"],
        "shown_languages": [one for one in LANGUAGE_NAMES if one in body["languages"]],
        "language_names": {code: _(name) for code, name in LANGUAGE_NAMES.items()},
        "statuses": {name: _(text) for name, text in STATUS_NAMES.items()},
        "types": {name: _(text) for name, text in TYPE_NAMES.items()},
        "kinds": {name: _(KIND_NAMES[name]) for name in KINDS},
        "hows": {name: _(text) for name, text in HOW_NAMES.items()},
        "tables": tables,
        "flowed": {kind: flowing.ask_of(*tables[kind]) for kind in tables},
        "state": _(STATE_NAMES[row.state]),
        "second": approval.sent_back(session, row),
        "names": names,
        "may_edit": may(person, Role.COORDINATOR) and row.state in service.EDITABLE,
        "library": items(session),
        "newest": by_code(session),
        "codes": codes,
        "turns": body.get("turns") or {"every": "day", "then": []},
        "most_then": MOST_THEN,
        "on_buttons": [question for question in body["questions"] if question["type"] in faces],
        "scored": {name for name, kind in TYPES.items() if kind.name != "text"},
        "options": OPTIONS,
        "cant_say_types": {name for name, kind in TYPES.items() if kind.cant_say is not None},
        "offers_cant_say": offers_cant_say,
        "answers_of": form.answers_of,
        "ticked": form.ticked,
        "question_of": question_of,
        "faults": [
            (without_name(said(fault.text), row.name), target(fault.path, body)) for fault in faults(body)
        ],
        "anchor": anchor,
        "language": person.language,
        "typed": outcome.typed,
        "errors": outcome.errors,
        "conflicts": [_conflict(conflict, names) for conflict in outcome.conflicts],
        "back": outcome.back,
        "latest": shown_lines[-LATEST_EDITS:][::-1],
        "others": [
            line
            for line in shown_lines
            if since is not None
            and line.revision > since
            and line.by != names.get(person.actor, person.actor)
        ],
    }


def _conflict(conflict: service.Conflict, names: dict[str, str]) -> dict[str, Any]:
    now = conflict.now
    return {
        "path": conflict.yours["path"],
        "by": names.get(conflict.by, conflict.by),
        "at": conflict.at,
        "theirs": said(told(conflict.theirs)),
        "yours": said(told(conflict.yours)),
        "now": now if isinstance(now, str) else "",
    }


def lines(session: Session, rows: Sequence[DraftEdit]) -> list[EditLine]:
    """Edits as they are listed."""
    names = of_people(session)
    return [
        EditLine(
            row.revision,
            row.at,
            names.get(row.by, row.by),
            [said(told(op)) for op in json.loads(row.op)],
            row.undoes,
        )
        for row in rows
    ]
