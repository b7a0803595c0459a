"""The server's generation: a number by which kiosks see that its database was restored, and may have forgotten."""

import secrets

from sqlalchemy import delete, insert
from sqlmodel import Session

from fleet_server.answers import bulk
from fleet_server.answers.models import ServerState


def generation(session: Session, *, now: int) -> int:
    """The server's generation, a random 31-bit number; made when the database has none yet."""
    row = session.get(ServerState, 1)
    return row.generation if row is not None else renew_generation(session, now=now)


def renew_generation(session: Session, *, now: int) -> int:
    """A new generation: to be called after a restore. Until a device is heard again its books are unknown."""
    table = bulk.table_of(ServerState)
    session.expire_all()
    session.execute(delete(table))
    number = secrets.randbits(31)
    session.execute(insert(table).values(id=1, generation=number, since=now))
    return number
