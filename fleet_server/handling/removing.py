"""Takes away what was written about a unit or place that is removed: its number may be another one's later.

It knows no page, and nothing of places.
"""

from sqlalchemy import delete
from sqlmodel import Session

from fleet_server.answers import bulk
from fleet_server.handling.models import Handling, SaidAndDid


def remove_subject(session: Session, scope: str, scope_id: int | None) -> None:
    """`scope`: `unit` or `place`."""
    for table in (bulk.table_of(Handling), bulk.table_of(SaidAndDid)):
        mine = (table.c.scope == scope, table.c.scope_id == scope_id)
        session.connection().execute(delete(table).where(*mine))
