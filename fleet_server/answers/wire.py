"""Reads batches and records off the wire, by docs/protocol.md alone; it knows neither database nor what is booked.

Written apart from the kiosk's own codec, so that a mistake in one of them meets the other's test vectors.
Invariant: a batch that is returned is whole (length, CRC, every record's length); whether a single record is good
is said by `Record.intact`.
"""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

VERSION = 1
MAX_BATCH_BYTES = 4096
MAX_TEXT_BYTES = 1000
KIND_ANSWER, KIND_BOOT, KIND_CLOCK, KIND_REFUSED = 1, 2, 3, 4
FLAG_OUTCOME = 0b11  # 0 complete, 1 skipped, 2 timed out
TIMED_OUT = 2
NO_VALUE = 255  # of a question that was left unanswered; of a complete answer it is "can't say"
FLAG_SIMULATED = 0b100
NO_VISIT = 255  # session: the visit began more than 254 records back, or the record belongs to none

_PREFIX = struct.Struct("<BBHIIII")  # the same in every version
_REST = struct.Struct("<IIIII")
_HEADER_BYTES = _PREFIX.size + _REST.size
_RECORD = struct.Struct("<HBBIIIHBBBBH")
_PRESS = struct.Struct(_RECORD.format + "I")  # a record without a body, its CRC included: nearly every one
_CRC = struct.Struct("<I")
_CLOCK = struct.Struct("<QI")
_REFUSED = struct.Struct("<HI")
_BOOT = struct.Struct("<BI")
_make: Any = tuple.__new__
CLOCK_BYTES, REFUSED_BYTES = _CLOCK.size, _REFUSED.size
_BODY_BYTES = {KIND_BOOT: _BOOT.size, KIND_CLOCK: CLOCK_BYTES, KIND_REFUSED: REFUSED_BYTES}


class Damaged(ValueError):
    """A message that is not whole; the text says where it breaks."""


class Record(NamedTuple):
    """One record of a batch. `uptime` in tenths of a second; `start`, `stop`: where its bytes lie, CRC included."""

    kind: int
    flags: int
    seq: int
    boot: int
    uptime: int
    set_number: int
    session: int
    question: int
    language: int
    value: int
    pressed: int
    body: bytes
    crc: int
    intact: bool
    start: int
    stop: int


class Batch(NamedTuple):
    """One message. Of a version that is not ours only the prefix is known: `records` is empty, `next` equals `to`."""

    version: int
    epoch: int
    nonce: int
    start: int
    to: int
    next: int
    pressed: int
    waiting: int
    boot: int
    uptime: int
    records: list[Record]


def read_batch(payload: bytes) -> Batch:
    """Decode a message; raises Damaged when its length, its CRC or the length of a record in it is wrong."""
    size = len(payload)
    if not _PREFIX.size + _CRC.size <= size <= MAX_BATCH_BYTES:
        raise Damaged(f"{size} bytes, a batch has {_PREFIX.size + _CRC.size} to {MAX_BATCH_BYTES}")
    end = size - _CRC.size
    if crc32(payload[:end]) != _CRC.unpack_from(payload, end)[0]:
        raise Damaged("the CRC of the message is wrong")
    version, header_bytes, count, epoch, nonce, start, to = _PREFIX.unpack_from(payload)
    if version != VERSION:
        return Batch(version, epoch, nonce, start, to, to, 0, 0, 0, 0, [])
    if not _HEADER_BYTES <= header_bytes <= end:
        raise Damaged(f"header length {header_bytes} in a message of {size} bytes")
    next_seq, pressed, waiting, boot, uptime = _REST.unpack_from(payload, _PREFIX.size)
    records = _records(payload, header_bytes, end, count, epoch)
    return Batch(version, epoch, nonce, start, to, next_seq, pressed, waiting, boot, uptime, records)


def _records(payload: bytes, offset: int, end: int, count: int, epoch: int) -> list[Record]:
    records = []
    unpack, least = _PRESS.unpack_from, _PRESS.size
    for number in range(count):
        if offset + least > end:
            raise Damaged(f"record {number + 1} of {count} is cut off")
        fields = unpack(payload, offset)
        length = fields[0]
        body_end = offset + length
        stop = body_end + _CRC.size
        if length == _RECORD.size:
            body, crc = b"", fields[12]
        elif length < _RECORD.size or stop > end:
            raise Damaged(f"record {number + 1} of {count} says it has {length} bytes")
        else:
            body, crc = payload[offset + _RECORD.size : body_end], _CRC.unpack_from(payload, body_end)[0]
        intact = crc32(payload[offset:body_end], epoch) == crc
        # Past NamedTuple's own constructor, which costs as much as all of the rest.
        records.append(_make(Record, fields[1:12] + (body, crc, intact, offset, stop)))
        offset = stop + (offset - stop & 3)  # records are padded to a multiple of 4
    if offset != end:
        raise Damaged(f"{end - offset} bytes after the last of {count} records")
    return records


def padded(size: int) -> int:
    """Bytes that a record of `size` bytes takes up."""
    return (size + 3) & ~3


def may_hold_text(raw: bytes, *, message: bool) -> bool:
    """Whether a record as it came, or a message, may carry a visitor's own words; of what cannot be read: yes."""
    if not message:
        return len(raw) < _RECORD.size or (raw[2] == KIND_ANSWER and len(raw) > _RECORD.size + _CRC.size)
    try:
        batch = read_batch(raw)
    except Damaged:
        return True
    return batch.version != VERSION or any(one.kind == KIND_ANSWER and one.body for one in batch.records)


def body_fault(record: Record) -> str | None:
    """Why the body of a record cannot be what its kind says, or None. Unknown kinds may carry anything."""
    if record.kind == KIND_ANSWER:
        if len(record.body) > MAX_TEXT_BYTES:
            return f"text of {len(record.body)} bytes"
        try:
            record.body.decode()
        except UnicodeDecodeError:
            return "text is not UTF-8"
        return None
    wanted = _BODY_BYTES.get(record.kind)
    if wanted is not None and len(record.body) != wanted:
        return f"body of {len(record.body)} bytes, kind {record.kind} has {wanted}"
    return None


def unanswered(flags: int, value: int, text_bytes: int) -> bool:
    """Whether an answer record says only that a question was skipped, or that time ran out over it.

    Timed out with a value or a text: what was given until then, which is an answer.
    """
    outcome = flags & FLAG_OUTCOME
    return outcome != 0 and (outcome != TIMED_OUT or (value == NO_VALUE and not text_bytes))


def clock(record: Record) -> tuple[int, int]:
    """(UTC ms, uncertainty ms) of a clock record whose body has no fault."""
    return clock_body(record.body)


def clock_body(body: bytes) -> tuple[int, int]:
    """The same of a body alone."""
    utc_ms, uncertainty_ms = _CLOCK.unpack(body)
    return utc_ms, uncertainty_ms


def refused(record: Record) -> int:
    """How many presses a refused record stands for."""
    count: int = _REFUSED.unpack(record.body)[0]
    return count


def refused_bytes(count: int, since_uptime: int) -> bytes:
    """The body of a refused record."""
    return _REFUSED.pack(count, since_uptime)


def wrap(raw: bytes, *, epoch: int, seq: int, next_seq: int, pressed: int, waiting: int) -> bytes:
    """A batch that carries one record as it was kept (`raw`: record with CRC), for its replay."""
    return batch_bytes([raw], epoch=epoch, start=seq, next_seq=next_seq, pressed=pressed, waiting=waiting)


def batch_bytes(
    records: Sequence[bytes], *, epoch: int, start: int, next_seq: int, pressed: int, waiting: int
) -> bytes:
    """A batch of gapless records, each as `record_bytes` makes it, the first with seq `start`."""
    header = _PREFIX.pack(VERSION, _HEADER_BYTES, len(records), epoch, 0, start, start + len(records))
    body = b"".join(raw.ljust(padded(len(raw)), b"\xff") for raw in records)
    message = header + _REST.pack(next_seq, pressed, waiting, 0, 0) + body
    return message + _CRC.pack(crc32(message))


def record_bytes(
    kind: int,
    *,
    epoch: int,
    seq: int,
    uptime: int,
    pressed: int,
    set_number: int = 0,
    session: int = NO_VISIT,
    question: int = 0,
    language: int = 0,
    value: int = 0,
    flags: int = 0,
    body: bytes = b"",
) -> bytes:
    """A record of clock run 0 with its CRC, for what the server itself writes down: the journal of phones, and the
    history of a demonstration."""
    length = _RECORD.size + len(body)
    low = pressed & 0xFFFF
    record = (
        _RECORD.pack(length, kind, flags, seq, 0, uptime, set_number, session, question, language, value, low)
        + body
    )
    return record + _CRC.pack(crc32(record, epoch))


def clock_bytes(utc_ms: int, uncertainty_ms: int) -> bytes:
    """The body of a clock record."""
    return _CLOCK.pack(utc_ms, uncertainty_ms)


def batch_size(records: Sequence[bytes]) -> int:
    """Bytes that `batch_bytes` makes of these records."""
    return _HEADER_BYTES + sum(padded(len(raw)) for raw in records) + _CRC.size
