"""A person's reading list: texts chosen for the next staff meeting. It decides nothing about who may read them."""

from collections.abc import Collection

from sqlalchemy import delete, func
from sqlalchemy import select as columns_of
from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.answers import bulk
from fleet_server.db import insert_for
from fleet_server.handling.models import ReadingListEntry
from fleet_server.refusals import N_, Hindered, Sentence

MOST_TEXTS = 100  # more than a meeting reads
_ENTRIES = bulk.table_of(ReadingListEntry)


def texts_of(session: Session, person: Person) -> set[int]:
    """The ids of the released texts on this person's list; a program has none."""
    if person.kind != "user":
        return set()
    rows = session.connection().execute(columns_of(_ENTRIES.c.text_id).where(_ENTRIES.c.user_id == person.id))
    return set(rows.scalars())


def add(session: Session, person: Person, text_id: int, *, now: int) -> None:
    """Put a text on the list; twice is once. Raises Hindered when the list is full."""
    run = session.connection().execute
    count = run(
        columns_of(func.count()).select_from(_ENTRIES).where(_ENTRIES.c.user_id == person.id)
    ).scalar_one()
    if count >= MOST_TEXTS:
        raise Hindered(
            [
                Sentence(
                    N_("The reading list has %(most)s texts already. Take some off first."), most=MOST_TEXTS
                )
            ]
        )
    values = {"user_id": person.id, "text_id": text_id, "added_at": now}
    added = run(insert_for(session, _ENTRIES).values(values).on_conflict_do_nothing())
    if added.rowcount:
        audit.record(session, person, "add to reading list", "released text", text_id, now=now)


def take_off(session: Session, person: Person, text_ids: Collection[int], *, now: int) -> int:
    """Take texts off the list; how many were on it."""
    mine = (_ENTRIES.c.user_id == person.id, _ENTRIES.c.text_id.in_(text_ids))
    gone = int(session.connection().execute(delete(_ENTRIES).where(*mine)).rowcount)
    if gone == 1 and len(text_ids) == 1:
        audit.record(session, person, "take off reading list", "released text", *text_ids, now=now)
    elif gone:
        audit.record(
            session, person, "clear reading list", "person", person.id, after={"texts": gone}, now=now
        )
    return gone
