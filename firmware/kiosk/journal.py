"""The journal: answers in raw flash, durable before the kiosk says thank you, kept until they are booked.

Refuses to know what an answer means, who books it and how it gets there. Invariants: a seq is handed out once
per epoch; what `append` returned for is there after any power cut, until `release` says that it is booked.

A sector of the ring (ring.py; sector.py has its layout) is opened by writing its header, filled record by
record, closed when it is full or its tail is damaged, marked when all in it is booked, erased when the ring
comes round to it. docs/decisions/0001-raw-sector-journal.md says why.
"""

from struct import unpack

from kiosk import record, sector
from kiosk.compat import const
from kiosk.ring import JournalFull, Ring

_EPOCH = const(0)  # an entry of _epochs: [epoch, cursor, next, pressed]
_CURSOR = const(1)
_NEXT = const(2)
_PRESSED = const(3)

_SMALL_RECORD_BYTES = const(44)  # buffers made once: every record without text fits
_TRIES = const(3)  # sectors that may garble a record before the flash is given up
_NO_SPOT = const((-1, 0, 0))


class Journal:
    """`flash`: MicroPython's extended block protocol, at least 3 blocks. `random(n)`: n random bytes.

    Mounting only reads. `boot` is the number of this clock run, one more than the highest found in the newest
    sector; a device that slept with its uptime counter running sets it back to what it was. `reason` says why
    the epoch began in this run; None when it is an older one.
    """

    def __init__(self, flash, random):
        self._flash = flash
        self._random = random
        self._ring = Ring(flash)
        self._epochs = []  # entries, oldest first; the last one is the current epoch
        self._offset = self._ring.size  # of the next record in the newest sector; the size when closed
        self._out = bytearray(_SMALL_RECORD_BYTES)
        self._back = bytearray(_SMALL_RECORD_BYTES)
        self._spot = _NO_SPOT  # where the last read ended: position, offset, seq
        self._dropped = 0
        self.boot = 1
        self.reason = None
        self._mount()

    @property
    def epoch(self):
        return self._epochs[-1][_EPOCH]

    @property
    def next_seq(self):
        return self._epochs[-1][_NEXT]

    @property
    def pressed(self):
        """Answers of the current epoch, counted from its beginning."""
        return self._epochs[-1][_PRESSED]

    @property
    def waiting(self):
        """Seqs of all epochs without a receipt; after a start also those that share a sector with one."""
        return sum([entry[_NEXT] - entry[_CURSOR] for entry in self._epochs])

    @property
    def fill(self):
        """How much of what presses may use is taken by what is not booked: 0.0 to 1.0."""
        return min(1.0, (self._ring.count - self._ring.free) / (self._ring.count - 1))

    @property
    def counters(self):
        """Since the start: `slow` erases while a press waited, `dropped` clock and refused records that found
        no room, `unreadable` sectors with something under an unreadable header.
        """
        return {"slow": self._ring.slow, "dropped": self._dropped, "unreadable": self._ring.unreadable}

    def epochs(self):
        """[(epoch, first seq held, next, pressed)], oldest first; what is booked is held until erased."""
        held = []
        for epoch, _, next_, pressed in self._epochs:
            sectors = self._ring.of(epoch, -1)
            held.append((epoch, self._ring.firsts[sectors[0]] if sectors else next_, next_, pressed))
        return held

    def cursor(self, epoch):
        """The seq where the last receipt for this epoch left off; None for an epoch that is not held."""
        entry = self._entry(epoch)
        return None if entry is None else entry[_CURSOR]

    def append(
        self, kind, set_number=0, session=255, question=0, language=0, value=0, flags=0, uptime=0, body=b"",
        visit=None,
    ):  # fmt: skip
        """Write one record; returns its seq when it is durable (read back and found equal).

        `visit`: seq of the first record of its visit; `session` is then counted back to it.
        Raises JournalFull; ValueError when the body is too long; OSError when the flash cannot be written.
        """
        size = record.padded_bytes(len(body))
        if len(body) > record.MAX_BODY_BYTES or size > self._ring.size - sector.RECORDS_AT:
            raise ValueError("record body of %d bytes: at most %d" % (len(body), record.MAX_BODY_BYTES))
        out = self._out if size <= _SMALL_RECORD_BYTES else bytearray(size)
        answer = kind == record.KIND_ANSWER
        for _ in range(_TRIES):
            self._make_room(kind, size)
            entry = self._epochs[-1]
            seq = entry[_NEXT]
            if visit is not None:
                session = min(seq - visit, 255)
            pressed = entry[_PRESSED] + answer
            record.encode_into(
                out, entry[_EPOCH], kind, flags, seq, self.boot, uptime,
                set_number, session, question, language, value, pressed, body,
            )  # fmt: skip
            entry[_NEXT] = seq + 1  # used up, whatever becomes of it
            entry[_PRESSED] = pressed  # now: a record may be whole in flash although writing it raised
            if self._program(out, size):
                if body and answer:
                    self._ring.has_text(self._ring.newest)
                return seq
            entry[_PRESSED] = pressed - answer  # it is not there, or not as a record
        raise OSError("journal: the flash does not hold what is written to it")

    def read_into(self, buf, at, max_bytes):
        """(epoch, from, to, count, end): the next stretch without a receipt, oldest epoch first, its `count`
        records verbatim behind one another in buf[at:end].

        At most `max_bytes` of records, but at least one if there is any: behind `at` there must be room for
        MAX_RECORD_BYTES. `from == to`: nothing waits. No records while `from < to`: what the seqs stood for
        is damaged or gone.
        """
        entry = self._epochs[-1]
        for older in self._epochs:
            if older[_CURSOR] < older[_NEXT]:
                entry = older
                break
        epoch, cursor, next_, _ = entry
        limit = at + max_bytes
        count = 0
        seq = cursor
        for pos in self._ring.of(epoch, cursor) if cursor < next_ else ():
            data = self._ring.load(pos)
            spot = self._spot
            start = spot[1] if spot[0] == pos and spot[2] == cursor else sector.RECORDS_AT
            for offset, size, found in sector.walk(data, epoch, start):
                if not seq <= found < next_:
                    continue
                if count and at + size > limit:
                    self._spot = (pos, offset, found)
                    return epoch, cursor, found, count, at
                buf[at : at + size] = memoryview(data)[offset : offset + size]
                at += size
                count += 1
                seq = found + 1
                self._spot = (pos, offset + size, next_)
        return epoch, cursor, next_, count, at

    def release(self, epoch, through):
        """Everything below `through` is booked: closed sectors that hold nothing else are marked."""
        entry = self._entry(epoch)
        if entry is not None:
            entry[_CURSOR] = max(entry[_CURSOR], min(through, entry[_NEXT]))
            if self._ring.held:  # before a sector goes that their marks must not be believed behind
                self._book(entry, False)
            self._book(entry, True)

    def rewind(self, epoch, through):
        """The server knows nothing from `through` on: what is still held from there is sent again."""
        entry = self._entry(epoch)
        if entry is not None and through < entry[_CURSOR]:
            entry[_CURSOR] = max(0, through)
            self._book(entry, False)

    def new_epoch(self, reason):
        """Begin anew under a random number; what is held stays and is read first."""
        self._begin_epoch(reason)
        self._open_if_room()  # else the append that finds room opens it: no seq is handed out before

    def tidy(self):
        """One step of idle work, at most one erase long; returns whether there was anything to do."""
        if self._ring.tidy():
            self._forget()
            return True
        begun = self._ring.newest >= 0 and self._ring.epochs[self._ring.newest] == self.epoch
        return not begun and self._open_if_room()

    # Helpers

    def _entry(self, epoch):
        for entry in self._epochs:
            if entry[_EPOCH] == epoch:
                return entry
        return None

    def _begin_epoch(self, reason):
        epoch = 0
        while epoch == 0 or self._entry(epoch) is not None:
            epoch = unpack("<I", self._random(4))[0]
        self._epochs.append([epoch, 0, 0, 0])
        self._offset = self._ring.size
        self.reason = reason

    def _make_room(self, kind, size):
        """An answer leaves a free sector behind it: the last one is for clock and refused records."""
        fits = self._offset + size <= self._ring.size
        spare = kind in (record.KIND_CLOCK, record.KIND_REFUSED)
        need = (not fits) + (not spare)
        if self._ring.free < need:
            self._ring.find_spoilt()
            if self._ring.free < need:
                self._dropped += spare
                raise JournalFull("journal full: %d seqs wait for a receipt" % self.waiting)
        if not fits:
            self._open(True)

    def _open(self, waited):
        """Open the next sector for the current epoch; the one before is closed by it, and perhaps booked."""
        entry = self._epochs[-1]
        before = self._ring.newest
        self._offset = self._ring.size
        self._ring.open(entry[_EPOCH], entry[_NEXT], entry[_PRESSED], self.boot, waited)
        self._offset = sector.RECORDS_AT
        if before >= 0:
            self._book(self._entry(self._ring.epochs[before]), True)
        self._forget()

    def _open_if_room(self):
        try:
            self._open(False)
        except JournalFull:
            return False
        return True

    def _program(self, out, size):
        """Write the record and read it back; False, and the sector closed, when it did not hold."""
        pos, at = self._ring.newest, self._offset
        data = memoryview(out)[:size]
        back = memoryview(self._back if size <= _SMALL_RECORD_BYTES else self._ring.buf)[:size]
        self._offset = self._ring.size  # also when the flash raises
        self._flash.writeblocks(pos, data, at)
        self._flash.readblocks(pos, back, at)
        if back != data:
            return False
        self._offset = at + size
        return True

    def _book(self, entry, booked):
        """Mark the epoch's sectors that end at or before its cursor, or take back the marks of the others.

        Marks are set oldest first and taken back newest first: whatever a power cut leaves, the marked sectors lie
        before the others, so no sector that a server forgot is taken for a booked one after the next start.
        """
        ring = self._ring
        cursor = entry[_CURSOR]
        if booked:
            last = -1
            for pos in ring.order:
                if ring.epochs[pos] == entry[_EPOCH]:
                    if last >= 0 and ring.firsts[pos] <= cursor:
                        ring.book(last, True)
                    last = pos
            if last >= 0 and entry[_NEXT] <= cursor:
                ring.book(last, True)
            return
        end = entry[_NEXT]
        for i in range(len(ring.order) - 1, -1, -1):
            pos = ring.order[i]
            if ring.epochs[pos] == entry[_EPOCH]:
                if end > cursor:
                    ring.book(pos, False)
                end = ring.firsts[pos]

    def _forget(self):
        """Drop older epochs that have no sector left, and what may point into an erased one."""
        self._spot = _NO_SPOT
        current = self._epochs[-1]
        self._epochs = [entry for entry in self._epochs if entry is current or self._ring.of(entry[_EPOCH])]

    def _mount(self):
        ring = self._ring
        for pos in ring.order:
            entry = self._entry(ring.epochs[pos])
            if entry is None:
                entry = [ring.epochs[pos], None, 0, 0]
                self._epochs.append(entry)
            if entry[_CURSOR] is not None:
                # Whatever its mark says: a sector before it may have no marks left, and a server forgotten both.
                ring.hold(pos)
            elif ring.is_used(pos):
                entry[_CURSOR] = ring.firsts[pos]
        ordered = ring.proved
        for entry in self._epochs:
            pos = ring.of(entry[_EPOCH])[-1]
            buf = ring.load(pos)
            first, pressed, boot = sector.unpack_header(buf)[3:]
            end, entry[_NEXT], entry[_PRESSED], boot, rising = sector.scan(
                buf, entry[_EPOCH], first, pressed, boot
            )
            if entry[_CURSOR] is None:
                entry[_CURSOR] = entry[_NEXT]
            if pos == ring.newest:
                self._offset = end
                self.boot = boot + 1
                ordered = ordered and rising and entry is self._epochs[-1]
            elif entry[_NEXT] == first:
                ring.spoil(pos)  # no receipt will ever free it: it has nothing to send
        if not self._epochs:
            self._begin_epoch("fresh")
        elif not ordered:
            self._begin_epoch("order")
