"""A kiosk's journal as bytes, mounted on the host with the firmware's own journal module.

Works on a copy: what was given is never changed. Knows no server and no USB. It must not be mounted by other code
than the kiosk's: what is unsent is decided by the same lines as on the device.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import firmware_root
from provisioning.flash_layout import SECTOR_BYTES

if str(firmware_root()) not in sys.path:
    sys.path.append(str(firmware_root()))  # last: nothing of the firmware hides a module of the host

from kiosk import record  # isort: skip
from kiosk.journal import Journal  # isort: skip

_LEAST_SECTORS = 3
_BATCH_BYTES = 4096
_RECORDS_BYTES = _BATCH_BYTES - record.BATCH_OVERHEAD_BYTES
_FIRST = record.BATCH_RECORDS_AT


class _Flash:
    """MicroPython's extended block protocol over memory; bits can only be cleared, as in NOR flash."""

    def __init__(self, content: bytes) -> None:
        self._data = bytearray(content)

    def readblocks(self, block: int, buf: Any, offset: int = 0) -> None:
        at = block * SECTOR_BYTES + offset
        buf[:] = self._data[at : at + len(buf)]

    def writeblocks(self, block: int, buf: Any, offset: int) -> None:
        at = block * SECTOR_BYTES + offset
        for i, byte in enumerate(bytes(buf)):
            self._data[at + i] &= byte

    def ioctl(self, request: int, argument: int) -> int:
        if request == 6:
            at = argument * SECTOR_BYTES
            self._data[at : at + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
        return {4: len(self._data) // SECTOR_BYTES, 5: SECTOR_BYTES}.get(request, 0)


@dataclass(frozen=True)
class Batch:
    """One message for the server, and the range of seqs that it states."""

    epoch: int
    nonce: int
    start: int
    to: int
    payload: bytes


class KioskJournal:
    """The journal in `content`. Raises ProvisioningError when that cannot be a journal partition."""

    def __init__(self, content: bytes) -> None:
        if len(content) % SECTOR_BYTES or len(content) < _LEAST_SECTORS * SECTOR_BYTES:
            raise ProvisioningError(
                f"journal: {len(content)} bytes are no journal, it has whole sectors of {SECTOR_BYTES}, at least 3"
            )
        self._journal = Journal(_Flash(content), os.urandom)

    @property
    def found(self) -> bool:
        """Whether a kiosk has ever written there: another file's bytes mount as an empty journal, too."""
        return bool(self._journal.reason != "fresh")

    def epochs(self) -> list[int]:
        """Epochs that something was written in, oldest first."""
        return [epoch for epoch, _, next_seq, _ in self._journal.epochs() if next_seq]

    def question(self, epoch: int) -> Batch:
        """Where does the server stand in this epoch? No records."""
        cursor = self._journal.cursor(epoch)
        return self._sealed(bytearray(_BATCH_BYTES), epoch, cursor, cursor, 0, _FIRST)

    def stands(self, epoch: int, through: int) -> None:
        """The server's answer to a question: what it forgot is sent again. What it has beyond is no reason to let
        anything go: another flash under this name may have sent it (docs/protocol.md, receipt, rule 2).
        """
        if through < self._journal.cursor(epoch):
            self._journal.rewind(epoch, through)

    def batches(self) -> Iterator[Batch]:
        """What is not booked, oldest first, each batch taken for booked when the next one is asked for."""
        while True:
            buffer = bytearray(_BATCH_BYTES)
            epoch, start, to, count, end = self._journal.read_into(buffer, _FIRST, _RECORDS_BYTES)
            if start == to:
                return
            yield self._sealed(buffer, epoch, start, to, count, end)
            self._journal.release(epoch, to)

    def answers_waiting(self) -> int:
        """Answers without a receipt, as far as flash tells: those booked since the last mark are among them."""
        return sum(_answers(batch) for batch in self.batches())

    def _sealed(self, buffer: bytearray, epoch: int, start: int, to: int, count: int, end: int) -> Batch:
        journal = self._journal
        next_seq, pressed = next((e[2], e[3]) for e in journal.epochs() if e[0] == epoch)
        nonce = int.from_bytes(os.urandom(4), "little")
        size = record.seal_batch(
            buffer, end, count, epoch, nonce, start, to, next_seq, pressed, journal.waiting, journal.boot, 0
        )
        return Batch(epoch, nonce, start, to, bytes(buffer[:size]))


def answers_waiting(content: bytes) -> int:
    """Answers in a journal partition that no receipt came for."""
    return KioskJournal(content).answers_waiting()


def _answers(batch: Batch) -> int:
    """Answer records in a batch."""
    at, found, end = _FIRST, 0, len(batch.payload) - 4
    while at < end:
        size = int.from_bytes(batch.payload[at : at + 2], "little") + 4
        found += batch.payload[at + 2] == record.KIND_ANSWER
        at += (size + 3) & ~3
    return found
