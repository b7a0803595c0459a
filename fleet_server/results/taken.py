"""Notes in the audit log who took open texts away in a file or by a program: of what, by which filters, how many.

It knows no text. Invariant: what is noted is on the disk before the texts leave; a search's words are noted as typed.
"""

from typing import Any

from fastapi import Request

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.results.subjects import Subject
from fleet_server.web.deps import write


async def note(request: Request, person: Person, subject: Subject, *, now: int, **how: Any) -> None:
    """Nothing when there were none; `how`: JSON values, with `texts`: how many there were."""
    if not how["texts"]:
        return
    where = subject.where
    await write(
        request,
        lambda session: audit.record(
            session, person, "download texts", where.scope, where.id, after=how, now=now
        ),
    )
