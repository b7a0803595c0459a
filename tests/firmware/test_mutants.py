"""The sweeps can fail: each of these small faults, put into the journal, is caught by one of them."""

from collections.abc import Callable
from typing import Any

import pytest
import test_flipped_flash
import test_power_cuts
from kiosk import journal, record, ring, sector
from nor import PATTERNS


def no_crc(patch: pytest.MonkeyPatch) -> None:
    """Takes whatever has a plausible length for a record."""
    patch.setattr(record, "whole", lambda buf, offset, epoch: record.size(buf, offset))


def writes_on_over_a_torn_tail(patch: pytest.MonkeyPatch) -> None:
    """Takes what lies behind the last whole record for blank."""
    scan = sector.scan

    def mutant(
        buf: bytearray, epoch: int, first: int, pressed: int, boot: int
    ) -> tuple[int, int, int, int, bool]:
        end = sector.RECORDS_AT
        seq = first
        for offset, size, found in sector.walk(buf, epoch):
            end, seq = offset + size, found + 1
        return (end, seq) + scan(buf, epoch, first, pressed, boot)[2:]

    patch.setattr(sector, "scan", mutant)


def looks_only_at_the_next_bytes(patch: pytest.MonkeyPatch) -> None:
    """Goes on when the next press's worth of bytes is blank, whatever the rest of the sector holds."""
    scan = sector.scan

    def mutant(
        buf: bytearray, epoch: int, first: int, pressed: int, boot: int
    ) -> tuple[int, int, int, int, bool]:
        end = sector.RECORDS_AT
        seq = first
        for offset, size, found in sector.walk(buf, epoch):
            end, seq = offset + size, found + 1
        if bytes(buf[end : end + 4]) == b"\xff" * 4:
            return (end, seq) + scan(buf, epoch, first, pressed, boot)[2:]
        return scan(buf, epoch, first, pressed, boot)

    patch.setattr(sector, "scan", mutant)


def gives_seqs_of_damaged_records_again(patch: pytest.MonkeyPatch) -> None:
    """Counts on from the last whole record, although damaged ones behind it had been sent."""
    scan = sector.scan

    def mutant(
        buf: bytearray, epoch: int, first: int, pressed: int, boot: int
    ) -> tuple[int, int, int, int, bool]:
        end, seq, pressed, boot, ordered = scan(buf, epoch, first, pressed, boot)
        if end == len(buf):
            seq = first
            for _, _, found in sector.walk(buf, epoch):
                seq = found + 1
        return end, seq, pressed, boot, ordered

    patch.setattr(sector, "scan", mutant)


def trusts_the_newest_readable_header(patch: pytest.MonkeyPatch) -> None:
    """Goes on counting although a newer sector may have lost its header."""
    patch.setattr(ring.Ring, "_is_newest", lambda self, numbers, known: True)


def marks_a_sector_that_is_booked_in_part(patch: pytest.MonkeyPatch) -> None:
    """Takes a sector for booked as soon as its first record is."""

    def mutant(self: Any, entry: list[int], booked: bool) -> None:
        for pos in self._ring.order:
            if self._ring.epochs[pos] == entry[0] and (self._ring.firsts[pos] < entry[1]) == booked:
                self._ring.book(pos, booked)

    patch.setattr(journal.Journal, "_book", mutant)


def keeps_the_marks_when_the_server_forgot(patch: pytest.MonkeyPatch) -> None:
    """Goes back in RAM only."""

    def mutant(self: Any, epoch: int, through: int) -> None:
        entry = self._entry(epoch)
        if entry is not None and through < entry[1]:
            entry[1] = max(0, through)

    patch.setattr(journal.Journal, "rewind", mutant)


def takes_any_blank_header_for_an_erased_sector(patch: pytest.MonkeyPatch) -> None:
    """Does not look at what an erase that was cut short left behind the header."""

    def mutant(self: Any, pos: int) -> bool:
        self._set(pos, 1)
        return True

    patch.setattr(ring.Ring, "_verify", mutant)


def begins_behind_the_oldest_unbooked_sector(patch: pytest.MonkeyPatch) -> None:
    """After a start, takes everything but the newest sector for booked."""
    mount = journal.Journal._mount

    def mutant(self: Any) -> None:
        mount(self)
        if self._ring.newest >= 0 and self._ring.epochs[self._ring.newest] == self.epoch:
            self._epochs[-1][1] = self._ring.firsts[self._ring.newest]

    patch.setattr(journal.Journal, "_mount", mutant)


def erases_what_is_not_booked(patch: pytest.MonkeyPatch) -> None:
    """Overwrites the oldest when it is full."""
    next_in = ring.Ring._next_in

    def mutant(self: Any, low: int, high: int) -> int:
        found: int = next_in(self, low, high)
        return next_in(self, low, 5) if found < 0 and low == 2 else found

    patch.setattr(ring.Ring, "_next_in", mutant)


def leaks_torn_sectors(patch: pytest.MonkeyPatch) -> None:
    """Never uses a sector again whose header was torn."""
    without_header = ring.Ring._without_header

    def mutant(self: Any, pos: int) -> int:
        state: int = without_header(self, pos)
        return 6 if state == 3 else state

    patch.setattr(ring.Ring, "_without_header", mutant)


def counts_torn_answers_as_pressed(patch: pytest.MonkeyPatch) -> None:
    """Adds to the counter what the tail's damage may have been."""
    scan = sector.scan

    def mutant(
        buf: bytearray, epoch: int, first: int, pressed: int, boot: int
    ) -> tuple[int, int, int, int, bool]:
        end, seq, pressed, boot, ordered = scan(buf, epoch, first, pressed, boot)
        return end, seq, pressed + (2 if end == len(buf) else 0), boot, ordered

    patch.setattr(sector, "scan", mutant)


MUTANTS = [
    no_crc,
    writes_on_over_a_torn_tail,
    looks_only_at_the_next_bytes,
    gives_seqs_of_damaged_records_again,
    trusts_the_newest_readable_header,
    marks_a_sector_that_is_booked_in_part,
    keeps_the_marks_when_the_server_forgot,
    takes_any_blank_header_for_an_erased_sector,
    begins_behind_the_oldest_unbooked_sector,
    erases_what_is_not_booked,
    leaks_torn_sectors,
    counts_torn_answers_as_pressed,
]


def test_the_journal_as_it_is_passes_the_sweeps_of_this_file() -> None:
    sweeps()


@pytest.mark.parametrize("mutate", MUTANTS, ids=lambda mutate: mutate.__name__)
def test_a_mutant_is_caught(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    with pytest.raises((AssertionError, IndexError, ValueError)):
        sweeps()


def sweeps() -> None:
    for seed, content in enumerate(PATTERNS[:2]):
        test_flipped_flash.flips(seed + 40, content, 120, 12)
        test_power_cuts.sweep(seed, content, 200)
