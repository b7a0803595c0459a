"""Open texts: released in the same blocks as everything else, in no order that says who came when, forgotten in time.

Codes, numbers and addresses of persons were taken out when they arrived (answers/masking.py); a name that is likely in
a text is marked when it is released. What people then do with a text is handling/'s business.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, select, update
from sqlmodel import Session, col

from fleet_server.answers import bulk
from fleet_server.answers.fingerprints import COARSE, NO_CRC
from fleet_server.answers.models import HAS_TEXT, Record
from fleet_server.handling import themes
from fleet_server.handling.naming import may_name
from fleet_server.instants import DAY_MS
from fleet_server.places.models import Place, Unit
from fleet_server.results.models import PLACE, Block, ReleasedText
from fleet_server.results.scores import Where

# What stays of a text that was forgotten: something was written.
_FORGOTTEN = "…".encode()
_TEXTS, _BLOCKS, _RECORDS = bulk.table_of(ReleasedText), bulk.table_of(Block), bulk.table_of(Record)
_SHUFFLE = secrets.SystemRandom()
# Of a record whose text is changed: what was in it could be computed back from its CRC.
NOT_AS_IT_CAME = case((_RECORDS.c.crc < COARSE, NO_CRC), else_=COARSE)
_BLOCKS_AT_ONCE = 500  # SQLite binds at least 999 values
_LISTED = (
    select(_TEXTS.c.text, _BLOCKS.c.since, _BLOCKS.c.day, col(Place.name), _TEXTS.c.id, _TEXTS.c.may_name)
    .join(_BLOCKS, _TEXTS.c.block_id == _BLOCKS.c.id)
    .join(Place, _TEXTS.c.place_id == col(Place.id))
)


@dataclass(frozen=True)
class Text:
    """One text. `since`, `day`: the Finnish midnights of its block's first and last answer; nothing finer is known.

    `id`: of the released text. `may_name`: a personal name is likely in it.
    """

    text: str
    since: int
    day: int
    place: str
    id: int
    may_name: bool


def release(session: Session, block: Block, texts: Iterable[str]) -> None:
    """Let the texts of a block be read."""
    # A mad kiosk may send NUL, which no text of PostgreSQL can hold; one text must not keep all others back for ever.
    shuffled = [as_read(text) for text in texts]
    _SHUFFLE.shuffle(shuffled)
    rows = [
        ReleasedText(
            block_id=block.id or 0,
            text=text,
            folded=text.casefold(),
            day=block.day,
            place_id=block.place_id,
            filtered=block.filtered,
            may_name=may_name(text),
        )
        for text in shuffled
    ]
    session.add_all(rows)
    session.flush()
    themes.sort(session, [row.id or 0 for row in rows])


def as_read(text: str) -> str:
    """A text of a record as it is released."""
    return text.replace("\0", "")


def read(
    session: Session,
    where: Where,
    start: int,
    stop: int,
    *,
    search: str = "",
    with_filtered: bool = False,
    among: Sequence[ColumnElement[bool]] = (),
    limit: int = 50,
    offset: int = 0,
) -> tuple[int, list[Text]]:
    """How many texts there are of [start, stop) with `search` in them, and a page of them, newest blocks first.

    `among`: more conditions on `released_text`.
    """
    conditions = [*_time(start, stop, with_filtered), *matching(search), *among]
    run = session.connection().execute
    count = run(
        select(func.count()).select_from(_TEXTS).where(_within(where, _TEXTS.c.place_id), *conditions)
    ).scalar_one()
    # From the newest day on until the page is full, and only those of the page are read and joined. Of a unit nothing
    # but `+ 0` keeps the database from going place by place, and sorting a year's texts for a page of them.
    newest = _TEXTS.c.day.desc(), _TEXTS.c.id.desc()
    place: ColumnElement[int] = _TEXTS.c.place_id if where.scope == PLACE else _TEXTS.c.place_id + 0
    ids = select(_TEXTS.c.id).where(_within(where, place), *conditions)
    ids = ids.order_by(*newest).limit(limit).offset(offset)
    return int(count), [Text(*row) for row in run(_LISTED.where(_TEXTS.c.id.in_(ids)).order_by(*newest))]


def chosen(session: Session, ids: ColumnElement[bool]) -> list[tuple[Text, int]]:
    """The texts that meet a condition on `released_text`, oldest first, each with its place's id."""
    rows = session.connection().execute(
        _LISTED.add_columns(_TEXTS.c.place_id).where(ids).order_by(_TEXTS.c.day, _TEXTS.c.id)
    )
    return [(Text(*row[:-1]), int(row[-1])) for row in rows]


def within(where: Where, start: int, stop: int, *, with_filtered: bool = False) -> list[ColumnElement[bool]]:
    """The conditions on `released_text` for those of a subject in [start, stop)."""
    return [_within(where, _TEXTS.c.place_id), *_time(start, stop, with_filtered)]


def matching(search: str) -> list[ColumnElement[bool]]:
    """The conditions on `released_text` for those that have each of these words in them, in letters of any case."""
    found: list[ColumnElement[bool]] = []
    for word in search.casefold().split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        found.append(_TEXTS.c.folded.like(f"%{escaped}%", escape="\\"))
    return found


def forget(session: Session, *, days: int, now: int) -> int:
    """Take away texts whose block is older; of the records they came in only that something was written stays.

    A record is found by its block, or is among the few with a text and without a block: no other is looked at.
    """
    before = now - days * DAY_MS
    run = session.connection().execute
    old = run(select(_TEXTS.c.block_id).where(_TEXTS.c.day < before).distinct()).scalars().all()
    gone: Any = run(delete(_TEXTS).where(_TEXTS.c.day < before))
    never_released = and_(
        HAS_TEXT,
        _RECORDS.c.block_id.is_(None),
        _RECORDS.c.body != _FORGOTTEN,
        func.coalesce(_RECORDS.c.from_at, _RECORDS.c.received_at) < before,
    )
    forgotten = update(_RECORDS).values(body=_FORGOTTEN, crc=NOT_AS_IT_CAME)
    run(forgotten.where(never_released))
    for at in range(0, len(old), _BLOCKS_AT_ONCE):
        run(forgotten.where(HAS_TEXT, _RECORDS.c.block_id.in_(old[at : at + _BLOCKS_AT_ONCE])))
    return int(gone.rowcount)


def _time(start: int, stop: int, with_filtered: bool) -> list[ColumnElement[bool]]:
    conditions = [_TEXTS.c.day >= start, _TEXTS.c.day < stop]
    return conditions if with_filtered else [*conditions, _TEXTS.c.filtered.is_(False)]


def _within(where: Where, place: ColumnElement[int]) -> ColumnElement[bool]:
    if where.scope == PLACE:
        return place == where.id
    units = select(col(Unit.id)).where(col(Unit.path).like(f"%/{where.id}/%"))
    places = select(col(Place.id)).where(col(Place.unit_id).in_(units), col(Place.demo).is_(False))
    return place.in_(places)
