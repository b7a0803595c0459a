"""The journal: answers in raw flash, durable before the kiosk says thank you, kept until they are booked.

Refuses to know what an answer means, who books it and how it gets there. Invariants: a seq is handed out once per
epoch; what `append` returned for is there after any power cut, until `release` says that it is booked; an unbooked
sector is never erased.

The flash is a ring of sectors (sector.py has their layout). A sector is opened by writing its header, filled record by
record, closed when it is full or its tail is damaged, marked when all in it is booked, and erased when the ring comes
round to it. docs/decisions/0001-raw-sector-journal.md says why.
"""

from array import array
from struct import unpack

from kiosk import record, sector
from kiosk.compat import const

# What a sector is, as far as is known. All but _USED and _WORN may become the next one to be opened.
_BLANK = const(0)  # its header is blank; the rest is looked at before it is used
_ERASED = const(1)  # looked at: blank throughout
_BOOKED = const(2)  # readable, and nothing in it is waiting for a receipt
_SPOILT = const(3)  # nothing in it: a torn header, or no whole record
_STRANGE = const(4)  # an unreadable header before something: kept for harvest until the ring needs it
_USED = const(5)  # holds what is not booked
_WORN = const(6)  # could not be erased or written: left alone until the next start
_STATE = const(7)
_LOOKED = const(8)  # flag: read through for text (booked) or for any whole record (used)
_TEXT = const(16)  # flag: holds text

_ERASED_AHEAD = const(2)  # one for the next press that fills a sector, one that is kept back

_EPOCH = const(0)  # an entry of _epochs: [epoch, cursor, next, pressed]
_CURSOR = const(1)
_NEXT = const(2)
_PRESSED = const(3)

_OP_COUNT = const(4)  # of the block protocol
_OP_SIZE = const(5)
_OP_ERASE = const(6)


class JournalFull(Exception):
    """No room for this record until a receipt frees a sector; nothing was written."""


class Journal:
    """`flash`: MicroPython's extended block protocol, at least 3 blocks. `random(n)`: n random bytes.

    Mounting only reads. `boot` is the number of this clock run, one more than the highest found in the newest sector;
    a device that slept with its uptime counter running sets it back to what it was. `reason` says why the epoch began
    in this run, None when it is an older one. `counters`: slow (erased while a press waited), dropped (clock and
    refused records that found no room), unreadable (sectors with content and no header seen since the start).
    """

    def __init__(self, flash, random):
        self._flash = flash
        self._random = random
        self._count = flash.ioctl(_OP_COUNT, 0)
        self._size = flash.ioctl(_OP_SIZE, 0)
        if self._count < 3:
            raise ValueError("journal of %d sectors: at least 3" % self._count)
        self._states = bytearray(self._count)
        self._sector_epochs = array("I", bytes(4 * self._count))
        self._firsts = array("I", bytes(4 * self._count))
        self._order = []  # positions of readable sectors, oldest first
        self._epochs = []  # entries, oldest first; the last one is the current epoch
        self._buf = bytearray(self._size)
        self._head = bytearray(sector.RECORDS_AT)
        self._out = bytearray(44)  # a record with up to 16 bytes of body, and what is read back of it
        self._back = bytearray(44)
        self._newest = -1  # position of the newest sector with a header: never erased, never marked
        self._offset = self._size  # where the next record goes in it; its size when it is closed
        self._number = 0  # of the next sector to be opened
        self._spot = (-1, 0, 0)  # where the last read ended: position, offset, seq
        self._free = 0  # sectors that may be opened
        self.boot = 1
        self.reason = None
        self.counters = {"slow": 0, "dropped": 0, "unreadable": 0}
        self._mount()

    # What it says about itself

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
        """Seqs of all epochs for which no receipt came; after a start, whole sectors until the first receipt."""
        return sum([entry[_NEXT] - entry[_CURSOR] for entry in self._epochs])

    @property
    def fill(self):
        """How much of what presses may use is taken by what is not booked: 0.0 to 1.0."""
        return min(1.0, (self._count - self._free) / (self._count - 1))

    def epochs(self):
        """[(epoch, first seq held, next, pressed)], oldest first; booked records count as held until erased."""
        found = []
        for epoch, _, next_, pressed in self._epochs:
            first = next_
            for pos in self._order:
                if self._sector_epochs[pos] == epoch:
                    first = self._firsts[pos]
                    break
            found.append((epoch, first, next_, pressed))
        return found

    def cursor(self, epoch):
        """The seq where the last receipt for this epoch left off; None for an epoch that is not held."""
        entry = self._entry(epoch)
        return entry and entry[_CURSOR]

    # Writing

    def append(
        self, kind, set_number=0, session=255, question=0, language=0, value=0, flags=0, uptime=0, body=b""
    ):
        """Write one record; returns its seq when it is durable (read back and equal).

        Raises JournalFull; ValueError for a body above 1000 bytes; OSError when the flash cannot be written.
        """
        if len(body) > record.MAX_BODY_BYTES:
            raise ValueError("record body of %d bytes: at most %d" % (len(body), record.MAX_BODY_BYTES))
        size = record.padded_bytes(len(body))
        entry = self._epochs[-1]
        pressed = entry[_PRESSED] + 1 if kind == record.KIND_ANSWER else entry[_PRESSED]
        out = self._out if size <= len(self._out) else bytearray(size)
        for _ in range(3):  # a flash that garbles what is written gets three tries, each in another sector
            self._make_room(kind, size)
            seq = entry[_NEXT]
            record.encode_into(
                out, entry[_EPOCH], kind, flags, seq, self.boot, uptime, set_number, session, question, language,
                value, pressed, body,
            )  # fmt: skip
            entry[_NEXT] = seq + 1  # used up, whatever becomes of it
            if self._program(out, size):
                entry[_PRESSED] = pressed
                if body and kind == record.KIND_ANSWER:
                    self._states[self._newest] |= _TEXT
                return seq
        raise OSError("journal: flash does not hold what is written")

    def new_epoch(self, reason):
        """Begin anew under a random number; what is held stays and is read first."""
        self._begin_epoch(reason)
        try:
            self._open()
        except JournalFull:
            pass  # opened by the append that finds room; until then nothing is handed out

    def _begin_epoch(self, reason):
        held = [entry[_EPOCH] for entry in self._epochs]
        while True:
            epoch = unpack("<I", self._random(4))[0]
            if epoch not in held and epoch:
                break
        self._epochs.append([epoch, 0, 0, 0])
        self._offset = self._size
        self.reason = reason

    def _make_room(self, kind, size):
        """An answer leaves a free sector behind: the last one is for clock and refused records."""
        fits = self._offset + size <= self._size
        spare = kind in (record.KIND_CLOCK, record.KIND_REFUSED)
        need = (0 if fits else 1) + (0 if spare else 1)
        if self._free < need:
            self._find_spoilt()
            if self._free < need:
                if spare:
                    self.counters["dropped"] += 1
                raise JournalFull
        if not fits:
            self._open()

    def _program(self, out, size):
        """Write the record and read it back; False (and the sector closed) when it did not hold."""
        view = memoryview(out)[:size]
        at = self._offset
        self._offset = self._size  # closed, unless all goes well
        self._flash.writeblocks(self._newest, view, at)
        back = memoryview(self._back if size <= len(self._back) else self._buf)[:size]
        self._flash.readblocks(self._newest, back, at)
        if back != view:
            return False
        self._offset = at + size
        return True

    def _open(self):
        """Write the header of the next sector and read it back. Raises JournalFull."""
        entry = self._epochs[-1]
        previous = self._newest
        while True:
            pos = self._pick()
            known = 0
            for other in range(self._count):
                if other != pos and self._states[other] & _STATE == _STRANGE:
                    known |= 1 << other % 16
            head = bytearray(sector.HEADER_BYTES)
            sector.pack_header(
                head, known, entry[_EPOCH], self._number, entry[_NEXT], entry[_PRESSED], self.boot
            )
            self._number += 1
            self._flash.writeblocks(pos, head, 0)
            back = memoryview(self._head)[: sector.HEADER_BYTES]
            self._flash.readblocks(pos, back, 0)
            if back == head:
                break
            self._set(pos, _WORN)
        self._set(pos, _USED)
        self._sector_epochs[pos] = entry[_EPOCH]
        self._firsts[pos] = entry[_NEXT]
        self._order.append(pos)
        self._newest = pos
        self._offset = sector.RECORDS_AT
        if previous >= 0:  # it is closed now, and may have been booked before
            before = self._entry(self._sector_epochs[previous])
            self.release(before[_EPOCH], before[_CURSOR])

    # Reading and letting go

    def read(self, max_bytes):
        """(epoch, from, to, [records verbatim]): the next stretch without a receipt, of the oldest epoch that has one.

        At most `max_bytes` of records, but at least one if there is one; `from == to` when nothing waits.
        """
        entry = self._epochs[-1]
        for older in self._epochs:
            if older[_CURSOR] < older[_NEXT]:
                entry = older
                break
        epoch, cursor, next_, _ = entry
        records = []
        room = max_bytes
        seq = cursor
        for pos in self._from(epoch, cursor) if cursor < next_ else ():
            self._flash.readblocks(pos, self._buf, 0)
            spot = self._spot
            start = spot[1] if spot[0] == pos and spot[2] == cursor else sector.RECORDS_AT
            for offset, size, found in sector.walk(self._buf, epoch, start):
                if not seq <= found < next_:
                    continue
                if records and size > room:
                    self._spot = (pos, offset, found)
                    return epoch, cursor, found, records
                records.append(bytes(memoryview(self._buf)[offset : offset + size]))
                room -= size
                seq = found + 1
                self._spot = (pos, offset + size, next_)
        return epoch, cursor, next_, records

    def release(self, epoch, through):
        """Everything below `through` is booked: the closed sectors that hold nothing else are marked."""
        entry = self._entry(epoch)
        if entry is None:
            return
        entry[_CURSOR] = max(entry[_CURSOR], min(through, entry[_NEXT]))
        end = entry[_NEXT]
        for i in range(len(self._order) - 1, -1, -1):
            pos = self._order[i]
            if self._sector_epochs[pos] == epoch:
                if pos != self._newest and end <= entry[_CURSOR] and self._states[pos] & _STATE == _USED:
                    self._mark(pos, 1)
                    self._set(pos, _BOOKED, keep=_TEXT)
                end = self._firsts[pos]

    def rewind(self, epoch, through):
        """The server knows nothing from `through` on: what is still held from there is sent again."""
        entry = self._entry(epoch)
        if entry is None or through >= entry[_CURSOR]:
            return
        entry[_CURSOR] = max(0, through)
        end = entry[_NEXT]
        for i in range(len(self._order) - 1, -1, -1):
            pos = self._order[i]
            if self._sector_epochs[pos] == epoch:
                if end > through and self._states[pos] & _STATE == _BOOKED:
                    self._mark(pos, 0)
                    self._set(pos, _USED, keep=_TEXT)
                end = self._firsts[pos]

    def tidy(self):
        """One step of idle work, at most one erase long: returns whether there was anything to do."""
        for pos in range(self._count):
            state = self._states[pos]
            if state & _STATE == _BOOKED and pos != self._newest:
                if not state & (_LOOKED | _TEXT):
                    self._look_for_text(pos)
                    return True
                if state & _TEXT:
                    self._erase(pos)
                    return True
        ahead = 0
        for state in self._states:
            ahead += state & _STATE == _ERASED
        if ahead < _ERASED_AHEAD:
            for wanted in (_BLANK, _SPOILT, _BOOKED):
                pos = self._next_in(wanted, wanted)
                if pos >= 0:
                    self._verify(pos) if wanted == _BLANK else self._erase(pos)
                    return True
        if self._free and self._open_epoch() != self.epoch:
            self._open()
            return True
        return False

    # Helpers

    def _entry(self, epoch):
        for entry in self._epochs:
            if entry[_EPOCH] == epoch:
                return entry
        return None

    def _open_epoch(self):
        return self._sector_epochs[self._newest] if self._newest >= 0 else None

    def _from(self, epoch, seq):
        """Positions of the epoch's sectors, from the one that holds `seq` (or would)."""
        held = [pos for pos in self._order if self._sector_epochs[pos] == epoch]
        while len(held) > 1 and self._firsts[held[1]] <= seq:
            held.pop(0)
        return held

    def _set(self, pos, state, keep=0):
        old = self._states[pos]
        self._states[pos] = state | old & keep
        self._free += (state < _USED) - (old & _STATE < _USED)

    def _mark(self, pos, wanted):
        """Clear the next byte of the mark unless it says `wanted` (1 booked, 0 not); after four only RAM knows."""
        mark = memoryview(self._head)[: sector.MARK_BYTES]
        self._flash.readblocks(pos, mark, sector.MARK_AT)
        count, first = sector.marks(mark, 0)
        if count & 1 != wanted and first < sector.MARK_BYTES:
            self._flash.writeblocks(pos, b"\0", sector.MARK_AT + first)

    def _next_in(self, low, high):
        """The first sector behind the newest, round the ring, that is in one of these states; -1 if none is."""
        for step in range(1, self._count + 1):
            pos = (self._newest + step) % self._count
            if pos != self._newest and low <= self._states[pos] & _STATE <= high:
                return pos
        return -1

    def _pick(self):
        """An erased sector for the next header, erased on the spot if need be. Raises JournalFull."""
        while True:
            pos = self._next_in(_BLANK, _ERASED)
            if pos < 0:
                break
            if self._states[pos] & _STATE == _ERASED or self._verify(pos):
                return pos
        while True:
            pos = self._next_in(_BOOKED, _SPOILT)
            if pos < 0:
                pos = self._next_in(_STRANGE, _STRANGE)
            if pos < 0:
                raise JournalFull
            self.counters["slow"] += 1
            if self._erase(pos):
                return pos

    def _verify(self, pos):
        """Look through a sector with a blank header: an erase that was cut short leaves anything behind."""
        self._flash.readblocks(pos, self._buf, 0)
        if sector.used(self._buf):
            self._set(pos, _STRANGE)
            self.counters["unreadable"] += 1
            return False
        self._set(pos, _ERASED)
        return True

    def _erase(self, pos):
        if pos in self._order:
            self._order.remove(pos)
            epoch = self._sector_epochs[pos]
            if epoch != self.epoch and not self._from(epoch, 0):
                self._epochs.remove(self._entry(epoch))
        self._flash.ioctl(_OP_ERASE, pos)
        self._flash.readblocks(pos, self._buf, 0)
        self._set(pos, _WORN if sector.used(self._buf) else _ERASED)
        return self._states[pos] == _ERASED

    def _look_for_text(self, pos):
        """Flag a booked sector that holds text, or damage that may hide some."""
        self._flash.readblocks(pos, self._buf, 0)
        end = sector.RECORDS_AT
        for offset, size, _ in sector.walk(self._buf, self._sector_epochs[pos]):
            text = self._buf[offset + 2] == record.KIND_ANSWER and size > record.MIN_RECORD_BYTES
            if text or offset != end:
                break
            end = offset + size
        self._states[pos] |= _LOOKED if sector.used(self._buf) <= end else _TEXT

    def _find_spoilt(self):
        """Closed sectors without any whole record hold nothing that a press has to wait for."""
        for pos in self._order:
            if pos != self._newest and self._states[pos] & (_STATE | _LOOKED) == _USED:
                self._flash.readblocks(pos, self._buf, 0)
                self._states[pos] |= _LOOKED
                for _ in sector.walk(self._buf, self._sector_epochs[pos]):
                    break
                else:
                    self._set(pos, _SPOILT)

    # Mounting

    def _mount(self):
        numbers = array("I", bytes(4 * self._count))
        known = self._mount_headers(numbers)
        self._order.sort(key=lambda pos: numbers[pos])
        marked = False
        if self._order:
            self._newest = self._order[-1]
            self._number = numbers[self._newest] + 1
            marked = self._states[self._newest] == _BOOKED
            self._states[self._newest] = _USED
        ordered = self._mount_epochs() and not marked
        for state in self._states:
            self._free += state & _STATE < _USED
        if not self._order:
            self._begin_epoch("fresh")
        elif not (ordered and self._proved(numbers, known)):
            self._number += self._count  # in case a newer sector becomes readable again
            self._begin_epoch("order")

    def _mount_headers(self, numbers):
        """Read every header; returns the `known` bits of the newest."""
        newest = -1
        known = 0
        for pos in range(self._count):
            self._flash.readblocks(pos, self._head, 0)
            fields = sector.unpack_header(self._head)
            if fields is None:
                if sector.used(self._head) == 0:
                    self._states[pos] = _BLANK
                    continue
                self._flash.readblocks(pos, self._buf, 0)
                self._states[pos] = _SPOILT if sector.used(self._buf) <= sector.RECORDS_AT else _STRANGE
                self.counters["unreadable"] += self._states[pos] == _STRANGE
                continue
            self._states[pos] = _BOOKED if sector.marks(self._head, sector.MARK_AT)[0] & 1 else _USED
            self._order.append(pos)
            self._sector_epochs[pos] = fields[1]
            self._firsts[pos] = fields[3]
            numbers[pos] = fields[2]
            if fields[2] >= newest:
                newest = fields[2]
                known = fields[0]
        return known

    def _mount_epochs(self):
        """Fill in the epochs from their last sectors; returns whether the newest sector's seqs rise as they must."""
        ordered = True
        for pos in self._order:
            epoch = self._sector_epochs[pos]
            entry = self._entry(epoch)
            if entry is None:
                entry = [epoch, None, 0, 0]
                self._epochs.append(entry)
            if entry[_CURSOR] is None and self._states[pos] == _USED:
                entry[_CURSOR] = self._firsts[pos]
        newest_epoch = self._open_epoch()
        for i in range(len(self._epochs)):
            entry = self._epochs[i]
            pos = self._from(entry[_EPOCH], 0xFFFFFFFF)[-1]
            self._flash.readblocks(pos, self._buf, 0)
            _, _, _, first, pressed, boot = sector.unpack_header(self._buf)
            end, next_, pressed, boot, rising = sector.scan(self._buf, entry[_EPOCH], first, pressed, boot)
            entry[_NEXT] = next_
            entry[_PRESSED] = pressed
            if entry[_CURSOR] is None:
                entry[_CURSOR] = next_
            if entry[_EPOCH] == newest_epoch:
                self._offset = end
                self.boot = boot + 1
                ordered = rising and entry is self._epochs[-1]
        return ordered

    def _proved(self, numbers, known):
        """Whether the newest readable sector is the newest there ever was, as far as flash can tell."""
        epoch = self._open_epoch()
        first = self._firsts[self._newest]
        for pos in self._order:
            if pos != self._newest:
                if numbers[pos] == numbers[self._newest]:
                    return False
                if self._sector_epochs[pos] == epoch and self._firsts[pos] > first:
                    return False
        for pos in range(self._count):
            if self._states[pos] == _STRANGE and not known >> pos % 16 & 1 and not self._older(pos):
                return False
        return True

    def _older(self, pos):
        """Whether a sector with an unreadable header shows a record from before the newest sector."""
        self._flash.readblocks(pos, self._buf, 0)
        for entry in self._epochs:
            for _, _, seq in sector.walk(self._buf, entry[_EPOCH]):
                return entry[_EPOCH] != self._open_epoch() or seq < self._firsts[self._newest]
        return False
