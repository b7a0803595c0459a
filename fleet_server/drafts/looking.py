"""Noting that somebody has looked at a draft's screens, or walked through it: for the pages and for the API alike.

It draws nothing. Invariant: only content without a fault on that model is noted as seen, and only while it is what
the draft says.
"""

from typing import Any, Literal

from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.drafts import seen, service
from fleet_server.drafts.models import Draft
from fleet_server.questions.schema import faults_of
from fleet_server.screens.check import screen_faults
from fleet_server.screens.gallery import models_with_screens

ANY_NUMBER = 1  # a view needs one, and no screen shows it

Hindrance = Literal["", "changed", "faulty"]


def as_set(draft: Draft) -> dict[str, Any]:
    """The body as that of a set, for what lays one out."""
    return service.body(draft) | {"number": ANY_NUMBER}


def look(session: Session, person: Person, draft: Draft, *, content: str, model: str, now: int) -> Hindrance:
    """“I have looked at all screens of this content on this model.” Says why it was not noted; '' when it was."""
    if content != service.content_hash(draft):
        return "changed"
    body = as_set(draft)
    if faults_of(body) or model not in models_with_screens(body) or screen_faults(body, model):
        return "faulty"
    seen.note(session, content, model, person.actor, now=now)
    after = {"model": model, "content": content, "revision": draft.revision}
    audit.record(session, person, "look at preview", "draft", draft.id, after=after, now=now)
    return ""
