"""The record, the same bytes in flash, on the wire and at the server's door; and the batch that carries it.

Refuses to know where the bytes come from or go to. Invariant: what `decode` accepts was encoded whole, for
the epoch it is asked about: the CRC starts from the epoch, so a record never passes for one of another epoch.
The layout is the contract of docs/protocol.md; docs/protocol-vectors.json holds examples of every kind.
"""

from struct import pack, pack_into, unpack_from

from kiosk.compat import const, crc32

KIND_ANSWER = 1
KIND_BOOT = 2
KIND_CLOCK = 3
KIND_REFUSED = 4

FLAG_SIMULATED = 4  # bits 0-1 of the flags: how the question ended; a press of a button completes it (0)

MAX_BODY_BYTES = 1000
MAX_RECORD_BYTES = 1028
MIN_RECORD_BYTES = 28  # a press; what a damaged stretch is counted in
BATCH_RECORDS_AT = 40  # behind the header
BATCH_OVERHEAD_BYTES = 44  # header and CRC: what a batch without records takes

_HEAD = const("<HBBIIIHBBBBH")
_HEAD_BYTES = const(24)
_CRC_BYTES = const(4)
_BATCH = const("<BBHIIIIIIIII")
_BATCH_VERSION = const(1)


def padded_bytes(body_bytes):
    """Bytes that a record with such a body takes in flash and in a batch: always a multiple of 4."""
    return (_HEAD_BYTES + _CRC_BYTES + 3 + body_bytes) & ~3


def encode_into(
    buf, epoch, kind, flags, seq, boot, uptime, set_number, session, question, language, value, pressed, body
):
    """Write a record to the start of `buf` (room for `padded_bytes`); returns its padded size.

    `uptime` in tenths of a second; of `pressed` the low half is stored.
    """
    length = _HEAD_BYTES + len(body)
    pressed &= 0xFFFF
    pack_into(
        _HEAD, buf, 0, length, kind, flags, seq, boot, uptime,
        set_number, session, question, language, value, pressed,
    )  # fmt: skip
    if body:
        buf[_HEAD_BYTES:length] = body
    pack_into("<I", buf, length, crc32(memoryview(buf)[:length], epoch))
    size = padded_bytes(len(body))
    for i in range(length + _CRC_BYTES, size):
        buf[i] = 0xFF
    return size


def size(buf, offset):
    """Padded size of what the length field at `offset` announces; 0 when no record can start there."""
    if offset + MIN_RECORD_BYTES > len(buf):
        return 0
    body = buf[offset] + (buf[offset + 1] << 8) - _HEAD_BYTES
    if body < 0 or body > MAX_BODY_BYTES:
        return 0
    padded = padded_bytes(body)
    return padded if offset + padded <= len(buf) else 0


def whole(buf, offset, epoch):
    """Padded size of the record at `offset` when it is whole and of this epoch, else 0."""
    padded = size(buf, offset)
    if padded:
        end = offset + buf[offset] + (buf[offset + 1] << 8)
        if unpack_from("<I", buf, end)[0] == crc32(memoryview(buf)[offset:end], epoch):
            return padded
    return 0


def seq_at(buf, offset):
    return unpack_from("<I", buf, offset + 4)[0]


def decode(buf, offset, epoch):
    """The record at `offset`, None when it is not whole.

    (kind, flags, seq, boot, uptime, set_number, session, question, language, value, pressed, body).
    """
    if not whole(buf, offset, epoch):
        return None
    fields = unpack_from(_HEAD, buf, offset)
    return fields[1:] + (bytes(buf[offset + _HEAD_BYTES : offset + fields[0]]),)


def boot_body(cause, build):
    """Why the device started (board.reset_cause()) and the build number of its firmware."""
    return pack("<BI", cause, build)


def clock_body(utc_ms, uncertainty_ms):
    """UTC at the record's uptime, milliseconds since 1970, and how far off it may be either way."""
    return pack("<QI", utc_ms, uncertainty_ms)


def refused_body(count, since):
    """How many presses were refused since the uptime `since` (tenths of a second)."""
    return pack("<HI", min(count, 0xFFFF), since)


def seal_batch(buf, end, count, epoch, nonce, from_, to, next_, pressed, waiting, boot, uptime):
    """Make a batch of the `count` records in buf[BATCH_RECORDS_AT:end], in place; returns its length.

    `next_` and `pressed` are the epoch's, `waiting` is for display, `uptime` is in tenths of a second.
    """
    pack_into(
        _BATCH, buf, 0, _BATCH_VERSION, BATCH_RECORDS_AT, count, epoch, nonce, from_, to,
        next_, pressed, waiting, boot, uptime,
    )  # fmt: skip
    pack_into("<I", buf, end, crc32(memoryview(buf)[:end], 0))
    return end + _CRC_BYTES
