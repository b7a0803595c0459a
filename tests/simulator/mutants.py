"""Faults put into firmware and server, each of which a simulated life must notice: the proof that it can fail.

Every function takes pytest's monkeypatch (or anything with its `setattr`).
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from kiosk.clock import Clock
from kiosk.journal import Journal
from kiosk.sync import Sync

from fleet_server.answers import book, piles, quarantine, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.ledger import RECEIVED
from fleet_server.link.collector import Collector

Mutant = Callable[[pytest.MonkeyPatch], None]


def receipt_before_commit(patch: pytest.MonkeyPatch) -> None:
    """Receipts leave as soon as they are written."""
    real = Collector._book

    def mutant(self: Any, session: Any, group: Any, outcome: Any, now: int) -> None:
        real(self, session, group, outcome, now)
        for topic, payload in outcome.messages:
            self._sink(topic, payload)
        outcome.messages.clear()

    patch.setattr(Collector, "_book", mutant)


def any_receipt_counts(patch: pytest.MonkeyPatch) -> None:
    """The kiosk takes a receipt for whatever batch as that of the one in flight."""
    real = Sync.receipt

    def mutant(self: Any, payload: bytes) -> Any:
        receipt = json.loads(payload)
        if self._flight is not None:
            receipt["epoch"], receipt["nonce"] = self._flight[:2]
        return real(self, json.dumps(receipt).encode())

    patch.setattr(Sync, "receipt", mutant)


def the_last_record_wins(patch: pytest.MonkeyPatch) -> None:
    """A record under a key that is taken overwrites what is there."""
    columns = piles._RECORDS.c

    def mutant(desk: Any, epoch: Any, start: int, stop: int) -> dict[int, int]:
        there = real(desk, epoch, start, stop)
        for seq in there:
            gone = piles._RECORDS.delete().where(
                columns.device_id == epoch.device_id, columns.epoch == epoch.epoch, columns.seq == seq
            )
            desk.connection.execute(gone)
        return {}

    real = piles._received
    patch.setattr(piles, "_received", mutant)


def duplicates_are_counted(patch: pytest.MonkeyPatch) -> None:
    """What came before counts again."""
    real = book.sort

    def mutant(desk: Desk, epoch: Any, batch: wire.Batch, payload: bytes) -> Any:
        found = real(desk, epoch, batch, payload)
        epoch.received_answers += found.duplicates
        epoch.counted_answers += found.duplicates
        return found

    patch.setattr(book, "sort", mutant)


def the_kiosk_never_goes_back(patch: pytest.MonkeyPatch) -> None:
    """A server that forgot is not sent anything again."""
    real = Sync._apply

    def mutant(self: Any, flight: Any, through: int, seen: int, fork: bool) -> None:
        real(self, flight, flight[3] if through < flight[2] else through, seen, fork)

    patch.setattr(Sync, "_apply", mutant)


def goes_on_behind_the_server(patch: pytest.MonkeyPatch) -> None:
    """A flash that was put back goes on in its old epoch and hands out again what the server has seen."""
    patch.setattr(Journal, "new_epoch", lambda self, reason: None)


def releases_beyond_the_batch(patch: pytest.MonkeyPatch) -> None:
    """The kiosk lets go of all that the server says is booked, whoever sent it."""
    real = Sync._apply

    def mutant(self: Any, flight: Any, through: int, seen: int, fork: bool) -> None:
        real(self, flight, through, seen, fork)
        if through >= flight[2]:
            self._journal.release(flight[0], through)

    patch.setattr(Sync, "_apply", mutant)


def forks_are_thrown_away(patch: pytest.MonkeyPatch) -> None:
    """What meets another record under its key is not kept."""
    real = quarantine.keep_all

    def mutant(session: Any, device_id: str, items: Any, **more: Any) -> int:
        return real(session, device_id, [item for item in items if "fork" not in item.reason], **more)

    patch.setattr(quarantine, "keep_all", mutant)


def the_clock_trusts_the_way(patch: pytest.MonkeyPatch) -> None:
    """Takes the server's time for exact, however long the receipt was on its way."""
    real = Clock.learn
    patch.setattr(Clock, "learn", lambda self, utc_ms, uncertainty_ms: real(self, utc_ms - uncertainty_ms, 1))


def gaps_are_not_booked(patch: pytest.MonkeyPatch) -> None:
    """What a batch does not hold of its range is booked as received."""
    real = book.segments_of

    def mutant(states: dict[int, int], start: int, stop: int) -> Any:
        return real({seq: states.get(seq, RECEIVED) for seq in range(start, stop)}, start, stop)

    patch.setattr(book, "segments_of", mutant)


def reads_on_from_the_next(patch: pytest.MonkeyPatch) -> None:
    """After each receipt the journal goes on one record further than was carried."""
    real = Journal.release
    patch.setattr(Journal, "release", lambda self, epoch, through: real(self, epoch, through + (through > 0)))


# The adversity that shows it: the lives that try it have that for certain.
MUTANTS: dict[Mutant, str] = {
    duplicates_are_counted: "",
    the_clock_trusts_the_way: "",
    any_receipt_counts: "",
    the_last_record_wins: "",
    reads_on_from_the_next: "",
    receipt_before_commit: "fail_database",
    gaps_are_not_booked: "flip",
    the_kiosk_never_goes_back: "restore_anew",
    goes_on_behind_the_server: "roll_back",
    forks_are_thrown_away: "clone",
    releases_beyond_the_batch: "clone",
}
# Each is caught in one of so many lives; most are in the first.
ENOUGH_LIVES = 10
