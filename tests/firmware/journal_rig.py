"""What the journal's tests share. Runs on CPython and MicroPython."""

from kiosk import record
from kiosk.journal import Journal, JournalFull
from nor import Nor, Rng, pattern
from whole import read

ANSWER, BOOT, CLOCK, REFUSED = record.KIND_ANSWER, record.KIND_BOOT, record.KIND_CLOCK, record.KIND_REFUSED
SIZE = 320  # ten presses a sector


def fresh(sectors=5, size=SIZE, content="blank"):
    flash = Nor(pattern(content, sectors, size))
    return Journal(flash, Rng(1).bytes), flash


def again(flash, seed=2):
    flash = Nor(flash.sectors)
    return Journal(flash, Rng(seed).bytes), flash


def press(journal, count=1):
    for _ in range(count):
        journal.append(ANSWER, set_number=14, value=4)


def fill(journal):
    count = 0
    while True:
        try:
            press(journal)
        except JournalFull:
            return count
        count += 1


def drain(journal, budget=4052):
    found = []
    while True:
        epoch, start, to, records = read(journal, budget)
        if start == to:
            return found
        found.extend([(epoch, record.seq_at(data, 0)) for data in records])
        journal.release(epoch, to)


def rest(journal):
    while journal.tidy():
        pass


def refused(journal, kind=ANSWER):
    try:
        journal.append(kind)
    except JournalFull:
        return True
    return False
