"""A kiosk whose visitors answer as the test says: through `book`, as everything that is ever counted."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from fleet_server.answers.book import book
from fleet_server.db import Database
from fleet_server.instants import DAY_MS, MINUTE_MS
from fleet_server.results import release
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.messages import Rec, batch, clock

LATER = 2 * release.SETTLED_MS
_epochs = itertools.count(1)


@dataclass
class Kiosk:
    """A device at place 1 since MONDAY_10. Its clock is set at MONDAY_10; `at_ms` of an answer counts from there."""

    database: Database
    id: str
    epoch: int = field(default_factory=lambda: next(_epochs))
    seq: int = 0

    @classmethod
    def new(cls, database: Database) -> "Kiosk":
        """One that no other test uses, its clock set."""
        kiosk = cls(database, new_device(database))
        kiosk.send([clock(0, MONDAY_10, 0)], now=MONDAY_10)
        return kiosk

    def answer(self, value: int, *, at_ms: int | None = None, **more: Any) -> Rec:
        """The next record; not sent yet. By default a minute after the one before."""
        self.seq += 1
        uptime = (self.seq * MINUTE_MS if at_ms is None else at_ms) // 100
        return Rec(self.seq, uptime=uptime, value=value, **more)

    def send(self, records: list[Rec], *, now: int) -> None:
        with self.database.write() as session:
            book(session, self.id, batch(self.epoch, *records).encode(), source="mqtt", now=now)

    def press(self, *values: int, now: int = MONDAY_10 + DAY_MS, **more: Any) -> None:
        """One visitor for each value."""
        self.send([self.answer(value, **more) for value in values], now=now)


def let_go(database: Database, *, k: int = 5, now: int = MONDAY_10 + DAY_MS + LATER) -> release.Released:
    """All that there is to release now."""
    whole = release.Released()
    while True:
        with database.write() as session:
            one = release.step(session, k=k, now=now)
        whole.blocks += one.blocks
        whole.answers += one.answers
        whole.places |= one.places
        if not one.more:
            return whole
