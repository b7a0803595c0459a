"""The records of one message, each put on its pile: new, received before, refused, damaged, or a fork.

Nothing is booked here: `book` takes the piles and writes them down.
"""

from dataclasses import dataclass, field

from sqlalchemy import select

from fleet_server.answers import bulk, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.fingerprints import NO_CRC
from fleet_server.answers.ledger import RECEIVED, REJECTED
from fleet_server.answers.masking import masked
from fleet_server.answers.models import Record
from fleet_server.answers.placing import clock_fault
from fleet_server.answers.quarantine import Item
from fleet_server.answers.states import EpochState
from fleet_server.questions.service import known_values

_RECORDS = bulk.table_of(Record)


@dataclass(slots=True)
class Piles:
    """`states`: of the seqs that the message says something of; `told`: refused ranges for the receipt, each with a
    word; `kept`, `forks`: for the quarantine.
    """

    states: dict[int, int] = field(default_factory=dict)
    fresh: list[wire.Record] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    told: list[tuple[int, int, str]] = field(default_factory=list)
    duplicates: int = 0
    forks: list[Item] = field(default_factory=list)


def unreadable(batch: wire.Batch, payload: bytes) -> Piles:
    """A version that is not ours: the whole range is rejected and the message kept for a replay after an update."""
    piles = Piles()
    if batch.start < batch.to:
        reason = f"version {batch.version} is unknown"
        piles.kept.append(Item("message", reason, payload, batch.epoch, batch.start, evidence=True))
        piles.told.append((batch.start, batch.to, "version"))
    return piles


def sort(desk: Desk, epoch: EpochState, batch: wire.Batch, payload: bytes) -> Piles:
    """The records of a batch in our version; `payload` is the message that it was read from."""
    piles = Piles()
    states, fresh = piles.states, piles.fresh
    start, to = batch.start, batch.to
    there = _received(desk, epoch, start, to)

    def raw(record: wire.Record) -> bytes:
        return payload[record.start : record.stop]

    for record in batch.records:
        seq = record.seq
        if not record.intact:
            continue
        if not start <= seq < to:
            piles.kept.append(Item("record", f"outside of [{start}, {to})", raw(record), epoch.epoch, seq))
        elif seq in states:
            piles.kept.append(
                Item("record", "second one with this seq in a message", raw(record), epoch.epoch, seq)
            )
        elif seq in there:
            states[seq] = RECEIVED
            if desk.fingerprints.alike(there[seq], record.crc, epoch.device_id, epoch.epoch, seq):
                piles.duplicates += 1
            else:
                item = Item(
                    "record",
                    "fork: this key holds another record",
                    raw(record),
                    epoch.epoch,
                    seq,
                    evidence=True,
                )
                piles.forks.append(item)
        elif fault := _fault(desk, record):
            states[seq] = REJECTED
            piles.told.append((seq, seq + 1, fault[0]))
            piles.kept.append(Item("record", fault[1], raw(record), epoch.epoch, seq, evidence=True))
        else:
            states[seq] = RECEIVED
            fresh.append(_without_names(record))
    for record in batch.records:
        if not record.intact:
            _sort_damaged(epoch, batch, record, raw(record), piles)
    return piles


def _without_names(record: wire.Record) -> wire.Record:
    """The record as it may be kept."""
    if record.kind != wire.KIND_ANSWER or not record.body:
        return record
    text = record.body.decode()
    kept = masked(text)
    return record if kept == text else record._replace(body=kept.encode(), crc=NO_CRC)


def _sort_damaged(
    epoch: EpochState, batch: wire.Batch, record: wire.Record, raw: bytes, piles: Piles
) -> None:
    """A record whose own CRC is wrong stands for its seq only where no good one does."""
    stands = batch.start <= record.seq < batch.to and record.seq not in piles.states
    if stands:
        piles.states[record.seq] = REJECTED
        piles.told.append((record.seq, record.seq + 1, "crc"))
    piles.kept.append(
        Item("record", "the CRC of the record is wrong", raw, epoch.epoch, record.seq, evidence=stands)
    )


def _received(desk: Desk, epoch: EpochState, start: int, stop: int) -> dict[int, int]:
    """CRCs of the records of [start, stop) that were received before, by seq."""
    parts = desk.ledger_from(epoch, start).with_state(RECEIVED, start, stop)
    if not parts:
        return {}
    desk.flush_records()
    columns = _RECORDS.c
    rows = desk.connection.execute(
        select(columns.seq, columns.crc).where(
            columns.device_id == epoch.device_id,
            columns.epoch == epoch.epoch,
            columns.seq >= parts[0][0],
            columns.seq < parts[-1][1],
        )
    )
    return dict(rows.all())


def _fault(desk: Desk, record: wire.Record) -> tuple[str, str] | None:
    """Why the server refuses a record: (a word for the receipt, a sentence for the quarantine), or None."""
    if record.body and (wrong := wire.body_fault(record)):
        return "body", wrong
    if record.kind == wire.KIND_ANSWER:
        if wire.unanswered(record.flags, record.value, len(record.body)):
            return None  # there is no value to judge
        key = (record.set_number, record.question)
        if key not in desk.values:
            desk.values[key] = known_values(desk.session, *key)
        allowed = desk.values[key]
        if allowed is not None and record.value not in allowed:
            return (
                "value",
                # Without the value: pages show the reason to people who may not see single answers.
                f"the value is impossible for question {record.question} of set {record.set_number}",
            )
        return None
    if wrong := wire.body_fault(record):
        return "body", wrong
    if record.kind == wire.KIND_CLOCK and (wrong := clock_fault(wire.clock(record)[0])):
        return "clock", wrong
    return None
