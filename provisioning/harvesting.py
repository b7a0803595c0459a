"""The kiosk's side of the exchange, for a kiosk that cannot speak itself: its journal is asked about, sent, confirmed.

Knows no USB. The same messages as over MQTT (docs/protocol.md), so a kiosk that connects later finds its receipts.
Invariant: a journal counts as confirmed only when receipts cover every seq that it holds.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.kiosk_journal import Batch, KioskJournal, answers_waiting
from provisioning.server import Denied, Server

_AT_ONCE = 16  # batches in a request: about 1 100 presses


@dataclass
class Harvested:
    """What came of it.

    new: answers that the server did not have, of them `filtered` by a rule. known: answers that it had (0 when there
    are forks: they cannot be told apart). received, rejected: records of any kind. forks: batches with records of which
    another kiosk has sent others under the same number; those are kept apart.
    """

    device_id: str
    new: int = 0
    known: int = 0
    filtered: int = 0
    received: int = 0
    rejected: int = 0
    forks: int = 0


def harvest(
    server: Server,
    device_id: str,
    content: bytes,
    progress: Callable[[float], None] = lambda share: None,
) -> Harvested:
    """Hands a journal to the server; returns when all of it is booked. Doing it again changes nothing.

    Raises ProvisioningError; what was booked until then stays booked.
    """
    journal = KioskJournal(content)
    done = Harvested(device_id)
    held = answers_waiting(content)
    path = f"/devices/{device_id}/harvest"
    for epoch in journal.epochs():
        question = journal.question(epoch)
        (answer,) = _exchange(server, path, [question])
        journal.stands(epoch, answer["receipt"]["through"])
    sent = 0
    for group in _groups(journal.batches()):
        for batch, answer in zip(group, _exchange(server, path, group), strict=True):
            if answer["receipt"]["through"] < batch.to:
                raise ProvisioningError(
                    f"kiosk {device_id}: the server forgot what it had booked (a restored backup?); run it again"
                )
            done.new += answer["counted"] + answer["filtered"]
            done.filtered += answer["filtered"]
            done.received += answer["received"]
            done.rejected += answer["rejected"]
            done.forks += bool(answer["receipt"]["fork"])
            sent += 1
        progress(1 - 1 / (1 + sent))
    done.known = 0 if done.forks else max(0, held - done.new - done.rejected)
    progress(1.0)
    return done


def _exchange(server: Server, path: str, batches: list[Batch]) -> list[dict[str, Any]]:
    body = {"batches": [base64.b64encode(batch.payload).decode() for batch in batches]}
    try:
        told = server.post(path, body)
    except Denied as error:
        if error.code != "not_found":
            raise
        raise ProvisioningError(
            f"{error} on {server.address}, or is not yours to see: is that the server it belongs to?"
        ) from error
    booked = told.get("booked") if isinstance(told, dict) else None
    if not isinstance(booked, list) or len(booked) != len(batches):
        raise ProvisioningError(f"server {server.address}: this is no fleet server; is the address right?")
    for batch, answer in zip(batches, booked, strict=True):
        receipt = answer["receipt"]
        if receipt is None:
            raise ProvisioningError(
                f"the server booked nothing of records {batch.start} to {batch.to}: {answer['note']}"
            )
        if (receipt["epoch"], receipt["nonce"]) != (batch.epoch, batch.nonce):
            raise ProvisioningError(
                f"server {server.address}: a receipt is not for what was sent; run it again"
            )
    return booked


def _groups(batches: Iterator[Batch]) -> Iterator[list[Batch]]:
    while group := list(islice(batches, _AT_ONCE)):
        yield group
