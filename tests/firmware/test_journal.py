"""The journal's order, content and room. Runs on CPython and MicroPython."""

from journal_rig import ANSWER, BOOT, CLOCK, REFUSED, SIZE, again, drain, fill, fresh, press, refused, rest
from kiosk import record
from kiosk.journal import Journal
from nor import Nor, Rng, flipped, pattern
from whole import encode_batch, read
from world import refusal

# Order and content


def test_seqs_count_up_by_one_and_only_answers_are_pressed():
    journal, flash = fresh()
    assert (journal.next_seq, journal.pressed, journal.boot, journal.waiting) == (0, 0, 1, 0)
    kinds = (BOOT, CLOCK, ANSWER, ANSWER, 9, REFUSED, ANSWER)
    assert [journal.append(kind) for kind in kinds] == list(range(7))
    assert (journal.next_seq, journal.pressed, journal.waiting) == (7, 3, 7)
    epoch, start, to, records = read(journal, 4052)
    assert (epoch, start, to) == (journal.epoch, 0, 7)
    decoded = [record.decode(data, 0, epoch) for data in records]
    assert [fields[0] for fields in decoded] == list(kinds)
    assert [fields[10] for fields in decoded] == [0, 0, 1, 2, 2, 2, 3]
    assert {fields[3] for fields in decoded} == {1}


def test_all_fields_come_back_as_they_were_written():
    journal, _ = fresh()
    body = "äö".encode()
    journal.append(ANSWER, 14, session=2, question=3, language=1, value=255, flags=5, uptime=99, body=body)
    epoch, _, _, records = read(journal, 4052)
    assert record.decode(records[0], 0, epoch) == (1, 5, 0, 1, 99, 14, 2, 3, 1, 255, 1, body)


def test_a_restart_goes_on_in_the_same_epoch_with_the_next_boot():
    journal, flash = fresh()
    press(journal, 13)
    later, flash = again(flash)
    assert (later.epoch, later.next_seq, later.pressed, later.boot) == (journal.epoch, 13, 13, 2)
    assert later.reason is None
    press(later)
    assert record.decode(read(later, 4052)[3][-1], 0, later.epoch)[3] == 2
    assert again(flash)[0].boot == 3


def test_a_run_without_a_record_leaves_its_number_to_the_next():
    journal, flash = fresh()
    press(journal)
    assert again(flash)[0].boot == again(flash)[0].boot == 2


def test_mounting_only_reads():
    for content in ("blank", "zeros", "noise", "text"):
        journal, flash = fresh(content=content)
        assert (flash.programs, flash.erases) == (0, 0)
        assert journal.reason == "fresh"
        press(journal, 25)
        journal, flash = again(flash)
        assert (flash.programs, flash.erases) == (0, 0)
        assert journal.next_seq == 25


def test_batches_follow_one_another_without_gap_up_to_their_limit():
    journal, _ = fresh()
    for size in (0, 30, 7, 200, 0, 0, 11, 0):
        journal.append(ANSWER, body=b"t" * size)
    at = 0
    seen = []
    while at < 8:
        epoch, start, to, records = read(journal, 100)
        assert start == at
        assert sum([len(data) for data in records]) <= 100 or len(records) == 1
        seen += [record.seq_at(data, 0) for data in records]
        journal.release(epoch, to)
        at = to
    assert seen == list(range(8))
    assert read(journal, 100) == (journal.epoch, 8, 8, [])


def test_reading_again_without_a_receipt_gives_the_same_batch_and_what_came_since():
    journal, _ = fresh()
    press(journal, 3)
    first = read(journal, 4052)
    assert read(journal, 4052) == first
    press(journal)
    assert read(journal, 4052)[3][:3] == first[3]
    assert read(journal, 4052)[2] == 4


def test_a_batch_can_be_made_in_a_buffer_that_was_there_before():
    journal, _ = fresh()
    for size in (0, 30, 7, 200, 0):
        journal.append(ANSWER, body=b"t" * size)
    buf = bytearray(44 + record.MAX_RECORD_BYTES)
    for limit in (0, 60, 100, 400):
        epoch, start, to, records = read(journal, limit)
        assert journal.read_into(buf, 40, limit)[:3] == (epoch, start, to)
        count, end = journal.read_into(buf, 40, limit)[3:]
        length = record.seal_batch(buf, end, count, epoch, 9, start, to, 5, 5, 5, 1, 77)
        assert buf[:length] == encode_batch(epoch, 9, start, to, 5, 5, 5, 1, 77, records)
        journal.release(epoch, to)
    assert journal.waiting == 0


def test_to_is_the_next_record_held_even_over_a_damaged_one():
    journal, flash = fresh()
    press(journal, 6)
    journal, _ = again(Nor(flipped(flash.sectors, 0, 32 + 2 * 28 + 5, 3)))
    epoch, start, to, records = read(journal, 56)
    assert (start, to, [record.seq_at(data, 0) for data in records]) == (0, 3, [0, 1])
    journal.release(epoch, to)
    assert [record.seq_at(data, 0) for data in read(journal, 4052)[3]] == [3, 4, 5]


def test_after_a_restart_whole_sectors_are_sent_again_and_marked_ones_are_not():
    journal, flash = fresh()
    press(journal, 25)
    journal.release(journal.epoch, 17)
    later, _ = again(flash)
    assert later.cursor(later.epoch) == 10
    assert later.waiting == 15
    assert later.cursor(12345) is None


# Room


def test_a_full_journal_refuses_and_loses_nothing():
    journal, flash = fresh()
    assert fill(journal) == 40  # five sectors of ten, one of them kept back
    assert journal.fill == 1.0
    assert refused(journal)
    assert refused(journal, BOOT)
    assert (journal.next_seq, journal.pressed) == (40, 40)
    journal, flash = again(flash)
    assert journal.fill == 1.0
    assert refused(journal)
    assert drain(journal) == [(journal.epoch, seq) for seq in range(40)]
    press(journal)


def test_the_sector_kept_back_takes_clock_and_refused_records_but_no_press():
    journal, flash = fresh()
    fill(journal)
    for _ in range(3):
        journal.append(REFUSED, body=record.refused_body(3, 10))
        journal.append(CLOCK, body=record.clock_body(1_772_438_400_000, 5))
        assert refused(journal), "the last sector is not for presses"
    while not refused(journal, CLOCK):
        pass
    assert journal.fill == 1.0
    assert journal.counters["dropped"] == 1
    assert refused(journal, REFUSED)
    assert journal.counters["dropped"] == 2
    assert again(flash)[0].next_seq == journal.next_seq


def test_one_booked_sector_is_room_again():
    journal, _ = fresh()
    fill(journal)
    journal.release(journal.epoch, 10)
    assert fill(journal) == 10
    assert journal.counters["slow"] == 0, "the sector that was kept back was erased already"
    journal.release(journal.epoch, 20)
    press(journal)
    assert journal.counters["slow"] == 1


def test_idle_work_erases_ahead_so_that_no_press_waits():
    journal, flash = fresh()
    for _ in range(60):
        press(journal, 3)
        drain(journal)
        rest(journal)
    assert journal.counters["slow"] == 0
    assert flash.erases <= 180 / 10


def test_a_step_of_idle_work_erases_one_sector_at_most():
    journal, flash = fresh()
    fill(journal)
    drain(journal)
    while True:
        before = flash.erases
        if not journal.tidy():
            break
        assert flash.erases - before <= 1


def test_what_is_not_booked_is_never_erased():
    journal, flash = fresh()
    fill(journal)
    journal.release(journal.epoch, 9)
    rest(journal)
    assert flash.erases == 0


def test_sectors_without_a_whole_record_do_not_fill_the_journal():
    sectors = pattern("blank", 5, SIZE)
    journal = Journal(Nor(sectors), Rng(3).bytes)
    flash = journal._flash
    for _ in range(40):  # torn at once, each time: the sector is closed with nothing in it
        press(journal)
        newest = journal._ring.newest
        assert newest >= 0
        torn = bytearray(flash.sectors[newest])
        torn[32 + 24 :] = b"\x00" + b"\xff" * (SIZE - 57)
        flash.sectors[newest] = bytes(torn)
        journal, flash = again(flash)
    press(journal)


def test_an_answer_that_cannot_fit_is_refused_by_its_length():
    journal, _ = fresh()
    assert "1001" in refusal(ValueError, lambda: journal.append(ANSWER, body=bytes(1001)))
    assert "300" in refusal(ValueError, lambda: journal.append(ANSWER, body=bytes(300)))
    assert journal.next_seq == 0
