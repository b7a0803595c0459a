"""What mounting costs with a partition as large as on the device: 1 MiB, 256 sectors. A flash gives 1 MB a second.

So 300 000 bytes are 300 ms. In a journal of our own, however full, mounting reads every header, one sector for each
epoch held, and one for each unreadable header; those are as many as there were bad erases. A flash full of foreign
data is seen by its first bytes; but once our own first sector lies in it, each of the others is read at each start,
1.1 s in all, until the ring has needed it: one of them may be a newer sector that lost its header.
"""

import random

import pytest
from journal_rig import fill, press
from kiosk import record, sector
from kiosk.journal import Journal
from lives import found
from nor import Nor, Rng, pattern
from whole import encode

COUNT, SIZE = 256, 4096
READ_IN_300_MS = 300_000


def filled(epochs: int = 1) -> list[bytes]:
    """255 sectors full of presses, in so many epochs one after the other. They share their records but for the
    newest: nothing else is looked into.
    """
    flash = Nor(pattern("blank", COUNT, SIZE))
    data = bytearray(flash.sectors[0])
    newest = 145 * 254
    for seq in range(145):
        at = sector.RECORDS_AT + 28 * seq
        data[at : at + 28] = encode(
            7 + epochs - 1, record.KIND_ANSWER, 0, newest + seq, 1, 0, 14, 0, 0, 0, 3, newest + seq + 1
        )
    for pos in range(COUNT - 1):
        epoch = 7 + pos * epochs // (COUNT - 1)
        sector.pack_header(data, 0, epoch, pos, 145 * pos, 145 * pos, 1)
        flash.sectors[pos] = bytes(data)
    return flash.sectors


def bytes_read(sectors: list[bytes]) -> tuple[Journal, int]:
    flash = Nor(sectors)
    return Journal(flash, random.Random(1).randbytes), flash.bytes_read


def test_mounting_a_full_mebibyte_reads_little() -> None:
    journal, count = bytes_read(filled())
    assert (journal.next_seq, journal.pressed, journal.reason) == (145 * 255, 145 * 255, None)
    assert count <= COUNT * 32 + SIZE, count
    assert count <= READ_IN_300_MS / 20


@pytest.mark.parametrize("epochs", [2, 16, 64])
def test_mounting_reads_one_sector_more_for_each_epoch_held(epochs: int) -> None:
    journal, count = bytes_read(filled(epochs))
    assert len(journal.epochs()) == epochs
    assert count <= COUNT * 32 + epochs * SIZE, count
    assert count <= READ_IN_300_MS


@pytest.mark.parametrize("damaged", [1, 16, 64])
def test_mounting_reads_one_sector_more_for_each_unreadable_header(damaged: int) -> None:
    sectors = filled()
    for pos in range(damaged):
        sectors[3 * pos] = b"\0" + sectors[3 * pos][1:]
    journal, count = bytes_read(sectors)
    assert journal.counters["unreadable"] == damaged
    assert count <= COUNT * 32 + SIZE + damaged * (64 + SIZE), count
    assert count <= READ_IN_300_MS


@pytest.mark.parametrize("content", ["blank", "zeros", "noise", "text", "moved"])
def test_the_first_start_on_any_flash_takes_a_tenth_of_the_time(content: str) -> None:
    """A flash full of foreign data is seen by its first bytes."""
    sectors, _ = found(content, 1, COUNT, SIZE)
    journal, count = bytes_read(sectors)
    assert journal.reason == "fresh"
    assert count <= COUNT * (32 + 64), (content, count)
    assert count <= READ_IN_300_MS / 10


@pytest.mark.parametrize("content", ["zeros", "noise", "text"])
def test_a_later_start_among_foreign_data_reads_it_once(content: str) -> None:
    """Slower than 300 ms, and the worst there is: said at the top of this file."""
    flash = Nor(pattern(content, COUNT, SIZE))
    press(Journal(flash, random.Random(1).randbytes), 3)
    journal, count = bytes_read(flash.sectors)
    assert journal.next_seq == 3
    assert count <= COUNT * (32 + 64 + SIZE), count


def test_a_mebibyte_holds_32_000_presses() -> None:
    flash = Nor(COUNT)
    journal = Journal(flash, Rng(1).bytes)
    pressed = fill(journal)
    assert pressed == journal.waiting == 145 * 255
    assert pressed >= 32_000
    assert flash.erases == 0
    journal, count = bytes_read(flash.sectors)
    assert journal.waiting == pressed
    assert count <= COUNT * 32 + SIZE, count
