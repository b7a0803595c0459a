"""Whole records and batches as bytes, for tests. A kiosk has no room for them: it works in buffers of its own.

Runs on CPython and MicroPython.
"""

from kiosk import record


def encode(
    epoch, kind, flags, seq, boot, uptime, set_number, session, question, language, value, pressed, body=b""
):
    """The record as bytes, padded with 0xFF to a multiple of 4."""
    buf = bytearray(record.padded_bytes(len(body)))
    record.encode_into(
        buf, epoch, kind, flags, seq, boot, uptime,
        set_number, session, question, language, value, pressed, body,
    )  # fmt: skip
    return bytes(buf)


def encode_batch(epoch, nonce, start, to, next_, pressed, waiting, boot, uptime, records):
    """The message of docs/protocol.md: these are all records held of `epoch` with start <= seq < to."""
    held = b"".join(records)
    buf = bytearray(record.BATCH_OVERHEAD_BYTES + len(held))
    end = record.BATCH_RECORDS_AT + len(held)
    buf[record.BATCH_RECORDS_AT : end] = held
    record.seal_batch(buf, end, len(records), epoch, nonce, start, to, next_, pressed, waiting, boot, uptime)
    return buf


def read(journal, max_bytes):
    """`journal.read_into` with the records one by one: (epoch, from, to, [records verbatim])."""
    buf = bytearray(max(max_bytes, record.MAX_RECORD_BYTES))
    epoch, start, to, count, end = journal.read_into(buf, 0, max_bytes)
    records = []
    at = 0
    while at < end:
        size = record.size(buf, at)
        records.append(bytes(memoryview(buf)[at : at + size]))
        at += size
    assert len(records) == count
    return epoch, start, to, records
