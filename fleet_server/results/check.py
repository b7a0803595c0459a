"""Compares the closed blocks with the records that were released in them, and the sums with the blocks.

A block is what was released: it is never changed, whatever is found. Sums of places and units are made again from the
blocks (`repair`), those of weeks and months from the days; what everybody may see is of days that no block tells, so of
it only a difference is told.
It reads every record, so no page calls it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Table, delete, func, select
from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.answers import bulk
from fleet_server.answers.models import Record
from fleet_server.results.models import PLACE, PUBLIC, UNIT, Block, Score, ScoreSpan, Series
from fleet_server.results.sums import (
    FIGURES,
    KEY,
    PUBLIC_K,
    SPAN_KEY,
    Sums,
    add_spans,
    counts_of,
    spans_of,
)

_RECORDS, _BLOCKS, _SERIES, _SCORES, _SPANS = (
    bulk.table_of(model) for model in (Record, Block, Series, Score, ScoreSpan)
)
_MADE_AGAIN = (PLACE, UNIT)


def differences(session: Session) -> Iterator[str]:
    """Each difference in a line without what was answered; none when all is well."""
    yield from _of_blocks(session)
    for key, (kept, due) in _of_sums(session).items():
        yield (
            f"sum of {', '.join(map(str, key))}: kept with {kept.get('answers', 0)} answers, "
            f"blocks say {due.get('answers', 0)}"
        )
    yield from _of_public(session)


def repair(session: Session, *, now: int) -> int:
    """Make the sums again from the blocks; how many were not what the blocks say. `now`: UTC ms."""
    if (
        session.get_bind().dialect.name == "postgresql"
    ):  # nobody closes a block meanwhile; SQLite has one writer
        session.connection().exec_driver_sql("LOCK TABLE block, score, score_span IN EXCLUSIVE MODE")
    wrong = len(_of_sums(session))
    if wrong:
        run = session.connection().execute
        run(delete(_SCORES).where(_SCORES.c.scope.in_(_MADE_AGAIN)))
        run(delete(_SPANS))
        add_spans(session, spans_of(_kept(session, _SCORES, KEY)))  # only what everybody may see is left
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


def _of_sums(session: Session) -> dict[tuple[Any, ...], tuple[Mapping[str, int], Mapping[str, int]]]:
    """{key: (as kept, as it must be)} of the sums of days, weeks and months that are not what the blocks say."""
    days = _kept(session, _SCORES, KEY)
    public = {key: figures for key, figures in days.items() if key[0] not in _MADE_AGAIN}
    due: dict[Any, Counter[str]] = {**_made_again(session).added, **public}
    found: dict[tuple[Any, ...], tuple[Mapping[str, int], Mapping[str, int]]] = {}
    for there, wanted in ((days, due), (_kept(session, _SPANS, SPAN_KEY), spans_of(due))):
        for key in sorted(there.keys() | wanted.keys()):
            pair = there.get(key, Counter()), wanted.get(key, Counter())
            if any(pair[0][name] != pair[1][name] for name in FIGURES):
                found[key] = pair
    return found


def _kept(session: Session, table: Table, key: tuple[str, ...]) -> dict[Any, Counter[str]]:
    rows = session.connection().execute(select(table))
    return {
        tuple(getattr(row, name) for name in key): Counter({name: getattr(row, name) for name in FIGURES})
        for row in rows
    }


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
