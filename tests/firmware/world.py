"""A journal's life, lived beside somebody who remembers everything that it promised.

Runs on CPython and MicroPython. What is read is held against the promises (promises.py) at once.
"""

from kiosk import record, sector
from kiosk.journal import Journal, JournalFull
from nor import Nor, Rng
from promises import Promises
from whole import encode, read

BUDGET = 4052  # bytes of records that fit in the largest batch


class World:
    """`trace`, when kept, gets (sectors, operation, promises) before each program and erase."""

    def __init__(self, sectors, seed, promises=None, trace=False, cut=None):
        self.rng = Rng(seed)
        self.promises = promises.copy() if promises else Promises()
        self.trace = []
        self.flash = Nor(sectors, cut=cut, log=self if trace else None)
        self.refused = 0
        self.mount()

    def append(self, entry):
        """As the flash's log: remember the promises that hold at this operation."""
        self.trace.append(entry + (self.promises.copy(),))

    def mount(self):
        self.journal = Journal(self.flash, self._random)

    def _random(self, count):
        """Never the number of an epoch that was promised about: in life that is one draw in four thousand million."""
        while True:
            drawn = self.rng.bytes(count)
            epoch = int.from_bytes(drawn, "little")
            if epoch not in self.promises.next and epoch not in self.promises.booked:
                return drawn

    def write(self, kind, body=b"", value=3):
        """Append a record; True when it is promised, False when it was refused for want of room."""
        journal = self.journal
        answer = kind == record.KIND_ANSWER
        uptime = self.rng.below(100000)
        before = (journal.epoch, journal.next_seq)

        def expected(epoch, seq, pressed):
            return encode(epoch, kind, 0, seq, journal.boot, uptime, 14, 255, 0, 0, value, pressed, body)

        promises = self.promises
        doubt = promises.maybe.get(before)
        pressed = journal.pressed + answer
        data = promises.maybe[before] = expected(before[0], before[1], pressed)
        try:
            seq = journal.append(kind, set_number=14, value=value, uptime=uptime, body=body)
        except JournalFull:
            self.refused += 1
            promises.maybe.pop(before)
            if doubt:
                promises.maybe[before] = doubt
            return False
        key = (journal.epoch, seq)
        assert key not in promises.thanked, f"seq {key} handed out twice"
        if key != before or journal.pressed != pressed:
            promises.maybe.pop(before)
            data = expected(journal.epoch, seq, journal.pressed)
        promises.thank(key, data)
        return True

    def press(self, value=3):
        return self.write(record.KIND_ANSWER, value=value)

    def text(self, size):
        return self.write(record.KIND_ANSWER, body=b"t" * size, value=0)

    def clock(self):
        return self.write(record.KIND_CLOCK, body=record.clock_body(1_772_438_400_000, 50), value=0)

    def boot(self):
        return self.write(record.KIND_BOOT, body=record.boot_body(1, 7), value=0)

    def refusals(self):
        """A refused record: how many presses found no room."""
        return self.write(record.KIND_REFUSED, body=record.refused_body(self.refused, 10), value=0)

    def send(self, budget=BUDGET, portion=None):
        """One batch, and a receipt for it, or for a portion of it, any number; returns (epoch, from, to), None when
        nothing waits.
        """
        epoch, start, to, records = read(self.journal, budget)
        if start == to:
            return None
        self.found(epoch, start, to, records, budget)
        through = to if portion is None else start + portion % (to - start + 1)
        promises = self.promises
        skipped = promises.due_in(epoch, 0, start)
        assert not skipped, f"passed over: {skipped}"
        promises.booked[epoch] = max(through, promises.booked.get(epoch, 0))
        self.journal.release(epoch, through)
        return epoch, start, to

    def found(self, epoch, start, to, records, budget):
        """A batch must hold every promised record of its range, as it was written, and nothing else."""
        promises = self.promises
        last = start - 1
        seqs = set()
        total = 0
        for data in records:
            seq = record.seq_at(data, 0)
            assert last < seq < to, f"seq {seq} out of order in [{start}, {to})"
            last = seq
            seqs.add(seq)
            total += len(data)
            key = (epoch, seq)
            promised = promises.thanked.get(key)
            if promised == data:
                continue
            assert record.decode(data, 0, epoch) is not None, "not a record"
            if promised is None:
                assert promises.maybe.get(key) == data, f"seq {seq} was never written so"
                promises.thank(key, data)
            else:
                end = fields_end(data)
                assert promised[:end] == data[:end], f"seq {seq} changed"
        assert total <= budget or len(records) == 1
        for key in promises.due_in(epoch, start, to):
            assert key[1] in seqs, f"seq {key[1]} is lost"

    def forget(self, epoch, through):
        """The server was restored and knows nothing from `through` on; flash has what it did not erase, nor
        begin to erase: a booked record under a header that a cut erase has damaged is for harvest only.
        """
        headed = [data for data in self.flash.sectors if sector.unpack_header(data) is not None]
        held = set(readable(headed, epoch))
        booked = self.promises.booked.get(epoch, 0)
        for key in self.promises.thanked:
            if key[0] == epoch and through <= key[1] < booked and key[1] not in held:
                self.promises.gone.add(key)
        # What the program does with a receipt that says so (kiosk/sync.py): only what lies behind is gone back to.
        cursor = self.journal.cursor(epoch)
        if cursor is not None and through >= cursor:
            self.journal.release(epoch, through)
        else:
            self.journal.rewind(epoch, through)
        self.promises.booked[epoch] = min(booked, through)

    def drain(self, budget=BUDGET):
        """Send everything; every promise not booked before must be among it."""
        at = {}
        for _ in range(10000):
            sent = self.send(budget)
            if sent is None:
                break
            epoch, start, to = sent
            assert at.get(epoch, start) == start, "a batch must go on where the receipt left off"
            at[epoch] = to
        else:
            raise AssertionError("reading never comes to an end")
        due = self.promises.due()
        assert not due, f"lost: {sorted(due)}"

    def tidy(self):
        for _ in range(10000):
            if not self.journal.tidy():
                return
        raise AssertionError("tidying never comes to an end")

    def state(self):
        """What must hold at any moment of a mounted journal."""
        journal = self.journal
        held = [entry[0] for entry in journal.epochs()]
        assert held[-1] == journal.epoch
        assert len(set(held)) == len(held)
        promises = self.promises
        next_ = promises.next.get(journal.epoch, 0)
        assert next_ <= journal.next_seq, f"seq {next_ - 1} may be handed out again"
        booked = promises.booked.get(journal.epoch, 0)
        assert booked <= journal.next_seq, f"seqs below {booked} are booked, {journal.next_seq} is next"
        least = promises.pressed.get(journal.epoch, 0)
        most = least + promises.may_have_pressed(journal.epoch, journal.next_seq)
        assert least <= journal.pressed <= most, f"pressed {journal.pressed}, thanked {least}"
        assert 0.0 <= journal.fill <= 1.0


def refusal(kind, call):
    """What an exception of this kind says that `call` must raise."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError("accepted")


def fields_end(data):
    """Where the padding begins, which no CRC covers."""
    return data[0] + (data[1] << 8) + 4


def readable(sectors, epoch):
    """Seqs of all whole records of an epoch, wherever they lie: a reader that knows nothing of sectors."""
    found = []
    for data in sectors:
        for offset in range(0, len(data), 4):
            if record.whole(data, offset, epoch):
                found.append(record.seq_at(data, offset))
    return found
