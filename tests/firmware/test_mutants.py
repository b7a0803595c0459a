"""The sweeps can fail: each of these small faults, put into the journal, is caught by one of them."""

from collections.abc import Callable
from typing import Any

import pytest
import test_flipped_flash
import test_journal_epochs
from cuts import Sweep
from kiosk import journal, record, ring, sector
from lives import life
from memo import memo
from nor import pattern
from world import World


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


def hands_out_seqs_again(patch: pytest.MonkeyPatch) -> None:
    """After a start, counts on from the newest sector's first seq."""
    scan = sector.scan

    def mutant(
        buf: bytearray, epoch: int, first: int, pressed: int, boot: int
    ) -> tuple[int, int, int, int, bool]:
        end, _, pressed, boot, ordered = scan(buf, epoch, first, pressed, boot)
        return end, first, pressed, boot, ordered

    patch.setattr(sector, "scan", mutant)


def takes_a_damaged_tail_for_one_seq(patch: pytest.MonkeyPatch) -> None:
    """However many records the damage may have been."""
    scan = sector.scan

    def mutant(
        buf: bytearray, epoch: int, first: int, pressed: int, boot: int
    ) -> tuple[int, int, int, int, bool]:
        end, seq, pressed, boot, ordered = scan(buf, epoch, first, pressed, boot)
        if end == len(buf):
            seq = max([first] + [found + 1 for _, _, found in sector.walk(buf, epoch)]) + 1
        return end, seq, pressed, boot, ordered

    patch.setattr(sector, "scan", mutant)


def marks_the_open_sector(patch: pytest.MonkeyPatch) -> None:
    """As soon as all that it holds so far is booked."""

    def mutant(self: Any, pos: int, booked: bool) -> None:
        newest, self.newest = self.newest, -1
        try:
            book(self, pos, booked)
        finally:
            self.newest = newest

    book = ring.Ring.book
    patch.setattr(ring.Ring, "book", mutant)


def erases_the_newest_sector(patch: pytest.MonkeyPatch) -> None:
    """Once it is booked, when idle, like any other."""

    def mutant(self: Any) -> bool:
        entry = self._epochs[-1]
        newest = self._ring.newest
        if newest >= 0 and entry[1] == entry[2] and self._ring.is_used(newest):
            self._ring._erase(newest)
            self._offset = self._ring.size
        return tidy(self)

    tidy = journal.Journal.tidy
    patch.setattr(journal.Journal, "tidy", mutant)


def does_not_read_back_what_it_wrote(patch: pytest.MonkeyPatch) -> None:
    """Thanks for a record that the flash garbled."""

    def mutant(self: Any, out: bytearray, size: int) -> bool:
        program(self, out, size)
        self._offset = min(self._ring.size, self._offset + size)
        return True

    program = journal.Journal._program
    patch.setattr(journal.Journal, "_program", mutant)


def counts_no_presses_of_the_open_sector(patch: pytest.MonkeyPatch) -> None:
    """After a start, the counter is what the newest header says."""
    scan = sector.scan

    def mutant(
        buf: bytearray, epoch: int, first: int, pressed: int, boot: int
    ) -> tuple[int, int, int, int, bool]:
        end, seq, _, boot, ordered = scan(buf, epoch, first, pressed, boot)
        return end, seq, pressed, boot, ordered

    patch.setattr(sector, "scan", mutant)


def draws_the_number_of_an_epoch_it_holds(patch: pytest.MonkeyPatch) -> None:
    """Begins a new epoch under the number of the one before."""

    def mutant(self: Any, reason: str) -> None:
        old = self._epochs[-1][0] if self._epochs else 0
        begin(self, reason)
        self._epochs[-1][0] = old or self._epochs[-1][0]

    begin = journal.Journal._begin_epoch
    patch.setattr(journal.Journal, "_begin_epoch", mutant)


def presses_use_the_sector_kept_back(patch: pytest.MonkeyPatch) -> None:
    """Leaves no room for what says that there is no room."""

    def mutant(self: Any, kind: int, size: int) -> None:
        make_room(self, record.KIND_CLOCK, size)

    make_room = journal.Journal._make_room
    patch.setattr(journal.Journal, "_make_room", mutant)


def erases_before_the_next_epoch_was_read(patch: pytest.MonkeyPatch) -> None:
    """Takes sectors of older epochs for booked."""

    def mutant(self: Any) -> None:
        mount(self)
        for pos in self._ring.order:
            if self._ring.epochs[pos] != self.epoch and self._ring.is_used(pos):
                self._ring._set(pos, 2)

    mount = journal.Journal._mount
    patch.setattr(journal.Journal, "_mount", mutant)


def trusts_a_mark_behind_an_unbooked_sector(patch: pytest.MonkeyPatch) -> None:
    """After a start, takes each mark for itself: a server may have forgotten what a sector without marks left had."""
    patch.setattr(ring.Ring, "hold", lambda self, pos: None)


def believes_such_a_mark_again_once_the_sector_before_is_gone(patch: pytest.MonkeyPatch) -> None:
    """Holds on to those sectors in RAM only: the start after the next one takes them for booked."""
    hold = ring.Ring.hold

    def mutant(self: Any, pos: int) -> None:
        hold(self, pos)
        self.held = False

    patch.setattr(ring.Ring, "hold", mutant)


def starts_every_epoch_anew(patch: pytest.MonkeyPatch) -> None:
    """Counts seqs on from nought in the same epoch when the order cannot be proved."""

    def mutant(self: Any, reason: str) -> None:
        if reason == "order" and self._epochs:
            self._epochs[-1][2] = 0
            self._offset = self._ring.size
        else:
            begin(self, reason)

    begin = journal.Journal._begin_epoch
    patch.setattr(journal.Journal, "_begin_epoch", mutant)


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
    hands_out_seqs_again,
    takes_a_damaged_tail_for_one_seq,
    marks_the_open_sector,
    erases_the_newest_sector,
    does_not_read_back_what_it_wrote,
    counts_no_presses_of_the_open_sector,
    draws_the_number_of_an_epoch_it_holds,
    presses_use_the_sector_kept_back,
    erases_before_the_next_epoch_was_read,
    trusts_a_mark_behind_an_unbooked_sector,
    believes_such_a_mark_again_once_the_sector_before_is_gone,
    starts_every_epoch_anew,
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
    worn_sectors(seed=3)
    test_journal_epochs.test_a_mark_behind_a_sector_without_marks_left_is_taken_back_before_that_sector_goes()
    with memo():
        for seed, content in enumerate(("blank", "zeros")):
            test_flipped_flash.flips(seed + 40, content, 120, 24)
            test_flipped_flash.blots(seed + 40, content, 120, 24)
            Sweep(most=8_000).over(content, seed)
            for uncut in range(60):
                life(content, uncut)


def worn_sectors(seed: int) -> None:
    """A life in which the flash garbles, now here, now there, what is written."""
    world = World(pattern("blank", 5, 320), seed)
    for step in range(300):
        world.flash.garble = (step // 7 % 5,) if step % 3 == 0 else ()
        if not world.press():
            world.flash.garble = ()
            world.drain()
            world.mount()
        world.state()
    world.flash.garble = ()
    world.mount()
    world.drain()
