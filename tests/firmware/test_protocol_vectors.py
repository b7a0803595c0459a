"""docs/protocol-vectors.json and the firmware agree. Runs on CPython and MicroPython."""

import asyncio
import json

from kiosk import record, sector
from kiosk.clock import Clock, Uptime
from kiosk.compat import ticks_ms
from kiosk.sync import Sync

with open(__file__.rsplit("/", 3)[0] + "/docs/protocol-vectors.json") as _file:
    VECTORS = json.load(_file)

FIELDS = (
    "kind", "flags", "seq", "boot", "uptime", "set", "session", "question", "language", "value", "pressed",
)  # fmt: skip


def hexed(vector):
    return bytes.fromhex(vector["hex"])


def test_records_are_encoded_as_in_the_vectors():
    for vector in VECTORS["records"]:
        fields = [vector[name] for name in FIELDS]
        body = bytes.fromhex(vector["body"])
        assert record.encode(vector["epoch"], *fields, body) == hexed(vector), vector["name"]


def test_records_are_decoded_as_in_the_vectors():
    for vector in VECTORS["records"]:
        fields = record.decode(hexed(vector), 0, vector["epoch"])
        assert list(fields[:-1]) == [vector[name] for name in FIELDS], vector["name"]
        assert fields[-1] == bytes.fromhex(vector["body"]), vector["name"]


def test_what_is_no_record_is_not_decoded():
    for vector in VECTORS["not_records"]:
        assert record.decode(hexed(vector), 0, vector["epoch"]) is None, vector["name"]


def test_batches_are_encoded_as_in_the_vectors():
    for vector in VECTORS["batches"]:
        head = [vector[name] for name in ("epoch", "nonce", "from", "to", "next", "pressed", "waiting")]
        records = [bytes.fromhex(item) for item in vector["records"]]
        batch = record.encode_batch(*head, vector["boot"], vector["uptime"], records)
        assert batch == hexed(vector), vector["name"]


def test_sector_headers_are_as_in_the_vectors():
    for vector in VECTORS["sector_headers"]:
        fields = [vector[name] for name in ("known", "epoch", "number", "first", "pressed", "boot")]
        buf = bytearray(sector.HEADER_BYTES)
        sector.pack_header(buf, *fields)
        assert buf == hexed(vector), vector["name"]
        assert list(sector.unpack_header(hexed(vector))) == fields, vector["name"]


def test_marks_are_as_in_the_vectors():
    for vector in VECTORS["marks"]:
        assert sector.marks(hexed(vector))[0] == vector["cleared"], vector["hex"]
        assert vector["booked"] == bool(vector["cleared"] % 2)


class Told:
    """Stands for a journal with one batch to send; remembers what it is told."""

    boot = 1
    waiting = 20

    def __init__(self, flight):
        self._flight = flight
        self.epoch = flight["epoch"] if flight["current"] else flight["epoch"] + 1
        self.told = []

    def read(self, _):
        return self._flight["epoch"], self._flight["from"], self._flight["to"], [bytes(28)]

    def epochs(self):
        held = [(self._flight["epoch"], 0, self._flight["next"], 0), (self.epoch, 0, 0, 0)]
        return held[:1] if self._flight["current"] else held

    def cursor(self, epoch):
        return self._flight["from"]

    def release(self, epoch, through):
        self.told.append(["release", epoch, through])

    def rewind(self, epoch, through):
        self.told.append(["rewind", epoch, through])

    def new_epoch(self, reason):
        self.told.append(["new_epoch", reason])


class Board:
    def log(self, line):
        pass


async def told_by(vector):
    flight = vector["in_flight"]
    journal = Told(flight)
    uptime = Uptime(ticks_ms)
    nonce = flight["nonce"].to_bytes(4, "little")
    sync = Sync(journal, Clock(uptime), uptime, Board(), lambda n: nonce)
    sent = []

    async def publish(batch):
        sent.append(bytes(batch))
        if len(sent) <= len(journal.epochs()):  # the questions of a new connection come first
            epoch, _, start, _ = record_range(batch)
            answer = {"server": 777, "nonce": flight["nonce"], "seen": start, "fork": False, "time": 1}
            answer.update({"epoch": epoch, "through": start})
            assert sync.receipt(json.dumps(answer).encode())
            journal.told = []

    task = asyncio.create_task(sync.run(publish, 4096))
    while len(sent) <= len(journal.epochs()):
        await asyncio.sleep(0)
    assert record_range(sent[-1])[0] == flight["epoch"]
    counted = sync.receipt(vector["receipt"].encode())
    told = journal.told
    task.cancel()
    return counted, told


def record_range(batch):
    return [int.from_bytes(batch[at : at + 4], "little") for at in (4, 8, 12, 16)]


def test_a_receipt_does_what_the_vectors_say():
    for vector in VECTORS["receipts"]:
        counted, told = asyncio.run(told_by(vector))
        assert told == vector["does"], (vector["name"], told)
        assert counted == bool(vector["does"]), vector["name"]
