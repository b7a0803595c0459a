"""The exchange that makes an answer count once: batch out, receipt in. Knows no MQTT and no flash layout.

Invariants: one batch in flight; a receipt counts only when it echoes that batch's nonce; nothing is released
beyond what that batch carried. No visitor waits for anything here: `kick` only wakes the task. The one buffer for
batches is made at the start, when the heap is not yet in pieces.
"""

import asyncio
import json

from kiosk.compat import const
from kiosk.record import BATCH_OVERHEAD_BYTES, BATCH_RECORDS_AT, MAX_RECORD_BYTES, seal_batch

_RECEIPT_TIMEOUT_S = const(10)  # a server that books in milliseconds, behind the slowest mobile link
_LONGEST_TIMEOUT_S = const(300)
_ASK_AGAIN_S = const(900)  # an idle kiosk learns in this time of a restored server, and keeps its clock
# A server that forgets each time, or two under one name, must not keep the line busy without end.
_AGAIN_S = 0.5
_BATCH_BYTES = const(2048)  # 71 presses: one segment less than full costs no time, twice as much costs heap
_HEADROOM_BYTES = const(64)  # before the batch, for whoever sends it: no second copy
_LARGEST_NUMBER = const(1 << 53)  # beyond it JSON readers disagree
_LEAST_BYTES = const(28)  # one press; the journal gives one record at least in any case


class Sync:
    """`board.log` hears of what a person should know; `random(n)` gives the nonces.

    `.on_clock()`, when set, is called when a clock record is due. `.server` is the generation heard last.
    """

    def __init__(self, journal, clock, uptime, board, random):
        self._journal = journal
        self._clock = clock
        self._uptime = uptime
        self._board = board
        self._random = random
        self._wake = asyncio.Event()
        self._answered = asyncio.Event()
        self._flight = None  # (epoch, nonce, from, to, next as sent, uptime ms when sent, records carried)
        self._questions = []  # epochs yet to be asked about, oldest first
        self._timeout_s = _RECEIPT_TIMEOUT_S
        self._most = self._limit = _BATCH_BYTES - BATCH_OVERHEAD_BYTES  # bytes of records
        self._buffer = bytearray(_HEADROOM_BYTES + _BATCH_BYTES)
        self._missed = 0
        self._again = False  # the last receipt did not book the whole batch, or came from another server
        self.settled = asyncio.Event()  # all questions of this connection are answered
        self.server = None
        self.on_clock = None

    def kick(self):
        """There may be something new to send."""
        self._wake.set()

    async def run(self, publish, most_bytes):
        """One connection's exchange; ends only by cancellation or by what `publish` raises.

        `publish(buffer, at, end)` sends `buffer[at:end]` and may use what is before it. `most_bytes`: the largest
        batch that the county allows.
        """
        self._allow(most_bytes)
        if self._flight is not None and self._flight[6]:
            self._miss()  # the connection ended instead of a receipt: perhaps the batch was too large for it
        self._flight = None
        self._timeout_s = _RECEIPT_TIMEOUT_S
        self._questions = [epoch[0] for epoch in self._journal.epochs()]
        self.server = None  # every epoch is asked about anyway
        self.settled.clear()
        while True:
            self._wake.clear()
            end = self._next_batch()
            if end is None:
                try:
                    await asyncio.wait_for(self._wake.wait(), _ASK_AGAIN_S)
                except asyncio.TimeoutError:
                    self._questions = [self._journal.epoch]
                continue
            self._answered.clear()
            await publish(self._buffer, _HEADROOM_BYTES, end)
            try:
                await asyncio.wait_for(self._answered.wait(), self._timeout_s)
            except asyncio.TimeoutError:
                self._timeout_s = min(2 * self._timeout_s, _LONGEST_TIMEOUT_S)
                if self._flight[6]:
                    self._miss()
            self._flight = None
            if self._again:
                self._again = False
                await asyncio.sleep(_AGAIN_S)

    def receipt(self, payload):
        """Act on a receipt as it came (JSON bytes). Says whether it counted."""
        came = self._uptime.ms()
        flight = self._flight
        try:
            receipt = json.loads(payload)
            echo = (receipt["epoch"], receipt["nonce"])
            server, through, seen = receipt["server"], receipt["through"], receipt["seen"]
            fork, time, rejected = receipt["fork"], receipt["time"], repr(receipt.get("rejected") or "")
        except (ValueError, KeyError, TypeError, RuntimeError, MemoryError) as error:  # or too deep
            self._board.log("receipt not understood: %r" % error)
            return False
        for number in (server, through, seen, time):
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < _LARGEST_NUMBER:
                self._board.log("receipt not understood: a %s is no number" % type(number).__name__)
                return False
        if flight is None or self._answered.is_set() or echo != flight[:2]:
            return False
        self._apply(flight, through, seen, bool(fork))
        self._again = through < flight[3]
        if self.server not in (None, server):
            self._again = True
            self._questions = [epoch[0] for epoch in self._journal.epochs()]
        elif flight[2] == flight[3]:
            self._questions.pop(0)
        self.server = server
        if rejected != "''":
            self._board.log("server rejected " + rejected)
        self._timeout_s = _RECEIPT_TIMEOUT_S
        if flight[6]:
            self._missed = 0
            self._limit = min(2 * self._limit, self._most)
        if not self._questions:
            self.settled.set()
        self._answered.set()
        took = came - flight[5]
        took += took // 10_000 + 1  # the crystal may be 100 ppm slow, and the counter has a step
        half = took // 2 + 1
        if self._clock.learn(time + half, half) and self.on_clock is not None:
            self.on_clock()
        return True

    def _apply(self, flight, through, seen, fork):
        """The journal's part of the receipt's rules."""
        epoch, _, start, end, next_seq = flight[:5]
        journal = self._journal
        if through < start:
            self._board.log("epoch %d: server forgot from %d on, was at %d" % (epoch, through, start))
            journal.rewind(epoch, through)
        else:
            journal.release(epoch, min(through, end))
        if epoch == journal.epoch and (fork or through > next_seq or seen > next_seq):
            self._board.log("epoch %d has a twin or went back (seen %d, next %d)" % (epoch, seen, next_seq))
            journal.new_epoch("fork" if fork else "behind")

    def _next_batch(self):
        """Put the next batch, now in flight, into the buffer; returns its end there, None when all is booked and
        nothing is to be asked."""
        journal = self._journal
        batch = memoryview(self._buffer)[_HEADROOM_BYTES:]
        while self._questions and journal.cursor(self._questions[0]) is None:
            self._questions.pop(0)  # the ring needed its sectors meanwhile
        if self._questions:
            epoch = self._questions[0]
            start = to = journal.cursor(epoch)
            count, end = 0, BATCH_RECORDS_AT
        else:
            epoch, start, to, count, end = journal.read_into(batch, BATCH_RECORDS_AT, self._limit)
            if start == to:
                return None
        for entry in journal.epochs():
            if entry[0] == epoch:
                next_seq, pressed = entry[2:]
        nonce = int.from_bytes(self._random(4), "little")
        sent = self._uptime.ms()
        self._flight = (epoch, nonce, start, to, next_seq, sent, count)
        size = seal_batch(
            batch,
            end,
            count,
            epoch,
            nonce,
            start,
            to,
            next_seq,
            pressed,
            journal.waiting,
            journal.boot,
            sent // 100,
        )
        return _HEADROOM_BYTES + size

    def _allow(self, most_bytes):
        """Follow the county's limit; the buffer only grows, and holds a record of any size."""
        room = _HEADROOM_BYTES + max(most_bytes, BATCH_OVERHEAD_BYTES + MAX_RECORD_BYTES)
        if room > len(self._buffer):
            try:
                self._buffer = bytearray(room)
            except MemoryError:
                most_bytes = len(self._buffer) - _HEADROOM_BYTES
        most = most_bytes - BATCH_OVERHEAD_BYTES
        self._limit = most if self._limit == self._most else min(self._limit, most)
        self._most = most

    def _miss(self):
        """No receipt for a batch with records: two in a row halve the limit, down to one record."""
        self._missed += 1
        if self._missed % 2 == 0:
            self._limit = max(_LEAST_BYTES, self._limit // 2)
