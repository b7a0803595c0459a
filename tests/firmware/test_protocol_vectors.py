"""docs/protocol-vectors.json and the firmware agree. Runs on CPython and MicroPython."""

import json

from kiosk import record, sector
from whole import encode, encode_batch

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
        assert encode(vector["epoch"], *fields, body) == hexed(vector), vector["name"]


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
        batch = encode_batch(*head, vector["boot"], vector["uptime"], records)
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
