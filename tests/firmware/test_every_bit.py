"""Every bit of a filled journal turns over, one at a time: at most its record is lost, and booked so."""

from collections.abc import Iterator

import pytest
from flips import Rest
from kiosk import record, sector
from kiosk.journal import Journal
from lives import CONTENTS, SECTOR_BYTES, SECTORS, life
from memo import memo
from nor import Nor, Rng, flipped, pattern
from sqlmodel import Session, col, select
from whole import encode_batch, read
from world import World

from fleet_server.answers.book import book
from fleet_server.answers.models import LedgerRange
from fleet_server.answers.models import Record as Booked
from fleet_server.db import Database
from fleet_server.devices.models import Device
from tests import effort, evidence
from tests.conftest import MONDAY_10

DEVICE = "kiosk0000001"
FAULT = "Bit turned over at rest in the journal"
MOMENTS = effort.pick(test=1, full=8, torture=32)  # of each content: each has 12 800 bits
LARGE_EVERY = effort.pick(test=101, full=3, torture=1)  # of the 98 304 bits of three whole sectors
BOOKED_EVERY = effort.pick(test=29, full=5, torture=1)  # of the 7 680 bits of three sectors


def full(sectors: int, size: int, seed: int) -> World:
    """Filled, with texts and clocks, in two epochs, the first of them booked in part; the rest waits."""
    world = World(pattern("blank", sectors, size), seed)
    rng = Rng(seed)
    while world.press(1 + rng.below(5)):
        if rng.below(9) == 0:
            world.text(1 + rng.below(60))
        if rng.below(20) == 0:
            world.clock()
        if world.journal.fill > 0.3 and len(world.journal.epochs()) == 1:
            world.send(200, portion=5)
            world.journal.new_epoch("fork")
    world.refusals()
    return world


@pytest.mark.slow
@pytest.mark.scales
@pytest.mark.parametrize("content", CONTENTS)
def test_each_bit_costs_at_most_its_record(content: str) -> None:
    """At the fullest moments of a life, the first of them filled to the brim; sectors as in the sweeps."""
    number = CONTENTS.index(content)
    world = full(SECTORS, SECTOR_BYTES, number + 10 * effort.SEED)
    rests = [Rest(world.flash.sectors, world.promises)]
    moments = life(content, 500 + number + 10 * effort.SEED)
    moments.sort(key=lambda moment: len(moment[2].due()), reverse=True)
    rests += [Rest(sectors, promises) for sectors, _, promises in moments[: MOMENTS - 1]]
    bits = 0
    with memo():
        for rest in rests:
            for bit in range(SECTORS * SECTOR_BYTES * 8):
                rest.flip(bit // (8 * SECTOR_BYTES), bit // 8 % SECTOR_BYTES, bit % 8, bit // 8 + bit)
                bits += 1
    assert bits == MOMENTS * SECTORS * SECTOR_BYTES * 8
    note(bits, "test_each_bit_costs_at_most_its_record")


@pytest.mark.slow
@pytest.mark.scales
@pytest.mark.parametrize("pos", range(3))
def test_bits_of_sectors_as_large_as_on_the_device_cost_at_most_their_record(pos: int) -> None:
    """One of three sectors of 4 KiB, with 290 presses and texts; each bit in `make torture`."""
    world = full(3, 4096, 7 + effort.SEED)
    rest = Rest(world.flash.sectors, world.promises)
    bits = 0
    with memo():
        for bit in range(effort.SEED % LARGE_EVERY, 4096 * 8, LARGE_EVERY):
            rest.flip(pos, bit // 8, bit % 8, bit)
            bits += 1
    assert bits >= 4096 * 8 // LARGE_EVERY
    note(bits, "test_bits_of_sectors_as_large_as_on_the_device_cost_at_most_their_record")


def note(count: int, test: str, result: str = "") -> None:
    evidence.note(FAULT, count, "bits", f"tests/firmware/test_every_bit.py::{test}", result)


def batches(journal: Journal) -> Iterator[bytes]:
    """All that the journal holds, as the kiosk sends it when each batch is booked."""
    while True:
        epoch, start, to, records = read(journal, 2004)
        if start == to:
            return
        (held,) = [entry for entry in journal.epochs() if entry[0] == epoch]
        waiting, boot = journal.waiting, journal.boot
        yield bytes(encode_batch(epoch, 1, start, to, held[2], held[3], waiting, boot, 99, records))
        journal.release(epoch, to)


@pytest.mark.scales
def test_the_server_books_as_lost_what_a_bit_cost_and_all_else_as_received(database: Database) -> None:
    world = full(3, 320, 5)
    promised = set(world.promises.thanked)
    bits = 0
    for bit in range(effort.SEED % BOOKED_EVERY, 3 * 320 * 8, BOOKED_EVERY):
        pos, offset = bit // 2560, bit // 8 % 320
        flash = flipped(world.flash.sectors, pos, offset, bit % 8)
        with Session(database.engine) as session:  # rolled back behind each bit
            lost = booked(session, flash, promised, world.promises.booked)
            session.rollback()
        before = {
            (epoch, seq)
            for epoch in {key[0] for key in promised}
            for _, _, seq in sector.walk(world.flash.sectors[pos], epoch)
        }
        assert lost <= before
        assert len(lost) <= 1 or offset < sector.HEADER_BYTES, (pos, offset, lost)
        bits += 1
    note(
        bits,
        "test_the_server_books_as_lost_what_a_bit_cost_and_all_else_as_received",
        "booked as lost by its seq",
    )


def booked(
    session: Session, flash: list[bytes], promised: set[tuple[int, int]], through: dict[int, int]
) -> set[tuple[int, int]]:
    """Send all to an empty server; returns what is not received. Of what was sent, that is exactly what is lost."""
    session.add(Device(id=DEVICE, name=DEVICE, model="button5", secret_sha256="", created_at=MONDAY_10))
    session.flush()
    journal = Journal(Nor(flash), Rng(3).bytes)
    sent: set[tuple[int, int]] = set()
    for payload in batches(journal):
        booking = book(session, DEVICE, payload, source="mqtt", now=MONDAY_10)
        assert booking.receipt is not None
        epoch, _, start, to = record_range(payload)
        sent |= {(epoch, seq) for seq in range(start, to)}
    ledger: dict[str, set[tuple[int, int]]] = {}
    for row in session.exec(select(LedgerRange).where(col(LedgerRange.device_id) == DEVICE)):
        ledger.setdefault(row.state, set()).update((row.epoch, seq) for seq in range(row.start, row.stop))
    stored = {(row.epoch, row.seq) for row in session.exec(select(Booked))}
    received = ledger.get("received", set())
    assert stored == received <= promised, "nothing false is accepted"
    assert "rejected" not in ledger
    lost = {key for key in promised - received if key[1] >= through.get(key[0], 0)}
    assert lost & sent <= ledger.get("lost", set())
    return lost


def record_range(payload: bytes) -> list[int]:
    return [int.from_bytes(payload[at : at + 4], "little") for at in (4, 8, 12, 16)]


def test_each_record_of_the_journals_turned_over_here_lies_where_a_bit_was_turned() -> None:
    """The journals are as full as said: no test above passes because there was nothing to lose."""
    small, large = full(SECTORS, SECTOR_BYTES, 0), full(3, 4096, 7)
    assert small.journal.fill == large.journal.fill == 1.0
    assert len(small.journal.epochs()) == len(large.journal.epochs()) == 2
    assert len(large.promises.due()) > 100
    assert (
        sum(data[2] == record.KIND_ANSWER and len(data) > 28 for data in large.promises.thanked.values()) > 5
    )
