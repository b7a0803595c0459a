"""The ring of flash sectors under the journal: which sector is what, which one is next, what may be erased.

Refuses to know what records mean and who books them. Invariants: a sector that holds something unbooked is
never erased, nor is the newest one with a header; a sector is opened only after it was seen blank throughout.
"""

from array import array

from kiosk import record, sector
from kiosk.compat import const

# What a sector is, as far as is known. All but _USED and _WORN may become the next one to be opened.
_BLANK = const(0)  # its header is blank; the rest is looked at before it is used
_ERASED = const(1)  # looked at: blank throughout
_BOOKED = const(2)  # readable, and nothing in it waits for a receipt
_SPOILT = const(3)  # nothing in it: a torn header, or no whole record
_STRANGE = const(4)  # something under an unreadable header: kept for harvest until the ring needs it
_USED = const(5)  # holds what is not booked
_WORN = const(6)  # could not be erased or written: left alone until the next start
_STATE = const(7)
_LOOKED = const(8)  # flag: read through for text (when booked) or for any whole record (when used)
_TEXT = const(16)  # flag: holds text
_HELD = const(32)  # flag: used, although its mark in flash says booked

# Behind an unreadable header: foreign flash shows itself there, without all of it being read.
_PEEK_BYTES = const(64)
_ERASED_AHEAD = const(2)  # one for the press that fills a sector, one that is kept back

_OP_COUNT = const(4)  # of the block protocol
_OP_SIZE = const(5)
_OP_ERASE = const(6)


class JournalFull(Exception):
    """No room for this record until a receipt frees a sector; nothing was written."""


class Ring:
    """`flash`: MicroPython's extended block protocol, at least 3 blocks of at least 256 bytes.

    `order`: positions of readable sectors, oldest first, with their `epochs` and `firsts` (first seqs).
    `newest`: position of the newest header, -1 on fresh flash. `free`: sectors that may be opened.
    `proved`: whether `newest` is the newest there ever was, as far as flash can tell.
    """

    def __init__(self, flash):
        self._flash = flash
        self.count = flash.ioctl(_OP_COUNT, 0)
        self.size = flash.ioctl(_OP_SIZE, 0)
        if self.count < 3 or self.size < 256:
            raise ValueError("journal of %d sectors of %d bytes: too small" % (self.count, self.size))
        self.states = bytearray(self.count)
        self.epochs = array("I", bytes(4 * self.count))
        self.firsts = array("I", bytes(4 * self.count))
        self.order = []
        self.newest = -1
        self.free = 0
        self.held = False  # whether `hold` had anything to do
        self.slow = 0
        self.unreadable = 0
        self.buf = bytearray(self.size)
        self._head = bytearray(sector.RECORDS_AT)
        self._number = 0  # of the next sector to be opened
        self.proved = self._mount()

    def load(self, pos):
        """The whole sector, in the buffer that all share: good until the next call of anything here."""
        self._flash.readblocks(pos, self.buf, 0)
        return self.buf

    def of(self, epoch, seq=0):
        """Positions of the epoch's sectors, oldest first, from the one that holds `seq` or would."""
        held = []
        for pos in self.order:
            if self.epochs[pos] == epoch:
                if held and self.firsts[pos] <= seq:
                    held = []
                held.append(pos)
        return held

    def is_used(self, pos):
        return self.states[pos] & _STATE == _USED

    def spoil(self, pos):
        """There is nothing in this closed sector: it may be erased."""
        self._set(pos, _SPOILT)

    def hold(self, pos):
        """Take this sector for unbooked, whatever its mark says, until a receipt comes for it."""
        if self.states[pos] & _STATE == _BOOKED:
            self._set(pos, _USED)
            self.states[pos] |= _HELD
            self.held = True

    def has_text(self, pos):
        """Text was written to this sector: erase it soon after it is booked."""
        self.states[pos] |= _TEXT

    def open(self, epoch, first, pressed, boot, waited):
        """Write the next sector's header and read it back. `waited`: for a press. Raises JournalFull."""
        head = bytearray(sector.HEADER_BYTES)
        back = memoryview(self._head)[: sector.HEADER_BYTES]
        while True:
            pos = self._pick(waited)
            sector.pack_header(head, self._known(pos), epoch, self._number, first, pressed, boot)
            self._number += 1
            self._set(pos, _SPOILT)  # whatever interrupts this: it is blank no more
            self._flash.writeblocks(pos, head, 0)
            self._flash.readblocks(pos, back, 0)
            if back == head:
                break
            self._set(pos, _WORN)
        self.epochs[pos], self.firsts[pos] = epoch, first
        self.order.append(pos)  # memory may not suffice for it: the sector is not in use before
        self._set(pos, _USED)
        self.newest = pos

    def book(self, pos, booked):
        """Say, in flash as long as its mark has bytes left, that all in a sector is booked, or no longer."""
        state = self.states[pos] & _STATE
        told = state == _BOOKED or self.states[pos] & _HELD  # to whoever mounts this flash
        if pos == self.newest or not (state == _USED if booked else told):
            return
        mark = memoryview(self._head)[: sector.MARK_BYTES]
        self._flash.readblocks(pos, mark, sector.MARK_AT)
        count, index = sector.marks(mark)
        if count & 1 != booked and index < sector.MARK_BYTES:
            self._flash.writeblocks(pos, b"\0", sector.MARK_AT + index)
        self._set(pos, _BOOKED if booked else _USED, _TEXT)

    def find_spoilt(self):
        """Closed sectors without any whole record hold nothing that a press has to wait for."""
        for pos in self.order:
            if pos != self.newest and self.states[pos] & (_STATE | _LOOKED) == _USED:
                self.states[pos] |= _LOOKED
                for _ in sector.walk(self.load(pos), self.epochs[pos]):
                    break
                else:
                    self.spoil(pos)

    def tidy(self):
        """One step of idle work, at most one erase long; returns whether there was anything to do."""
        ahead = 0
        unseen = -1
        for pos in range(self.count):
            state = self.states[pos]
            if state & (_STATE | _TEXT) == _BOOKED | _TEXT:
                self._erase(pos)
                return True
            if state == _BOOKED:
                unseen = pos
            ahead += state == _ERASED
        if ahead < _ERASED_AHEAD:
            pos = self._next_in(_BLANK, _BLANK)
            if pos >= 0:
                self._verify(pos)
                return True
            pos = self._next_in(_BOOKED, _SPOILT)
            if pos >= 0:
                self._erase(pos)
                return True
        if unseen >= 0:
            self._look_for_text(unseen)
        return unseen >= 0

    # Helpers

    def _set(self, pos, state, keep=0):
        old = self.states[pos]
        self.states[pos] = state | (old & keep)
        self.free += (state < _USED) - (old & _STATE < _USED)

    def _known(self, pos):
        """One bit (position mod 16) for each sector whose content has no readable header, but for `pos`."""
        known = 0
        for other in range(self.count):
            if other != pos and self.states[other] == _STRANGE:
                known |= 1 << other % 16
        return known

    def _next_in(self, low, high):
        """The first sector behind the newest, round the ring, in one of these states; -1 if none is."""
        for step in range(1, self.count + 1):
            pos = (self.newest + step) % self.count
            if pos != self.newest and low <= self.states[pos] & _STATE <= high:
                return pos
        return -1

    def _pick(self, waited):
        """An erased sector, erased on the spot if need be. Raises JournalFull."""
        while True:
            pos = self._next_in(_BLANK, _ERASED)
            if pos < 0:
                break
            if self.states[pos] == _ERASED or self._verify(pos):
                return pos
        while True:
            pos = self._next_in(_BOOKED, _SPOILT)
            if pos < 0:
                pos = self._next_in(_STRANGE, _STRANGE)
            if pos < 0:
                raise JournalFull("journal full: all %d sectors hold what is not booked" % self.count)
            self.slow += waited
            if self._erase(pos):
                return pos

    def _verify(self, pos):
        """Look through a sector with a blank header: an erase that was cut short leaves anything behind."""
        if sector.used(self.load(pos)):
            self._set(pos, _STRANGE)
            self.unreadable += 1
            return False
        self._set(pos, _ERASED)
        return True

    def _erase(self, pos):
        if pos in self.order:
            self.order.remove(pos)
        self._flash.ioctl(_OP_ERASE, pos)
        self._set(pos, _WORN if sector.used(self.load(pos)) else _ERASED)
        return self.states[pos] == _ERASED

    def _look_for_text(self, pos):
        """Flag a booked sector as looked through, or as holding text (or damage, which may hide some)."""
        buf = self.load(pos)
        end = sector.RECORDS_AT
        for offset, size, _ in sector.walk(buf, self.epochs[pos]):
            if offset != end or (size > record.MIN_RECORD_BYTES and buf[offset + 2] == record.KIND_ANSWER):
                break
            end = offset + size
        self.states[pos] |= _TEXT if sector.used(buf) > end else _LOOKED

    # Mounting

    def _mount(self):
        """Read every header; returns `proved`."""
        numbers = array("I", bytes(4 * self.count))
        known = array("H", bytes(2 * self.count))
        for pos in range(self.count):
            self._flash.readblocks(pos, self._head, 0)
            fields = sector.unpack_header(self._head)
            if fields is None:
                self.states[pos] = self._without_header(pos)
                continue
            known[pos], self.epochs[pos], numbers[pos], self.firsts[pos] = fields[:4]
            self.states[pos] = _BOOKED if sector.marks(self._head, sector.MARK_AT)[0] & 1 else _USED
            self.order.append(pos)
        self.order.sort(key=lambda pos: numbers[pos])
        proved = True
        if self.order:
            self.newest = self.order[-1]
            self._number = numbers[self.newest] + 1
            # A mark is set only when a newer sector has its header: this one is gone without a trace.
            proved = self.states[self.newest] != _BOOKED
            self.states[self.newest] = _USED
            proved = proved and self._is_newest(numbers, known[self.newest])
            if not proved:
                self._number += self.count  # in case a newer sector becomes readable again
        for state in self.states:
            self.free += state < _USED
        return proved

    def _without_header(self, pos):
        if sector.used(self._head) == 0:
            return _BLANK
        behind = memoryview(self.buf)[:_PEEK_BYTES]
        self._flash.readblocks(pos, behind, sector.RECORDS_AT)
        if sector.used(behind) == 0 and sector.used(self.load(pos)) <= sector.RECORDS_AT:
            return _SPOILT
        self.unreadable += 1
        return _STRANGE

    def _is_newest(self, numbers, known):
        """Whether all other sectors can be shown to be older than the newest readable one."""
        newest = self.newest
        for pos in self.order[:-1]:
            same = self.epochs[pos] == self.epochs[newest]
            if numbers[pos] == numbers[newest] or (same and self.firsts[pos] > self.firsts[newest]):
                return False
        for pos in range(self.count):
            if self.states[pos] == _STRANGE and not self._is_older(pos, known >> pos % 16 & 1):
                return False
        return True

    def _is_older(self, pos, otherwise):
        """Whether what lies under an unreadable header is from before the newest sector.

        Its first whole record tells; if it has none of an epoch held, `otherwise`: whether it was known to be
        unreadable when the newest sector was opened.
        """
        buf = self.load(pos)
        tried = []
        for other in self.order:
            epoch = self.epochs[other]
            if epoch not in tried:
                tried.append(epoch)
                for _, _, seq in sector.walk(buf, epoch):
                    return epoch != self.epochs[self.newest] or seq < self.firsts[self.newest]
        return otherwise
