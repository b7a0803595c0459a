"""Filters answers that the same visitor corrected: of several answers to one question of a visit the last one counts.

A visit is named by the seq at which it began (`seq - session`). Who skips a question after an answer to it takes that
back; but what timed out with nothing takes nothing back: whoever walks away has still said what was said. It knows
nothing of time and place.
"""

from collections.abc import Sequence

from sqlalchemy import func, select

from fleet_server.answers import bulk, filters, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.ledger import RECEIVED
from fleet_server.answers.models import Record
from fleet_server.answers.placing import NOWHERE, bucket
from fleet_server.answers.rules import CORRECTED, UNANSWERED
from fleet_server.answers.states import EpochState

_RECORDS = bulk.table_of(Record)

Question = tuple[int, int, int]  # seq of the visit's beginning, set, position


def corrected(desk: Desk, epoch: EpochState, fresh: Sequence[wire.Record], places: set[int]) -> set[int]:
    """The seqs among `fresh` whose answer was corrected by a later one.

    Answers received earlier that one of `fresh` corrects are filtered here and now; their places join `places`.
    """
    answers = [
        r
        for r in fresh
        if r.kind == wire.KIND_ANSWER
        and r.session != wire.NO_VISIT
        and has_a_say(r.flags, r.value, len(r.body))
    ]
    if not answers:
        return set()
    seqs = {record.seq for record in answers}
    sessions = {record.session for record in answers}
    first, last = min(seqs), max(seqs)
    later = desk.ledger_from(epoch, first).with_state(RECEIVED, first, last + filters.LONGEST_VISIT + 1)
    if not later and sessions == {0}:
        return (
            set()
        )  # one-question visits, nothing known after them: the way of every press of a button kiosk
    start = min(record.seq - record.session for record in answers)
    latest: dict[Question, int] = {}
    for record in answers:
        question = (record.seq - record.session, record.set_number, record.question)
        latest[question] = max(latest.get(question, -1), record.seq)
    known = _known(desk, epoch, start, last + filters.LONGEST_VISIT) if later or start < first else {}
    for question, rows in known.items():
        if question in latest:
            latest[question] = max(latest[question], *(row.seq for row in rows))
    for question, seq in latest.items():
        for row in known.get(question, ()):
            if row.seq != seq and row.filtered not in (CORRECTED, UNANSWERED):
                _filter(desk, epoch, row, places)
    return {
        record.seq
        for record in answers
        if latest[record.seq - record.session, record.set_number, record.question] != record.seq
    }


def has_a_say(flags: int, value: int, text_bytes: int) -> bool:
    """Whether a record is its visitor's word on the question: an answer, or that it was skipped."""
    timed_out = flags & wire.FLAG_OUTCOME == wire.TIMED_OUT
    return not (timed_out and wire.unanswered(flags, value, text_bytes))


def _known(desk: Desk, epoch: EpochState, first: int, last: int) -> dict[Question, list[Record]]:
    """Answers of [first, last] that were received earlier, by visit and question."""
    desk.flush_records()
    columns = _RECORDS.c
    rows = desk.connection.execute(
        select(
            columns.seq,
            columns.session,
            columns.set_number,
            columns.question,
            columns.flags,
            columns.value,
            func.length(columns.body).label("text_bytes"),
            columns.place_id,
            columns.from_at,
            columns.to_at,
            columns.filtered,
        ).where(
            columns.device_id == epoch.device_id,
            columns.epoch == epoch.epoch,
            columns.seq.between(first, last),
            columns.kind == wire.KIND_ANSWER,
            columns.session != wire.NO_VISIT,
        )
    )
    found: dict[Question, list[Record]] = {}
    for row in rows:
        if has_a_say(row.flags, row.value, row.text_bytes):
            question = (row.seq - row.session, row.set_number, row.question)
            found.setdefault(question, []).append(row)  # type: ignore[arg-type]
    return found


def _filter(desk: Desk, epoch: EpochState, row: Record, places: set[int]) -> None:
    when = None if row.from_at is None or row.to_at is None else (row.from_at, row.to_at)
    key = (row.place_id or NOWHERE, epoch.device_id, *bucket(when))
    filters.count(desk, key, row.filtered, row.flags, -1)
    filters.count(desk, key, CORRECTED, row.flags, 1)
    filters.label(desk, epoch, row.seq, CORRECTED)
    if row.filtered is None:
        epoch.counted_answers -= 1
        epoch.filtered_answers += 1
    places.add(key[0])
