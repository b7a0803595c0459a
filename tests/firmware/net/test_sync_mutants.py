"""The tests of receipts can fail: each of these small faults, put into the exchange, is caught by one of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from kiosk import sync

from tests.firmware.net import test_sync as tests


def accepts_the_receipt_of_another_nonce(patch: pytest.MonkeyPatch) -> None:
    """Takes any receipt for that of the batch in flight."""
    receipt = sync.Sync.receipt

    def mutant(self: Any, payload: bytes) -> bool:
        if self._flight is not None:
            payload = json.dumps({**json.loads(payload), "nonce": self._flight[1]}).encode()
        return bool(receipt(self, payload))

    patch.setattr(sync.Sync, "receipt", mutant)


def accepts_the_receipt_of_another_epoch(patch: pytest.MonkeyPatch) -> None:
    """Takes a receipt's numbers for those of the epoch in flight, whatever batch it was for."""
    receipt = sync.Sync.receipt

    def mutant(self: Any, payload: bytes) -> bool:
        if self._flight is not None:
            changes = {"epoch": self._flight[0], "nonce": self._flight[1]}
            payload = json.dumps({**json.loads(payload), **changes}).encode()
        return bool(receipt(self, payload))

    patch.setattr(sync.Sync, "receipt", mutant)


def _apply(patch: pytest.MonkeyPatch, mutant: Callable[[Any, Any, int, int, bool], None]) -> None:
    patch.setattr(sync.Sync, "_apply", mutant)


def releases_beyond_the_batch(patch: pytest.MonkeyPatch) -> None:
    """Believes a receipt that says more than the batch carried."""
    original = sync.Sync._apply

    def mutant(self: Any, flight: Any, through: int, seen: int, fork: bool) -> None:
        original(self, (*flight[:3], max(flight[3], through), *flight[4:]), through, seen, fork)

    _apply(patch, mutant)


def releases_all_that_was_pressed_meanwhile(patch: pytest.MonkeyPatch) -> None:
    """Takes a receipt for one of all there is."""

    def mutant(self: Any, flight: Any, through: int, seen: int, fork: bool) -> None:
        self._journal.release(flight[0], self._journal.next_seq)

    _apply(patch, mutant)


def does_not_go_back(patch: pytest.MonkeyPatch) -> None:
    """Ignores a server that forgot."""
    original = sync.Sync._apply

    def mutant(self: Any, flight: Any, through: int, seen: int, fork: bool) -> None:
        original(self, flight, max(through, flight[2]), seen, fork)

    _apply(patch, mutant)


def goes_on_beside_its_twin(patch: pytest.MonkeyPatch) -> None:
    """Never begins a new epoch."""
    original = sync.Sync._apply

    def mutant(self: Any, flight: Any, through: int, seen: int, fork: bool) -> None:
        original(self, flight, min(through, flight[4]), 0, False)

    _apply(patch, mutant)


def begins_an_epoch_for_every_old_twin(patch: pytest.MonkeyPatch) -> None:
    """Takes an older epoch's twin for its own."""
    original = sync.Sync._apply

    def mutant(self: Any, flight: Any, through: int, seen: int, fork: bool) -> None:
        original(self, flight, through, seen, fork)
        if fork and flight[0] != self._journal.epoch:
            self._journal.new_epoch("fork")

    _apply(patch, mutant)


MUTANTS = [
    accepts_the_receipt_of_another_nonce,
    accepts_the_receipt_of_another_epoch,
    releases_beyond_the_batch,
    releases_all_that_was_pressed_meanwhile,
    does_not_go_back,
    goes_on_beside_its_twin,
    begins_an_epoch_for_every_old_twin,
]

TWINS = ({"fork": True}, {"seen": 4}, {"through": 4})


def sweep() -> None:
    """Rule by rule, then lives with loss, doubling, reordering, power cuts and restores."""
    tests.test_only_the_nonce_in_flight_counts_and_a_stray_receipt_teaches_no_time()
    tests.test_no_more_is_released_than_the_batch_carried()
    tests.test_a_server_that_forgot_is_sent_again_what_flash_still_holds()
    tests.test_a_fork_of_an_older_epoch_does_not_begin_epoch_after_epoch()
    for changes in TWINS:
        tests.test_a_twin_or_a_flash_that_went_back_begins_a_new_epoch(dict(changes))
    lives()


def lives() -> None:
    for seed in range(8):
        tests.test_every_answer_is_booked_once_through_loss_doubling_reordering_cuts_and_restores(seed)


def test_the_exchange_as_it_is_passes_the_sweep_of_this_file() -> None:
    sweep()


@pytest.mark.parametrize("mutate", MUTANTS, ids=lambda mutate: mutate.__name__)
def test_a_mutant_is_caught(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    with pytest.raises((AssertionError, TimeoutError)):
        sweep()


def test_random_lives_alone_catch_what_loses_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    releases_all_that_was_pressed_meanwhile(monkeypatch)
    with pytest.raises((AssertionError, TimeoutError)):
        lives()
