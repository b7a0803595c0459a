"""What mounting costs with a partition as large as on the device: 1 MiB, 256 sectors."""

from kiosk import record, sector
from kiosk.journal import Journal
from nor import Nor, Rng, pattern
from whole import encode


def test_mounting_a_full_mebibyte_reads_little():
    flash = Nor(pattern("blank", 256, 4096))
    data = bytearray(flash.sectors[0])
    newest = 145 * 254
    for seq in range(145):
        at = sector.RECORDS_AT + 28 * seq
        data[at : at + 28] = encode(
            7, record.KIND_ANSWER, 0, newest + seq, 1, 0, 14, 0, 0, 0, 3, newest + seq + 1
        )
    for pos in range(255):  # only the newest is looked into: the others share its records
        sector.pack_header(data, 0, 7, pos, 145 * pos, 145 * pos, 1)
        flash.sectors[pos] = bytes(data)
    flash.reads = flash.bytes_read = 0
    journal = Journal(flash, Rng(1).bytes)
    assert (journal.next_seq, journal.pressed, journal.reason) == (145 * 255, 145 * 255, None)
    assert flash.bytes_read <= 300_000
    assert flash.bytes_read <= 256 * 32 + 4096, flash.bytes_read


def test_mounting_reads_little_in_whatever_state_the_flash_is_found():
    for content, most in (("blank", 256 * 32), ("zeros", 256 * 4200), ("noise", 256 * 4200)):
        flash = Nor(pattern(content, 256, 4096))
        Journal(flash, Rng(1).bytes)
        assert flash.bytes_read <= most, (content, flash.bytes_read)
