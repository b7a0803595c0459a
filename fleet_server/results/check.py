"""Compares the closed blocks with the records that were released in them, and the sums with the blocks.

A block is what was released: it is never changed, whatever is found. Sums of places and units are made again from the
blocks (`repair`); those that everybody may see are of days that no block tells, so of them only a difference is told.
It reads every record, so no page calls it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import delete, func, select
from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.answers import bulk
from fleet_server.answers.models import Record
from fleet_server.results.models import PLACE, PUBLIC, UNIT, Block, Score, Series
from fleet_server.results.sums import FIGURES, KEY, PUBLIC_K, Key, Sums, counts_of

_RECORDS, _BLOCKS, _SCORES, _SERIES = (bulk.table_of(model) for model in (Record, Block, Score, Series))
_MADE_AGAIN = (PLACE, UNIT)


def differences(session: Session) -> Iterator[str]:
    """Each difference in a line without what was answered; none when all is well."""
    yield from _of_blocks(session)
    for key, (kept, due) in sorted(_of_sums(session).items()):
        scope, number, _, day, series, source = key
        yield (
            f"sum of {scope} {number}, series {series}, day {day}, source {source!r}: "
            f"kept with {kept.get('answers', 0)} answers, blocks say {due.get('answers', 0)}"
        )
    yield from _of_public(session)


def repair(session: Session, *, now: int) -> int:
    """Make the sums of places and units again from the blocks; how many were not what the blocks say. `now`: UTC ms."""
    if (
        session.get_bind().dialect.name == "postgresql"
    ):  # nobody closes a block meanwhile; SQLite has one writer
        session.connection().exec_driver_sql("LOCK TABLE block, score IN EXCLUSIVE MODE")
    wrong = len(_of_sums(session))
    if wrong:
        session.connection().execute(delete(_SCORES).where(_SCORES.c.scope.in_(_MADE_AGAIN)))
        _made_again(session).write()
        audit.record(session, "fleet", "repair results", "results", "sums", after={"sums": wrong}, now=now)
    return wrong


def _of_blocks(session: Session) -> Iterator[str]:
    run = session.connection().execute
    released: dict[int, Counter[int]] = {}
    of_records = (
        select(_RECORDS.c.block_id, _RECORDS.c.value, func.count())
        .where(_RECORDS.c.block_id.is_not(None))
        .group_by(_RECORDS.c.block_id, _RECORDS.c.value)
    )
    for block, value, answers in run(of_records):
        released.setdefault(block, Counter())[value] += answers
    blocks = select(_BLOCKS.c.id, _BLOCKS.c.answers, _BLOCKS.c.counts, _SERIES.c.type).join(
        _SERIES, _BLOCKS.c.series_id == _SERIES.c.id
    )
    for block, answers, counts, kind in run(blocks.order_by(_BLOCKS.c.id)):
        values = released.pop(block, Counter())
        if values.total() != answers:
            yield f"block {block} has {answers} answers, {values.total()} records were released in it"
        elif counts_of(kind, values) != json.loads(counts):
            yield f"block {block} does not say what its records say"
    for block, values in sorted(released.items()):
        yield f"{values.total()} records were released in block {block}, which is not there"


def _of_sums(session: Session) -> dict[Key, tuple[Mapping[str, int], Mapping[str, int]]]:
    """{key: (as kept, as it must be)} of the sums that are not what the blocks say."""
    due: dict[Key, Mapping[str, int]] = {**_made_again(session).added}
    rows = session.connection().execute(select(_SCORES).where(_SCORES.c.scope.in_(_MADE_AGAIN)))
    kept = {tuple(getattr(row, name) for name in KEY): _figures(row) for row in rows}
    found: dict[Key, tuple[Mapping[str, int], Mapping[str, int]]] = {}
    for key in due.keys() | kept.keys():
        pair = kept.get(key, {}), due.get(key, {})
        if any(pair[0].get(name, 0) != pair[1].get(name, 0) for name in FIGURES):
            found[key] = pair
    return found


def _made_again(session: Session) -> Sums:
    sums = Sums(session, k=PUBLIC_K)
    for block in session.connection().execute(select(_BLOCKS)):
        sums.add(block, json.loads(block.counts), publish=False)
    return sums


def _of_public(session: Session) -> Iterator[str]:
    """Whether what everybody may see of a place comes to its public blocks."""
    run = session.connection().execute
    kept = {
        (place, series): answers
        for place, series, answers in run(
            select(_SCORES.c.scope_id, _SCORES.c.series_id, func.sum(_SCORES.c.answers))
            .where(_SCORES.c.scope == PUBLIC)
            .group_by(_SCORES.c.scope_id, _SCORES.c.series_id)
        )
    }
    due = {
        (place, series): answers
        for place, series, answers in run(
            select(_BLOCKS.c.place_id, _BLOCKS.c.series_id, func.sum(_BLOCKS.c.answers))
            .where(_BLOCKS.c.public)
            .group_by(_BLOCKS.c.place_id, _BLOCKS.c.series_id)
        )
    }
    for place, series in sorted(kept.keys() | due.keys()):
        there, wanted = kept.get((place, series), 0), due.get((place, series), 0)
        if there != wanted:
            yield (
                f"what everybody may see of place {place}, series {series}, comes to {there} answers, "
                f"its public blocks to {wanted}"
            )


def _figures(row: Any) -> dict[str, int]:
    return {name: getattr(row, name) for name in FIGURES}
