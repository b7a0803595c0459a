"""A draft to translate: an own question in three languages, a national one, and what tests do with both."""

from typing import Any

from sqlmodel import Session

from fleet_server.drafts import service
from fleet_server.drafts.models import Draft
from fleet_server.questions import service as questions
from tests.conftest import MONDAY_10

TEXT = {"fi": "Oliko helppo löytää?", "sv": "Var det lätt att hitta?", "en": "Was it easy to find?"}
LABELS = {"fi": ["Kyllä", "En"], "sv": ["Ja", "Nej"], "en": ["Yes", "No"]}
FIND = {"code": "FIND", "type": "choice", "text": TEXT, "labels": LABELS}
FIND_SV = "questions/FIND/text/sv"
FIND_FI = "questions/FIND/text/fi"


def set_(path: str, to: Any) -> dict[str, Any]:
    """The operation."""
    return {"do": "set", "path": path, "to": to}


def make_draft(session: Session, now: int = MONDAY_10) -> Draft:
    """A copy of the ready set with one question of five faces, a national question and an own one added."""
    questions.add_national(session, now=now)
    draft = service.new(session, "bob", "Syksyn kysymykset", copy_of=4, now=now)
    edit(session, draft, {"do": "add", "path": "questions/FIND", "to": FIND})
    return draft


def edit(session: Session, draft: Draft, *ops: dict[str, Any], by: str = "bob") -> None:
    """Do operations at the newest revision."""
    applied = service.apply(session, by, draft.id or 0, list(ops), draft.revision, now=MONDAY_10)
    assert applied.conflicts == []
