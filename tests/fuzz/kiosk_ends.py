"""What a kiosk does with any bytes: each check takes some, hands them to the firmware's own modules, and asserts.

Runs on CPython, for the bulk, and on MicroPython with a kiosk's heap (`on_kiosk.py`). It knows nothing of how the
bytes came to be. A kiosk that is stopped by an exception which nobody expects is a dead kiosk: none may escape.
"""

import asyncio
import json
import os
from struct import unpack_from

from kiosk import record as codec
from kiosk import resolver, sector
from kiosk.clock import Clock, Uptime
from kiosk.compat import ticks_ms
from kiosk.journal import Journal
from kiosk.link import LINK_ERRORS, Session, _connack
from kiosk.mqtt import Packets
from kiosk.sync import Sync

from tests.fuzz.by_hand import answered, crc_by_hand, messages_for
from tests.fuzz.kiosk_parts import (
    DEVICE,
    EPOCH,
    FROM,
    GOOD_RECEIPT,
    LARGEST_NUMBER,
    MOST_PIECE_BYTES,
    NAME_QUERY,
    NEXT,
    NONCE,
    TO,
    Board,
    Flash,
    Heard,
    Told,
    Wire,
)  # fmt: skip
from tests.fuzz.kiosk_sets import SetEnds
from tests.fuzz.kiosk_wishes import WishEnds


class Ends(SetEnds, WishEnds):
    """The checks. `root`: a folder to write in, made for this alone."""

    def __init__(self, root):
        self._root = root
        self._loop = asyncio.new_event_loop()
        self._journal = Journal(Flash(4), Board().random)

    # Records

    def record(self, data):
        """As the journal looks for records, in a sector of whole words; returns the bytes of those that it took."""
        buf = bytearray(data) + b"\xff" * (-len(data) % 4)
        taken = []
        spots = []
        at = 0
        while at + codec.MIN_RECORD_BYTES <= len(buf):
            fields = codec.decode(buf, at, EPOCH)
            size = codec.whole(buf, at, EPOCH)
            assert (fields is None) == (size == 0), "decode and whole disagree"
            if size:
                length = unpack_from("<H", buf, at)[0]
                raw = bytes(buf[at : at + length + 4])
                assert 24 <= length <= 24 + codec.MAX_BODY_BYTES, "a length that no record has"
                assert size == (length + 4 + 3) & ~3, "a padded size of its own"
                assert at + size <= len(buf), "beyond the end"
                assert crc_by_hand(raw[:-4], EPOCH) == unpack_from("<I", raw, length)[0], (
                    "a wrong CRC is taken"
                )
                out = bytearray(size)
                assert codec.encode_into(out, EPOCH, *fields) == size, "encoded anew it has another size"
                assert out[: length + 4] == raw, "encoded anew it is another record"
                assert codec.decode(buf, at, EPOCH ^ 1) is None, "taken for one of another epoch"
                taken.append(raw)
                spots.append((at, size, fields[2]))
            at += size or 4
        assert list(sector.walk(buf, EPOCH, 0)) == spots, "the walk over a sector finds others"
        return taken

    # Receipts

    def receipt(self, payload):
        """With a batch in flight: acted on as docs/protocol.md says, or not at all. Says whether it counted."""
        board, journal = Board(), Told()
        uptime = Uptime(ticks_ms)
        clock = Clock(uptime)
        sync = Sync(journal, clock, uptime, board, board.random)
        flight = sync._flight = (EPOCH, NONCE, FROM, TO, NEXT, uptime.ms(), 16)
        counted = sync.receipt(bytearray(payload))
        if counted:
            self._acted_rightly(json.loads(payload), journal.told, clock.now()[0])
            return True
        assert counted is False
        assert journal.told == [], "a receipt that does not count was acted on"
        assert clock.now() is None, "its time was believed"
        assert sync._flight == flight, "the batch is no longer in flight"
        assert sync.receipt(GOOD_RECEIPT) is True, "the true receipt no longer counts"
        assert journal.told == [("release", EPOCH, TO)]
        return False

    def _acted_rightly(self, said, told, now_ms):
        assert said["epoch"] == EPOCH, "a receipt for another epoch counts"
        assert said["nonce"] == NONCE, "a receipt for another batch counts"
        for key in ("server", "through", "seen", "time"):
            number = said[key]
            assert isinstance(number, int), "no number counts as one"
            assert not isinstance(number, bool), "true counts as a number"
            assert 0 <= number < LARGEST_NUMBER, "a number that JSON readers disagree on counts"
        through = said["through"]
        first = ("rewind", EPOCH, through) if through < FROM else ("release", EPOCH, min(through, TO))
        expected = [first]
        if said["fork"] or through > NEXT or said["seen"] > NEXT:
            expected.append(("new_epoch", "fork" if said["fork"] else "behind"))
        assert told == expected, "the journal is told something else"
        assert 0 <= now_ms - said["time"] < 60000, "the time is another"

    # Packets

    def packets(self, data):
        """As the stream of a connection: handed on is what is for this kiosk, whole; then the connection ends."""
        heard = Heard()
        board = Board()
        session = Session(board, None, None, heard, None, heard, heard, None, 1, dialer=heard)
        for read in (
            session._read(Packets(Wire(data), bytearray(MOST_PIECE_BYTES))),
            _connack(Packets(Wire(data), bytearray(MOST_PIECE_BYTES))),
        ):
            try:
                code = self._loop.run_until_complete(read)
                assert data[0] >> 4 == 2, "greeted by something that is no CONNACK"
                last = 1  # of the length, which may be said in more bytes than it needs
                while data[last] & 0x80:
                    last += 1
                assert data[1] & 0x7F == 2, "greeted by something that is no CONNACK"
                assert not any(byte & 0x7F for byte in data[2 : last + 1]), "greeted by no CONNACK"
                assert code == data[last + 2]
            except LINK_ERRORS:
                pass
        assert heard.heard == messages_for(DEVICE, bytes(data)), "other messages than were sent to this kiosk"

    # Names

    def name(self, data):
        """As the answer of a name server: it counts when it is one to the question, and says what the standard says."""
        said = resolver.read(data, NAME_QUERY)
        assert said == answered(data, NAME_QUERY), "another answer than was given"
        return said

    def _fresh_root(self):
        """An empty folder."""
        empty(self._root)
        return self._root


def empty(folder):
    """Remove all that is in it."""
    for name in os.listdir(folder):
        path = f"{folder}/{name}"
        try:
            os.remove(path)
        except OSError:  # a folder
            empty(path)
            os.rmdir(path)
