"""The server's own reading of batches and records agrees with the contract's vectors and with the kiosk's codec."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_server.answers import wire
from tests.fleet_server.answers.messages import Rec, as_version, batch, clock, press

VECTORS = json.loads((Path(__file__).parents[3] / "docs" / "protocol-vectors.json").read_text())
FIELDS = ("kind", "flags", "seq", "boot", "uptime", "session", "question", "language", "value", "pressed")


def wrapped(raw: bytes, epoch: int) -> bytes:
    return wire.wrap(raw, epoch=epoch, seq=0, next_seq=1, pressed=0, waiting=0)


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: vector["name"])
def test_a_record_reads_as_the_vectors_say(vector: dict[str, Any]) -> None:
    (record,) = wire.read_batch(wrapped(bytes.fromhex(vector["hex"]), vector["epoch"])).records
    assert record.intact
    assert {name: getattr(record, name) for name in FIELDS} == {name: vector[name] for name in FIELDS}
    assert (record.set_number, record.body.hex()) == (vector["set"], vector["body"])
    assert wire.body_fault(record) is None


@pytest.mark.parametrize("vector", VECTORS["not_records"], ids=lambda vector: vector["name"])
def test_what_is_no_record_is_never_taken_for_one(vector: dict[str, Any]) -> None:
    try:
        records = wire.read_batch(wrapped(bytes.fromhex(vector["hex"]), vector["epoch"])).records
    except wire.Damaged:
        return
    assert all(not record.intact or wire.body_fault(record) for record in records)


@pytest.mark.parametrize("vector", VECTORS["batches"], ids=lambda vector: vector["name"])
def test_a_batch_reads_as_the_vectors_say(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    read = wire.read_batch(raw)
    names = ("epoch", "nonce", "to", "next", "pressed", "boot", "uptime")
    assert {name: getattr(read, name) for name in names} == {name: vector[name] for name in names}
    assert read.start == vector["from"]
    assert all(record.intact for record in read.records)
    carried = [bytes.fromhex(one) for one in vector["records"]]
    assert len(read.records) == len(carried)
    for record, sent in zip(read.records, carried, strict=True):
        assert sent.startswith(raw[record.start : record.stop])


@given(
    st.lists(
        st.builds(
            Rec,
            seq=st.integers(0, 2**32 - 1),
            kind=st.integers(0, 255),
            flags=st.integers(0, 255),
            boot=st.integers(0, 2**32 - 1),
            uptime=st.integers(0, 2**32 - 1),
            set_number=st.integers(0, 2**16 - 1),
            session=st.integers(0, 255),
            question=st.integers(0, 255),
            value=st.integers(0, 255),
            pressed=st.integers(0, 2**16 - 1),
            body=st.binary(max_size=300),
            damaged=st.booleans(),
        ),
        max_size=10,
    ),
    st.integers(0, 2**32 - 1),
)
def test_what_the_kiosk_encodes_the_server_reads(records: list[Rec], epoch: int) -> None:
    read = wire.read_batch(batch(epoch, *records, start=3, to=5, next=9, pressed=8).encode())
    assert (read.epoch, read.start, read.to, read.next, read.pressed) == (epoch, 3, 5, 9, 8)
    for record, sent in zip(read.records, records, strict=True):
        assert record.intact is not sent.damaged
        assert record.body == sent.body
        if not sent.damaged:
            assert record[:11] == (
                sent.kind, sent.flags, sent.seq, sent.boot, sent.uptime, sent.set_number, sent.session,
                sent.question, 0, sent.value, sent.pressed,
            )  # fmt: skip


@given(st.binary(max_size=200))
def test_noise_is_never_read(noise: bytes) -> None:
    with pytest.raises(wire.Damaged):
        wire.read_batch(noise)


@given(st.data())
def test_a_batch_cut_or_changed_anywhere_is_not_read(data: st.DataObject) -> None:
    whole = batch(7, press(0), clock(1, 10**12, 5), press(2)).encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(wire.Damaged):
        wire.read_batch(whole[:place])
    with pytest.raises(wire.Damaged):
        wire.read_batch(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])


@pytest.mark.parametrize(
    ("offset", "value", "why"),
    [
        (1, 39, "header length"),
        (1, 250, "header length"),
        (2, 9, "cut off"),
        (2, 1, "after the last"),
        (40, 23, "says it has"),
        (41, 9, "says it has"),
    ],
)
def test_a_message_that_does_not_hold_together_is_not_read(offset: int, value: int, why: str) -> None:
    whole = batch(7, press(0), press(1)).encode()
    changed = as_version(whole[:offset] + bytes([value]) + whole[offset + 1 :], 1)
    with pytest.raises(wire.Damaged, match=why):
        wire.read_batch(changed)


def test_of_another_version_only_the_prefix_is_read() -> None:
    whole = batch(7, press(4), press(5), next=90, nonce=6).encode()
    read = wire.read_batch(as_version(whole, 9))
    assert (read.version, read.epoch, read.nonce, read.start, read.to, read.next) == (9, 7, 6, 4, 6, 6)
    assert read.records == []
