"""Open texts: released in the same blocks as everything else, in no order that says who came when, forgotten in time.

What names a person was taken out when they arrived (answers/masking.py).
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlmodel import Session, col

from fleet_server.answers import bulk, wire
from fleet_server.answers.models import Record
from fleet_server.instants import DAY_MS
from fleet_server.places.models import Place, Unit
from fleet_server.results.models import PLACE, Block, ReleasedText, Series
from fleet_server.results.scores import Where

# What stays of a text that was forgotten: something was written.
_FORGOTTEN = "…"
_TEXTS, _BLOCKS, _RECORDS = bulk.table_of(ReleasedText), bulk.table_of(Block), bulk.table_of(Record)
_SHUFFLE = secrets.SystemRandom()


@dataclass(frozen=True)
class Text:
    """One text. `since`, `day`: the Finnish midnights of its block's first and last answer; nothing finer is known."""

    text: str
    since: int
    day: int
    place: str


def release(session: Session, block: Block, texts: Iterable[str]) -> None:
    """Let the texts of a block be read."""
    # A mad kiosk may send NUL, which no text of PostgreSQL can hold; one text must not keep all others back for ever.
    shuffled = [text.replace("\0", "") for text in texts]
    _SHUFFLE.shuffle(shuffled)
    session.add_all(
        ReleasedText(block_id=block.id or 0, text=text, folded=text.casefold()) for text in shuffled
    )


def read(
    session: Session,
    where: Where,
    start: int,
    stop: int,
    *,
    search: str = "",
    with_filtered: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> tuple[int, list[Text]]:
    """How many texts there are of [start, stop) with `search` in them, and a page of them, newest blocks first."""
    # Only blocks of questions that have texts: of ten million answers that leaves few to look at.
    asked = select(col(Series.id)).where(col(Series.type) == "text")
    conditions = [
        _within(where),
        _BLOCKS.c.series_id.in_(asked),
        _BLOCKS.c.day >= start,
        _BLOCKS.c.day < stop,
    ]
    if not with_filtered:
        conditions.append(_BLOCKS.c.filtered.is_(False))
    for word in search.casefold().split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        conditions.append(_TEXTS.c.folded.like(f"%{escaped}%", escape="\\"))
    # One pass that reads indexes alone unless words are looked for; only the page's own texts are fetched.
    found = (
        select(_TEXTS.c.id, _BLOCKS.c.day, func.count().over().label("found"))
        .join(_BLOCKS, _TEXTS.c.block_id == _BLOCKS.c.id)
        .where(*conditions)
    )
    run = session.connection().execute
    newest = found.order_by(_BLOCKS.c.day.desc(), _TEXTS.c.id.desc()).limit(limit).offset(offset)
    page = run(newest).all()
    if not page:
        return (
            int(run(select(func.count()).select_from(found.subquery())).scalar_one()) if offset else 0
        ), []
    rows = run(
        select(_TEXTS.c.text, _BLOCKS.c.since, _BLOCKS.c.day, col(Place.name))
        .join(_BLOCKS, _TEXTS.c.block_id == _BLOCKS.c.id)
        .join(Place, _BLOCKS.c.place_id == col(Place.id))
        .where(_TEXTS.c.id.in_([row.id for row in page]))
        .order_by(_BLOCKS.c.day.desc(), _TEXTS.c.id.desc())
    )
    return int(page[0].found), [Text(*row) for row in rows]


def forget(session: Session, *, days: int, now: int) -> int:
    """Take away texts whose block is older; of the records they came in only that something was written stays."""
    old = select(_BLOCKS.c.id).where(_BLOCKS.c.day < now - days * DAY_MS)
    run = session.connection().execute
    gone: Any = run(delete(_TEXTS).where(_TEXTS.c.block_id.in_(old)))
    written = (
        (_RECORDS.c.kind == wire.KIND_ANSWER)
        & (func.coalesce(_RECORDS.c.from_at, _RECORDS.c.received_at) < now - days * DAY_MS)
        & (func.length(_RECORDS.c.body) > len(_FORGOTTEN.encode()))
    )
    run(update(_RECORDS).where(written).values(body=_FORGOTTEN.encode(), crc=wire.NO_CRC))
    return int(gone.rowcount)


def _within(where: Where) -> ColumnElement[bool]:
    if where.scope == PLACE:
        return _BLOCKS.c.place_id == where.id
    units = select(col(Unit.id)).where(col(Unit.path).like(f"%/{where.id}/%"))
    places = select(col(Place.id)).where(col(Place.unit_id).in_(units), col(Place.demo).is_(False))
    return _BLOCKS.c.place_id.in_(places)
