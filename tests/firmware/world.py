"""A journal's life, lived beside somebody who remembers everything that it promised.

Runs on CPython and MicroPython. `World` drives a journal and remembers its promises; `check` and `flip` say
whether the flash keeps them after a power cut and after a bit has turned over.
"""

from kiosk import record, sector
from kiosk.journal import Journal, JournalFull
from nor import Nor, Rng, flipped, torn
from whole import encode, read

BUDGET = 4052  # bytes of records that fit in the largest batch


class Promises:
    """What must, and what may be found in flash.

    `thanked`: {(epoch, seq): record}; `maybe`: the same for appends that did not come to an end; `booked`:
    {epoch: through}; `gone`: booked records that the ring erased before a server forgot them.
    """

    def __init__(self):
        self.thanked = {}
        self.maybe = {}
        self.booked = {}
        self.gone = set()

    def copy(self):
        other = Promises()
        other.thanked = dict(self.thanked)
        other.maybe = dict(self.maybe)
        other.booked = dict(self.booked)
        other.gone = set(self.gone)
        return other


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
        self.journal = Journal(self.flash, self.rng.bytes)

    def write(self, kind, body=b"", value=3):
        """Append a record; True when it is promised, False when it was refused for want of room."""
        journal = self.journal
        answer = kind == record.KIND_ANSWER
        uptime = self.rng.below(100000)
        before = (journal.epoch, journal.next_seq)

        def expected(epoch, seq, pressed):
            boot = journal.boot
            return encode(epoch, kind, 0, seq, boot, uptime, 14, 255, 0, 0, value, pressed, body)

        doubt = self.promises.maybe.get(before)
        self.promises.maybe[before] = expected(before[0], before[1], journal.pressed + answer)
        try:
            seq = journal.append(kind, set_number=14, value=value, uptime=uptime, body=body)
        except JournalFull:
            self.refused += 1
            self.promises.maybe.pop(before)
            if doubt:
                self.promises.maybe[before] = doubt
            return False
        key = (journal.epoch, seq)
        assert key not in self.promises.thanked, f"seq {key} handed out twice"
        self.promises.maybe.pop(before)
        self.promises.thanked[key] = expected(journal.epoch, seq, journal.pressed)
        return True

    def press(self, value=3):
        return self.write(record.KIND_ANSWER, value=value)

    def text(self, size):
        return self.write(record.KIND_ANSWER, body=b"t" * size, value=0)

    def clock(self):
        return self.write(record.KIND_CLOCK, body=record.clock_body(1_772_438_400_000, 50), value=0)

    def send(self, budget=BUDGET, through=None):
        """One batch, and a receipt for it (for what is below `through` of it); False when nothing waits."""
        epoch, start, to, records = read(self.journal, budget)
        if start == to:
            return False
        self.found(epoch, start, to, records, budget)
        through = to if through is None else min(to, max(start, through))
        self.promises.booked[epoch] = max(through, self.promises.booked.get(epoch, 0))
        self.journal.release(epoch, through)
        return True

    def found(self, epoch, start, to, records, budget):
        """A batch must hold every promised record of its range, as it was written, and nothing else."""
        promises = self.promises
        last = start - 1
        seqs = set()
        total = 0
        for data in records:
            fields = record.decode(data, 0, epoch)
            assert fields is not None, "not a record"
            assert record.size(data, 0) == len(data)
            seq = fields[2]
            assert last < seq < to, f"seq {seq} out of order in [{start}, {to})"
            last = seq
            seqs.add(seq)
            total += len(data)
            key = (epoch, seq)
            if key not in promises.thanked:
                assert promises.maybe.get(key) == data, f"seq {seq} was never written so"
                promises.thanked[key] = promises.maybe.pop(key)
            assert promises.thanked[key][: fields_end(data)] == data[: fields_end(data)], f"seq {seq} changed"
        assert total <= budget or len(records) == 1
        for key in promises.thanked:
            if key[0] == epoch and start <= key[1] < to and key[1] >= promises.booked.get(epoch, 0):
                assert key[1] in seqs or key in promises.gone, f"seq {key[1]} is lost"

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
        self.journal.rewind(epoch, through)
        self.promises.booked[epoch] = min(booked, through)

    def drain(self, budget=BUDGET):
        """Send everything; every promise not booked before must be among it."""
        due = set()
        for key in self.promises.thanked:
            if key[1] >= self.promises.booked.get(key[0], 0) and key not in self.promises.gone:
                due.add(key)
        at = {}
        for _ in range(10000):
            epoch, start, to, records = read(self.journal, budget)
            if start == to:
                break
            assert at.get(epoch, start) == start, "a batch must go on where the receipt left off"
            at[epoch] = to
            for data in records:
                due.discard((epoch, record.seq_at(data, 0)))
            self.send(budget)
        else:
            raise AssertionError("reading never comes to an end")
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
        pressed = 0
        for (epoch, seq), data in self.promises.thanked.items():
            if epoch == journal.epoch:
                assert seq < journal.next_seq, f"seq {seq} may be handed out again"
                pressed += data[2] == record.KIND_ANSWER
        maybe = 0
        for (epoch, seq), data in self.promises.maybe.items():
            if epoch == journal.epoch and seq < journal.next_seq:
                maybe += data[2] == record.KIND_ANSWER
        assert pressed <= journal.pressed <= pressed + maybe, f"pressed {journal.pressed}, thanked {pressed}"
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


def check(sectors, operation, promises, model, seed, trace=False):
    """Cut the power at an operation, start again, go on: every promise must hold. Returns the new trace."""
    sectors = list(sectors)
    sectors[operation[0]] = torn(sectors[operation[0]], operation, model)
    world = World(sectors, seed, promises, trace)
    world.state()
    if seed % 2:
        world.drain(BUDGET if seed % 4 == 1 else 100)
        world.state()
    if not world.press():
        world.drain()
        world.tidy()
        assert world.press(), "no room although everything is booked"
    world.mount()
    world.state()
    world.drain()
    world.state()
    world.tidy()
    world.state()
    limit = 1 / (len(sectors) - 1)
    assert world.journal.fill <= limit, f"sectors are lost: fill {world.journal.fill}"
    assert world.journal.waiting == 0
    if seed % 8 == 0:
        while world.press():
            pass
        assert world.journal.fill == 1.0
        world.drain()
        assert world.press()
    return world.trace


def flip(sectors, promises, pos, offset, bit, seed):
    """Turn one bit over at rest: only what lies there may be lost, and no seq is handed out again."""
    world = World(flipped(sectors, pos, offset, bit), seed, promises)
    whole_sector = offset < 32
    hit = set()
    for epoch in {key[0] for key in promises.thanked}:
        for at in range(32, len(sectors[pos]), 4):
            size = record.whole(sectors[pos], at, epoch)
            if size and (whole_sector or at <= offset < at + size):
                hit.add((epoch, record.seq_at(sectors[pos], at)))
    world.promises.gone |= hit
    world.drain(100 if seed % 2 else BUDGET)
    assert world.press()
    world.mount()
    world.drain()
    assert world.press()
