"""How the flash wears under the journal, and what a receipt programs. Runs on CPython and MicroPython."""

from journal_rig import ANSWER, REFUSED, again, drain, fill, fresh, press, rest


def test_all_sectors_wear_alike_in_a_kiosk_that_is_online():
    journal, flash = fresh(sectors=8)
    for _ in range(300):
        press(journal, 7)
        drain(journal)
        rest(journal)
    assert min(flash.erased) >= 20
    assert max(flash.erased) - min(flash.erased) <= 1, flash.erased


def test_all_sectors_wear_alike_when_it_fills_up_and_is_emptied_again_and_again():
    journal, flash = fresh(sectors=8)
    for _ in range(60):
        fill(journal)
        journal.append(REFUSED)
        drain(journal)
    assert min(flash.erased) >= 40
    assert max(flash.erased) - min(flash.erased) <= 1, flash.erased


def test_all_sectors_wear_alike_through_restarts_texts_and_new_epochs():
    journal, flash = fresh(sectors=8)
    erased = [0] * 8
    for turn in range(400):
        press(journal, 3)
        journal.append(ANSWER, body=b"t" * (turn % 90))
        drain(journal)
        if turn % 3 == 0:
            rest(journal)
        if turn % 50 == 7:
            journal.new_epoch("fork")
        erased = [erased[n] + flash.erased[n] for n in range(8)]
        journal, flash = again(flash, turn)
    assert min(erased) >= 20
    assert max(erased) - min(erased) <= 2, erased


def test_a_receipt_programs_one_byte_for_each_finished_sector_and_nothing_else():
    journal, flash = fresh(sectors=8)
    press(journal, 47)  # four sectors are finished, the fifth is open
    epoch = journal.epoch
    programs, programmed, erases = flash.programs, flash.bytes_programmed, flash.erases
    expected = 0
    for through in range(1, 48):
        journal.release(epoch, through)
        expected += through % 10 == 0
        assert flash.programs - programs == flash.bytes_programmed - programmed == expected
    journal.release(epoch, 47)
    journal.rewind(epoch, 47)
    assert flash.programs - programs == expected == 4
    assert flash.erases == erases


def test_one_receipt_for_all_programs_one_byte_a_sector():
    journal, flash = fresh(sectors=8)
    press(journal, 47)
    programmed = flash.bytes_programmed
    journal.release(journal.epoch, 47)
    assert flash.bytes_programmed - programmed == 4


def test_a_sector_that_cannot_be_erased_is_left_alone_and_costs_only_its_room():
    journal, flash = fresh()
    assert fill(journal) == 40
    drain(journal)
    rest(journal)
    flash.stuck = (1,)
    before = journal.next_seq
    for _ in range(12):
        press(journal, 7)
        drain(journal)
        rest(journal)
    assert journal.next_seq == before + 84
    assert flash.erased[1] == 1, "tried once"
    booked = journal.next_seq
    held = fill(journal)
    assert 20 <= held < 40
    sent = [seq for _, seq in drain(again(flash)[0])]
    assert sent[-held:] == list(range(booked, booked + held))
