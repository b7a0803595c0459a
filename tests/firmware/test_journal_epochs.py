"""The journal's marks, epochs, texts, misbehaving flash, cost of a press. Runs on CPython and MicroPython."""

from journal_rig import ANSWER, CLOCK, REFUSED, SIZE, again, drain, fill, fresh, press, refused, rest
from kiosk import record, sector
from kiosk.journal import Journal, JournalFull
from nor import Nor, flipped, pattern
from whole import read
from world import World, refusal

# Marks


def marks(flash):
    return [sector.marks(data, sector.MARK_AT)[0] for data in flash.sectors]


def test_a_booked_sector_behind_one_without_marks_left_waits_for_its_receipt_again_after_a_start():
    """The server may have forgotten it, too, and would not be asked: the cursor lies before what it knows."""
    journal, flash = fresh(sectors=6)
    press(journal, 11)
    epoch = journal.epoch
    for _ in range(2):
        journal.release(epoch, 11)
        journal.rewind(epoch, 0)
    press(journal, 14)
    journal.release(epoch, 25)
    assert marks(flash)[:3] == [4, 1, 0]
    journal, flash = again(flash)
    assert journal.cursor(epoch) == 0
    journal.release(epoch, 10)  # a server that was put back to before the second sector came
    fill(journal)
    rest(journal)
    assert [seq for _, seq in drain(journal)] == list(range(10, journal.next_seq))


def test_a_mark_behind_a_sector_without_marks_left_is_taken_back_before_that_sector_goes():
    """Else the start after next would take it for booked, and the ring erase it before anybody is asked."""
    journal, flash = fresh(sectors=6)
    press(journal, 11)
    epoch = journal.epoch
    for _ in range(2):
        journal.release(epoch, 11)
        journal.rewind(epoch, 0)
    press(journal, 14)
    journal.release(epoch, 25)
    journal, flash = again(flash)
    journal.release(epoch, 10)  # a server that was put back to before the second sector came
    assert marks(flash)[:3] == [4, 2, 0]
    fill(journal)
    rest(journal)  # the first sector goes
    journal, flash = again(flash)
    fill(journal)  # before anybody is asked
    assert journal.cursor(epoch) == 10
    assert [seq for _, seq in drain(journal)] == list(range(10, journal.next_seq))


def test_booking_and_going_back_clear_one_byte_each_until_only_ram_knows():
    journal, flash = fresh()
    press(journal, 15)
    epoch = journal.epoch
    for cleared in (1, 2, 3, 4):
        if cleared % 2:
            journal.release(epoch, 12)
        else:
            journal.rewind(epoch, 0)
        assert marks(flash) == [cleared, 0, 0, 0, 0]
        assert again(flash)[0].waiting == (5 if cleared % 2 else 15)
    journal.release(epoch, 12)
    assert marks(flash) == [4, 0, 0, 0, 0]
    assert journal.waiting == 3
    assert again(flash)[0].waiting == 15, "flash cannot say so any more: sent again, which is harmless"


def test_the_open_sector_is_not_marked():
    journal, flash = fresh()
    press(journal, 10)
    journal.release(journal.epoch, 10)
    assert marks(flash) == [0] * 5
    press(journal)
    assert marks(flash) == [1, 0, 0, 0, 0], "closed by the next one, and booked long since"


def test_a_mark_counts_when_at_least_five_bits_are_cleared():
    for byte, counts in ((0xFF, 0), (0xF0, 0), (0xE0, 1), (0x15, 1), (0x55, 0), (0x00, 1)):
        assert sector.marks(bytes([byte, 0xFF, 0xFF, 0xFF])) == (counts, counts), byte


def test_a_receipt_releases_neither_beyond_the_end_nor_for_an_epoch_not_held():
    journal, _ = fresh()
    press(journal, 5)
    journal.release(journal.epoch, 99)
    journal.release(journal.epoch + 1, 99)
    journal.rewind(journal.epoch + 1, 0)
    assert (journal.cursor(journal.epoch), journal.waiting, journal.next_seq) == (5, 0, 5)
    press(journal)
    assert journal.waiting == 1


def test_a_server_that_forgot_gets_again_what_flash_still_holds():
    journal, flash = fresh()
    press(journal, 35)
    drain(journal)
    journal.rewind(journal.epoch, 0)
    assert [seq for _, seq in drain(again(flash)[0])] == list(range(35))
    assert fill(journal) == 5, "what is to be sent again is not overwritten"
    assert [seq for _, seq in drain(journal)] == list(range(40))


def test_a_range_begins_where_the_server_stands_also_when_it_is_no_longer_held():
    journal, _ = fresh()
    press(journal, 35)
    drain(journal)
    rest(journal)  # erases the first sector
    journal.rewind(journal.epoch, 4)
    epoch, start, to, records = read(journal, 56)
    assert (start, to, [record.seq_at(data, 0) for data in records]) == (4, 12, [10, 11])


# Epochs


def test_a_new_epoch_counts_from_nought_and_the_old_one_goes_first():
    journal, flash = fresh()
    press(journal, 3)
    old = journal.epoch
    journal.new_epoch("fork")
    assert (journal.next_seq, journal.pressed, journal.reason) == (0, 0, "fork")
    assert journal.epoch != old
    press(journal, 2)
    journal, flash = again(flash)
    new = journal.epoch
    assert journal.epochs() == [(old, 0, 3, 3), (new, 0, 2, 2)]
    epoch, start, to, records = read(journal, 4052)
    assert (epoch, start, to, len(records)) == (old, 0, 3, 3), "a batch never crosses epochs"
    assert drain(journal) == [(old, 0), (old, 1), (old, 2), (new, 0), (new, 1)]
    assert journal.boot == 2


def test_a_new_epoch_is_in_flash_before_its_first_record():
    journal, flash = fresh()
    press(journal, 3)
    journal.new_epoch("behind")
    assert again(flash)[0].epoch == journal.epoch


def test_a_fresh_epoch_is_in_flash_after_idle_work():
    journal, flash = fresh()
    rest(journal)
    assert again(flash)[0].epoch == journal.epoch


def test_an_epoch_is_named_until_its_last_sector_is_erased():
    journal, flash = fresh()
    press(journal, 3)
    old = journal.epoch
    journal.new_epoch("fork")
    drain(journal)
    assert journal.epochs()[0] == (old, 0, 3, 3)
    assert fill(journal) == 40
    assert [entry[0] for entry in journal.epochs()] == [old, journal.epoch]
    drain(journal)
    press(journal, 10)
    assert [entry[0] for entry in journal.epochs()] == [journal.epoch]


def test_an_epoch_never_gets_the_number_of_one_that_is_held():
    numbers = [b"\x01\x00\x00\x00", b"\x01\x00\x00\x00", b"\x00\x00\x00\x00", b"\x02\x00\x00\x00"]
    journal = Journal(Nor(pattern("blank", 5, SIZE)), lambda n: numbers.pop(0))
    press(journal)
    journal.new_epoch("fork")
    assert journal.epoch == 2


def test_a_full_journal_begins_its_new_epoch_when_there_is_room():
    journal, _ = fresh()
    fill(journal)
    while not refused(journal, REFUSED):
        pass
    old, count = journal.epoch, journal.next_seq
    journal.new_epoch("fork")
    assert refused(journal)
    assert refused(journal, CLOCK)
    assert drain(journal) == [(old, seq) for seq in range(count)]
    press(journal)
    assert journal.epochs()[-1] == (journal.epoch, 0, 1, 1)


def test_when_the_newest_sector_has_lost_its_header_no_seq_is_used_twice():
    journal, flash = fresh()
    press(journal, 15)
    later, _ = again(Nor(flipped(flash.sectors, 1, 9, 0)))
    assert later.reason == "order"
    assert later.epoch != journal.epoch
    assert later.counters["unreadable"] == 1
    assert drain(later) == [(journal.epoch, seq) for seq in range(10)]


def test_when_the_newest_sector_is_gone_altogether_a_mark_before_it_tells():
    journal, flash = fresh()
    press(journal, 15)
    journal.release(journal.epoch, 15)
    sectors = list(flash.sectors)
    sectors[1] = b"\xff" * SIZE
    later, _ = again(Nor(sectors))
    assert later.epoch != journal.epoch


def test_a_sector_under_an_unreadable_header_is_kept_until_nothing_else_is_free():
    journal, flash = fresh()
    press(journal, 25)
    sectors = flipped(flash.sectors, 0, 9, 0)
    journal, flash = again(Nor(sectors))
    assert journal.reason is None, "it shows records from before the newest sector: the order is proved"
    assert fill(journal) == 15 + 10
    assert flash.sectors[0] == sectors[0], "still there for harvest"
    journal.append(REFUSED)
    assert flash.sectors[0] != sectors[0]


# Texts


def test_a_booked_text_is_erased_at_the_next_idle_moment():
    journal, flash = fresh()
    rest(journal)
    journal.append(ANSWER, body=b"salaisuus " * 3)
    press(journal, 20)
    rest(journal)
    assert b"salaisuus" in b"".join(flash.sectors)
    drain(journal)
    rest(journal)
    assert b"salaisuus" not in b"".join(flash.sectors)


def test_a_booked_text_is_erased_also_when_the_power_failed_in_between():
    journal, flash = fresh()
    journal.append(ANSWER, body=b"salaisuus " * 3)
    press(journal, 12)
    drain(journal)
    journal, flash = again(flash)
    rest(journal)
    assert b"salaisuus" not in b"".join(flash.sectors)


# Flash that misbehaves


def test_a_sector_that_garbles_its_header_is_left_alone():
    journal, flash = fresh()
    flash.garble = (0, 2)
    press(journal, 20)
    assert [seq for _, seq in drain(journal)] == list(range(20))
    assert journal._ring.order == [1, 3]


def test_a_record_that_did_not_hold_is_written_again_under_the_next_seq():
    journal, flash = fresh()
    press(journal, 4)
    flash.garble = (0,)
    assert journal.append(ANSWER) == 5
    assert (journal.next_seq, journal.pressed) == (6, 5)
    assert [seq for _, seq in drain(again(flash)[0])] == [0, 1, 2, 3, 5]


def test_a_flash_that_holds_nothing_is_an_error_not_a_thank_you():
    journal, flash = fresh()
    flash.garble = range(5)
    for _ in range(3):
        refusal((OSError, JournalFull), lambda: journal.append(ANSWER))
    assert journal.pressed == 0


def test_an_error_of_the_flash_reaches_the_caller_and_the_next_press_goes_elsewhere():
    journal, flash = fresh()
    press(journal, 2)
    write = flash.writeblocks

    def failing(n, buf, off=None):
        raise OSError(5)

    flash.writeblocks = failing
    refusal(OSError, lambda: press(journal))
    flash.writeblocks = write
    press(journal, 2)
    assert [seq for _, seq in drain(again(flash)[0])] == [0, 1, 3, 4]


def test_two_sectors_are_too_few():
    assert "2 sectors" in refusal(ValueError, lambda: fresh(sectors=2))


# Cost (test_journal_mount.py has the rest)


def test_a_press_programs_its_own_bytes_and_erases_one_sector_in_145():
    world = World(pattern("zeros", 8, 4096), 5)
    for _ in range(3000):
        world.journal.append(ANSWER, value=3)
        if world.journal.next_seq % 100 == 0:
            epoch, _, to, _ = read(world.journal, 4052)
            world.journal.release(epoch, to)
            world.journal.tidy()
    flash = world.flash
    assert flash.bytes_programmed / 3000 <= 1.15 * 28, flash.bytes_programmed
    assert flash.erases / 3000 <= 0.01, flash.erases
