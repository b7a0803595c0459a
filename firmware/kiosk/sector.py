"""One flash sector of the journal: its header, its mark, and the walk over its records.

Knows bytes, not flash: everything here works on a buffer that somebody else has read.

    0  magic u16, known u16, epoch u32, number u32, first seq u32, pressed u32, boot u32, crc u32
    28 mark, 4 bytes: an odd number of cleared bytes means "all records booked"
    32 records
"""

from struct import pack_into, unpack_from

from kiosk import record
from kiosk.compat import const, crc32

HEADER_BYTES = 28
MARK_AT = 28
MARK_BYTES = 4
RECORDS_AT = 32

_MAGIC = const(0x4A48)  # "HJ" in flash; another layout gets another magic
_HEADER = const("<HHIIIII")
_CRC_AT = const(24)
_STEP = const(64)
_LENGTH_HIGH = const(4)  # of the longest record, 1024 bytes before the CRC
_BLANK = b"\xff" * 64


def pack_header(buf, known, epoch, number, first, pressed, boot):
    """`known`: a bit (position mod 16) for each sector that was unreadable when this one was opened."""
    pack_into(_HEADER, buf, 0, _MAGIC, known, epoch, number, first, pressed, boot)
    pack_into("<I", buf, _CRC_AT, crc32(memoryview(buf)[:_CRC_AT], 0))


def unpack_header(buf):
    """(known, epoch, number, first, pressed, boot), or None when it is not a whole header."""
    fields = unpack_from(_HEADER, buf)
    if fields[0] != _MAGIC or unpack_from("<I", buf, _CRC_AT)[0] != crc32(memoryview(buf)[:_CRC_AT], 0):
        return None
    return fields[1:]


def marks(buf, at=0):
    """(how many bytes of the mark at `at` are cleared, index of the first that is not; 4 when all are)."""
    count = 0
    first = MARK_BYTES
    for i in range(MARK_BYTES - 1, -1, -1):
        byte = buf[at + i]
        if byte == 0xFF:  # nearly always: counting its bits would take most of a start
            first = i
            continue
        ones = 0
        while byte:
            ones += byte & 1
            byte >>= 1
        if ones <= 3:  # at least 5 of 8 bits are 0: a torn clearing counts only when most of it happened
            count += 1
        else:
            first = i
    return count, first


def used(buf):
    """Offset behind the last byte that is not blank."""
    view = memoryview(buf)
    end = len(buf)
    while end >= _STEP and view[end - _STEP : end] == _BLANK:
        end -= _STEP
    while end and buf[end - 1] == 0xFF:
        end -= 1
    return end


def walk(buf, epoch, offset=RECORDS_AT):
    """Yields (offset, size, seq) of each whole record; behind damage it looks for the next one."""
    end = used(buf)
    while offset < end:
        # What is no record is mostly seen by its length: the second byte is enough, and quick.
        size = record.whole(buf, offset, epoch) if buf[offset + 1] <= _LENGTH_HIGH else 0
        if size:
            yield offset, size, record.seq_at(buf, offset)
            offset += size
        else:
            offset += 4


def scan(buf, epoch, first, pressed, boot):
    """What a sector says about its epoch: (end, next, pressed, boot, ordered).

    `end` is where the next record may be written; the sector's size when none may: only what is blank to the
    last byte is written, for a torn write may have programmed any subset of its bits. A damaged stretch
    before a record uses up the seqs up to that record's; at the tail it uses up as many as presses fit in.
    `ordered` is False when the seqs do not rise as they must.
    """
    ordered = True
    seq = first
    end = RECORDS_AT
    for offset, size, found in walk(buf, epoch):
        if not 0 <= found - seq <= (offset - end) // record.MIN_RECORD_BYTES:
            ordered = False
        seq = max(seq, found + 1)
        fields = record.decode(buf, offset, epoch)
        pressed += (fields[10] - pressed) & 0xFFFF
        boot = max(boot, fields[3])
        end = offset + size
    damaged = used(buf) - end
    if damaged > 0:
        seq += (damaged + record.MIN_RECORD_BYTES - 1) // record.MIN_RECORD_BYTES
        end = len(buf)
    return end, seq, pressed, boot, ordered
