"""What a kiosk does with each receipt of docs/protocol-vectors.json. Runs on CPython and MicroPython."""

import asyncio
import json

from kiosk.clock import Clock, Uptime
from kiosk.compat import ticks_ms
from kiosk.sync import Sync
from test_protocol_vectors import VECTORS


class Told:
    """Stands for a journal with one batch to send; remembers what it is told."""

    boot = 1
    waiting = 20

    def __init__(self, flight):
        self._flight = flight
        self.epoch = flight["epoch"] if flight["current"] else flight["epoch"] + 1
        self.told = []

    def read_into(self, buf, at, max_bytes):
        return self._flight["epoch"], self._flight["from"], self._flight["to"], 1, at + 28

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

    async def publish(buf, at, end):
        batch = bytes(memoryview(buf)[at:end])
        sent.append(batch)
        if len(sent) <= len(journal.epochs()):  # the questions of a new connection come first
            epoch, _, start, _ = record_range(batch)
            answer = {"server": 777, "nonce": flight["nonce"], "seen": start, "fork": False, "time": 1}
            answer.update({"epoch": epoch, "through": start})
            assert sync.receipt(json.dumps(answer).encode())
            journal.told = []

    task = asyncio.create_task(sync.run(publish, 4096))
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(sent) == len(journal.epochs()) + 1, "questions, then the batch"
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
