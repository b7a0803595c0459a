"""Releases answers in closed blocks: the one way by which what was answered comes to be seen.

An answer waits until k - 1 others to the same question, of the same device at the same place, wait with it; then they
are released together and added to the sums. Invariants: an answer is in one block at most and a block never changes,
whatever comes late, is corrected or filtered anew afterwards; every sum is a sum of whole blocks; answers that misuse
rules left out are released among themselves, so that figures with and without them differ by whole blocks.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlmodel import Session, col

from fleet_server.answers import bulk, wire
from fleet_server.answers.models import JournalEpoch, Record
from fleet_server.answers.rules import CORRECTED, UNANSWERED
from fleet_server.devices.models import Device
from fleet_server.instants import MINUTE_MS
from fleet_server.places.models import Place
from fleet_server.places.periods import day_start
from fleet_server.results.models import Block, Series, WaitingAnswer
from fleet_server.results.series import series_of
from fleet_server.results.sums import Sums

# The longest visit and the misuse rules' reach are over by then: what an answer is, is decided.
SETTLED_MS = 15 * MINUTE_MS
STEP_RECORDS = 5_000  # some 100 ms of the one writer

_RECORDS, _EPOCHS = bulk.table_of(Record), bulk.table_of(JournalEpoch)
_WAITING = bulk.table_of(WaitingAnswer)


@dataclass
class Released:
    """What a step came to. `more`: there is more to do at once. `places`: whose results changed."""

    blocks: int = 0
    answers: int = 0
    more: bool = False
    places: set[int] = field(default_factory=set)


class Stream(NamedTuple):
    """What waits for each other."""

    place_id: int
    series_id: int
    device_id: str
    filtered: bool


class _Answer(NamedTuple):
    device_id: str
    epoch: int
    seq: int
    value: int
    session: int
    set_number: int
    question: int
    from_at: int
    to_at: int


_Closing = tuple[Block, dict[str, int], list[_Answer]]


def step(session: Session, *, k: int, now: int) -> Released:
    """Take in what was booked and is settled, and close what blocks there are; `k`: respondents a block, at least 1.

    To be called again, in a transaction of its own, as long as it says `more`.
    """
    released = Released()
    looked_at = _take_in(session, now)
    released.more = looked_at >= STEP_RECORDS
    closing: list[_Closing] = []
    for stream, answers in _join_streams(session).items():
        closing += _close(session, stream, answers, k, now)
    _write(session, closing, k)
    released.blocks = len(closing)
    released.answers = sum(block.answers for block, _, _ in closing)
    released.places = {block.place_id for block, _, _ in closing}
    return released


def wait_again(session: Session, device_id: str, epoch: int, seqs: Iterable[int]) -> None:
    """Answers that were booked behind the point up to which the epoch was taken in: replayed or harvested late."""
    session.add_all(WaitingAnswer(device_id=device_id, epoch=epoch, seq=seq) for seq in seqs)


def look_again(session: Session) -> None:
    """Sort out anew all that wait: k is another one now."""
    session.connection().execute(update(_WAITING).values(place_id=None, series_id=None, filtered=None))


def _take_in(session: Session, now: int) -> int:
    """Let new answers wait. How many records were looked at."""
    run = session.connection().execute
    open_epochs = run(
        select(_EPOCHS.c.device_id, _EPOCHS.c.epoch, _EPOCHS.c.taken_in, _EPOCHS.c.through)
        .where(_EPOCHS.c.taken_in < _EPOCHS.c.through)
        .order_by(_EPOCHS.c.device_id, _EPOCHS.c.epoch)
    ).all()
    looked_at = 0
    for device_id, epoch, start, through in open_epochs:
        if looked_at >= STEP_RECORDS:
            break
        _lock(session, device_id)
        rows = run(
            select(_RECORDS.c.seq, _RECORDS.c.kind, _RECORDS.c.received_at, _RECORDS.c.filtered)
            .where(_RECORDS.c.device_id == device_id, _RECORDS.c.epoch == epoch)
            .where(_RECORDS.c.seq >= start, _RECORDS.c.seq < through)
            .order_by(_RECORDS.c.seq)
            .limit(STEP_RECORDS)
        ).all()
        looked_at += len(rows)
        stop = through if len(rows) < STEP_RECORDS else rows[-1].seq + 1
        settled: list[Any] = []
        for row in rows:
            if row.received_at > now - SETTLED_MS:
                stop = row.seq
                break
            settled.append(row)
        waiting = [
            {"device_id": device_id, "epoch": epoch, "seq": row.seq}
            for row in settled
            if row.kind == wire.KIND_ANSWER and row.filtered not in (CORRECTED, UNANSWERED)
        ]
        if waiting:
            run(insert(_WAITING), waiting)
        if stop > start:
            run(
                update(_EPOCHS)
                .where(_EPOCHS.c.device_id == device_id, _EPOCHS.c.epoch == epoch)
                .values(taken_in=stop)
            )
    return looked_at


def _lock(session: Session, device_id: str) -> None:
    """On PostgreSQL nobody books for this device meanwhile; SQLite has one writer anyway."""
    session.exec(
        select(col(Device.id)).where(col(Device.id) == device_id).with_for_update(key_share=True)  # type: ignore[call-overload]
    )


_COLUMNS = (
    _RECORDS.c.device_id, _RECORDS.c.epoch, _RECORDS.c.seq, _RECORDS.c.value, _RECORDS.c.session,
    _RECORDS.c.set_number, _RECORDS.c.question, _RECORDS.c.from_at, _RECORDS.c.to_at, _RECORDS.c.flags,
    _RECORDS.c.place_id, _RECORDS.c.filtered,
)  # fmt: skip
_JOINED = select(*_COLUMNS).join(
    _WAITING,
    and_(
        _RECORDS.c.device_id == _WAITING.c.device_id,
        _RECORDS.c.epoch == _WAITING.c.epoch,
        _RECORDS.c.seq == _WAITING.c.seq,
    ),
)
_SORTED_OUT = (
    update(_WAITING)
    .where(
        _WAITING.c.device_id == bindparam("d"),
        _WAITING.c.epoch == bindparam("e"),
        _WAITING.c.seq == bindparam("s"),
    )
    .values(place_id=bindparam("place"), series_id=bindparam("series"), filtered=bindparam("rule"))
)
_GONE = delete(_WAITING).where(
    _WAITING.c.device_id == bindparam("d"),
    _WAITING.c.epoch == bindparam("e"),
    _WAITING.c.seq == bindparam("s"),
)
_RELEASED = (
    update(_RECORDS)
    .where(
        _RECORDS.c.device_id == bindparam("d"),
        _RECORDS.c.epoch == bindparam("e"),
        _RECORDS.c.seq == bindparam("s"),
    )
    .values(block_id=bindparam("b"))
)


def _join_streams(session: Session) -> dict[Stream, list[_Answer]]:
    """{stream: all that wait in it} for each stream that got an answer now; what belongs to none goes on waiting.

    What an answer is, is looked up anew: it may have been corrected, filtered or moved while it waited.
    """
    run = session.connection().execute
    fresh = run(_JOINED.where(_WAITING.c.place_id.is_(None))).all()
    demo = set(session.exec(select(col(Place.id)).where(col(Place.demo))).scalars())  # type: ignore[call-overload]
    touched = {stream for row in fresh if (stream := _stream_of(session, row, demo))}
    found: dict[Stream, list[_Answer]] = {stream: [] for stream in touched}
    places = {stream.place_id for stream in touched}
    rows = [*fresh]
    for place_id in sorted(places):
        series = {stream.series_id for stream in touched if stream.place_id == place_id}
        rows += run(_JOINED.where(_WAITING.c.place_id == place_id, _WAITING.c.series_id.in_(series))).all()
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for row in rows:
        key = {"d": row.device_id, "e": row.epoch, "s": row.seq}
        if row.filtered in (CORRECTED, UNANSWERED):
            gone.append(key)
            continue
        stream = _stream_of(session, row, demo)
        if stream is None:
            continue
        found.setdefault(stream, []).append(_Answer(*row[:9]))
        changed.append(key | {"place": stream.place_id, "series": stream.series_id, "rule": stream.filtered})
    if gone:
        run(_GONE, gone)
    if changed:
        run(_SORTED_OUT, changed)
    return found


def _stream_of(session: Session, row: Any, demo: set[int]) -> Stream | None:
    """None: where, when or what was asked is not known, or it was a rehearsal at a real place."""
    if row.place_id is None or row.from_at is None:
        return None
    if row.flags & wire.FLAG_SIMULATED and row.place_id not in demo:
        return None
    series = series_of(session, row.set_number, row.question)
    if series is None:
        return None
    return Stream(row.place_id, series, row.device_id, row.filtered is not None)


def _close(session: Session, stream: Stream, answers: list[_Answer], k: int, now: int) -> list[_Closing]:
    """Blocks of k, oldest first; what is left over goes on waiting."""
    answers = _one_each(session, answers)
    answers.sort(key=lambda answer: (answer.from_at, answer.epoch, answer.seq))
    series = session.get_one(Series, stream.series_id)
    closing: list[_Closing] = []
    for at in range(0, len(answers) - len(answers) % k, k):
        together = answers[at : at + k]
        counts = _counts(series, together)
        block = Block(
            place_id=stream.place_id,
            device_id=stream.device_id,
            series_id=stream.series_id,
            filtered=stream.filtered,
            k=k,
            answers=k,
            counts=json.dumps(counts, sort_keys=True),
            day=day_start(max(answer.to_at for answer in together)),
            since=day_start(min(answer.from_at for answer in together)),
            closed_at=now,
        )
        closing.append((block, counts, together))
    return closing


def _write(session: Session, closing: list[_Closing], k: int) -> None:
    session.add_all(block for block, _, _ in closing)
    session.flush()
    keys = [
        {"d": one.device_id, "e": one.epoch, "s": one.seq, "b": block.id}
        for block, _, together in closing
        for one in together
    ]
    if keys:
        session.connection().execute(_RELEASED, keys)
        session.connection().execute(_GONE, keys)
    sums = Sums(session, k=k)
    for block, counts, _ in closing:
        sums.add(block, counts)
    sums.write()


def _one_each(session: Session, answers: list[_Answer]) -> list[_Answer]:
    """Without those whose visitor's earlier answer to the question is in a block already: it was corrected too late.

    They leave the queue: a visitor counts once, and what was released stays.
    """
    kept: list[_Answer] = []
    late: list[dict[str, Any]] = []
    for answer in answers:
        if answer.session in (0, wire.NO_VISIT) or not _released_before(session, answer):
            kept.append(answer)
        else:
            late.append({"d": answer.device_id, "e": answer.epoch, "s": answer.seq})
    if late:
        session.connection().execute(_GONE, late)
    return kept


def _released_before(session: Session, answer: _Answer) -> bool:
    began = answer.seq - answer.session
    visit = or_(_RECORDS.c.seq == began, _RECORDS.c.seq - _RECORDS.c.session == began)
    found = session.connection().execute(
        select(_RECORDS.c.seq)
        .where(_RECORDS.c.device_id == answer.device_id, _RECORDS.c.epoch == answer.epoch)
        .where(_RECORDS.c.seq >= began, _RECORDS.c.seq < answer.seq, visit)
        .where(_RECORDS.c.set_number == answer.set_number, _RECORDS.c.question == answer.question)
        .where(_RECORDS.c.block_id.is_not(None))
        .limit(1)
    )
    return found.first() is not None


def _counts(series: Series, answers: Sequence[_Answer]) -> dict[str, int]:
    """{value: how many chose it}; of a choice {option: …}; "255": can't say. Of texts nothing."""
    if series.type == "text":
        return {}
    found: Counter[str] = Counter()
    for value, same in groupby(sorted(answer.value for answer in answers)):
        count = len(list(same))
        if value != wire.NO_VALUE and series.type == "choice":
            for option in range(value.bit_length()):
                if value >> option & 1:
                    found[str(option)] += count
        else:
            found[str(value)] += count
    return dict(found)
