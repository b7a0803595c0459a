"""The fleet server in memory, for stage.py: books batches by the contract's table alone, without the kiosk's code.

Runs on CPython and MicroPython.
"""

import binascii
import hashlib
import json
import struct

import virtual_time

UTC_MS = 1_772_438_400_000  # the server's clock at virtual time 0
DEVICE = "kiosk0000001"
UP = f"hymio/1/up/{DEVICE}/"
DOWN = f"hymio/1/down/{DEVICE}/"
ANSWER, BOOT, CLOCK, REFUSED = 1, 2, 3, 4
SETTINGS = {"lockout_ms": 200, "repeat_ms": 100, "thanks_ms": 100}
_LANGUAGES = ("fi", "sv", "en")
VIEW = {
    "number": 14,
    "name": "Exit",
    "languages": list(_LANGUAGES),
    "questions": [
        {
            "position": 3,
            "code": "K4-H",
            "type": "smiley5",
            "text": dict.fromkeys(_LANGUAGES, "Miten asiointi sujui?"),
            "labels": {code: ["5", "4", "3", "2", "1"] for code in _LANGUAGES},
        }
    ],
    "thanks": dict.fromkeys(_LANGUAGES, "Kiitos!"),
    "button": {"question": 3},
}


def packet(topic, payload):
    """A PUBLISH at QoS 0, written without the kiosk's own code."""
    body = struct.pack(">H", len(topic)) + topic.encode() + payload
    head = bytearray((0x30,))
    size = len(body)
    while True:
        low, size = size & 0x7F, size >> 7
        head.append(low | (0x80 if size else 0))
        if not size:
            return bytes(head) + body


class Server:
    """Books batches by the contract's table alone. `records`: (epoch, seq) -> record, or None to keep only counts."""

    def __init__(self, records):
        self.records = records
        self.generation = 7
        self.through = {}
        self.seen = {}
        self.answers = self.lost = self.batches = 0
        self.reports = self.publishes = 0
        self.logs = []
        self.pressed = {}
        self.settings = dict(SETTINGS)
        self.view = json.dumps(VIEW).encode()
        self.hash = binascii.hexlify(hashlib.sha256(self.view).digest()).decode()

    def hear(self, name, payload):
        """[(name, packet)] in answer to what came on `name`."""
        if name == "log":
            self.logs.append(json.loads(payload))
            del self.logs[:-5]
        if name != "report":
            return []
        self.reports += 1
        report = json.loads(payload)
        replies = []
        if report["desired"] < 1:
            entry = {"number": 14, "hash": self.hash, "from": None, "to": None, "hours": None}
            wish = {"version": 1, "sets": [entry], "offset": [], "settings": self.settings, "firmware": None}
            replies.append(("desired", packet(DOWN + "desired", json.dumps(wish).encode())))
        if report["want"] == self.hash:
            replies.append(("set", packet(DOWN + "set", self.view)))
        return replies

    def book(self, batch):
        """The receipt for a batch."""
        assert binascii.crc32(batch[:-4]) == struct.unpack("<I", batch[-4:])[0], "the batch is damaged"
        _, at, count, epoch, nonce, start, end, next_seq, pressed = struct.unpack("<BBHIIIIII", batch[:28])
        self.batches += 1
        through = self.through.get(epoch, 0)
        found = {}
        for _ in range(count):
            (size,) = struct.unpack("<H", batch[at : at + 2])
            data = batch[at : at + size]
            assert struct.unpack("<I", batch[at + size : at + size + 4])[0] == binascii.crc32(data, epoch)
            (seq,) = struct.unpack("<I", data[4:8])
            assert start <= seq < end
            assert seq not in found
            found[seq] = data
            at += (size + 4 + 3) // 4 * 4
        for seq, data in found.items():
            if self.records is not None:
                known = self.records.get((epoch, seq))
                assert known in (None, data), "one (epoch, seq), two contents"
                self.records[epoch, seq] = data
                new = known is None
            else:
                new = seq >= through
            self.answers += new and data[2] == ANSWER
        if start <= through < end:
            for seq in range(through, end):
                self.lost += seq not in found
            through = end
        self.through[epoch] = through
        self.seen[epoch] = max(next_seq, self.seen.get(epoch, 0))
        self.pressed[epoch] = max(pressed, self.pressed.get(epoch, 0))
        return {
            "server": self.generation,
            "epoch": epoch,
            "nonce": nonce,
            "through": through,
            "seen": self.seen[epoch],
            "fork": False,
            "time": UTC_MS + virtual_time.ms(),
            "rejected": [],
        }

    def answered(self):
        """Keys of the answers booked."""
        return {key for key, data in self.records.items() if data[2] == ANSWER}
