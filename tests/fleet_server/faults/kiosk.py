"""A kiosk of the firmware's own modules (journal on flash in RAM, sync, clock) at a real collector.

The kiosk waits in virtual time; the server has its own clock, which is never behind that of the commands it is told by.
"""

import asyncio
import copy

from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.link.collector import Collector, Incoming
from tests.firmware.net.support import Kiosk, RamFlash

QUIET_S = 1.0  # nothing comes for so long: all is said
TEXT = "Kiitos, hyvää palvelua. ".encode() * 8


class WholeKiosk(Kiosk):
    """`exchange` connects it and lets it say all that it has. `answers`: thanked for so far."""

    def __init__(self, device_id: str, flash: RamFlash | None = None, seed: int = 1) -> None:
        super().__init__(flash, seed)
        self.device_id = device_id
        self.answers = 0
        self._mail: asyncio.Queue[bytes] = asyncio.Queue()

    async def _publish(self, buffer: bytearray, at: int, end: int) -> None:
        self._mail.put_nowait(bytes(buffer[at:end]))

    def answer(self, count: int = 1, body: bytes = b"") -> None:
        """Answers, each thanked for."""
        for _ in range(count):
            self.journal.append(
                1, set_number=14, session=0, value=0 if body else 5, question=bool(body), body=body,
                uptime=self.uptime.tenths(),
            )  # fmt: skip
            self.answers += 1

    async def exchange(self, database: Database, *, deaf: bool = False) -> None:
        """One connection, until it is quiet; `deaf`: no receipt reaches the kiosk."""

        def sink(topic: str, payload: bytes) -> None:
            if topic.endswith("/receipt") and not deaf:
                self.sync.receipt(payload)

        collector = Collector(database, sink, Changes())
        self.connect()
        while True:
            try:
                batch = await asyncio.wait_for(self._mail.get(), QUIET_S)
            except TimeoutError:
                break
            collector.process([Incoming(self.device_id, "answers", batch)])
        await self.disconnect()

    def report(self, database: Database) -> None:
        """What it says of its epochs."""
        epochs = [list(epoch) for epoch in self.journal.epochs()]
        collector = Collector(database, lambda *_: None, Changes())
        collector.process([Incoming(self.device_id, "report", f'{{"v":1,"epochs":{epochs}}}'.encode())])

    def copy_of_flash(self) -> RamFlash:
        """The flash as it is now: for a twin, or to go back to."""
        return copy.deepcopy(self.flash)
