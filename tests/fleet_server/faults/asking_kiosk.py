"""The part of a kiosk that gets question sets: the firmware's own modules under CPython, at a real collector.

Between the two stands `on_the_way(topic, payload)`, which may change what is sent, or with None lose it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kiosk.desired import Desired
from kiosk.journal import Journal
from kiosk.report import Report
from kiosk.sets import Sets
from kiosk.settings import Settings

from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.link.collector import Collector, Incoming
from tests.firmware.net.support import RamFlash

MOST_ROUNDS = 12  # a kiosk that is not content by then never is
OnTheWay = Callable[[str, bytes], bytes | None]


def unchanged(topic: str, payload: bytes) -> bytes | None:
    """What is sent arrives."""
    return payload


class AskingKiosk:
    """`asks`: number of the set that a visitor meets now. `got`: all that has arrived, as (what, payload)."""

    def __init__(self, device_id: str, root: Path, database: Database, clock: Callable[[], int]) -> None:
        root.mkdir()
        self._id, self._database, self._clock = device_id, database, clock
        kiosk_clock = SimpleNamespace(now=lambda: (clock(), 10))
        self._root = str(root)
        self._start(kiosk_clock)
        journal = Journal(RamFlash(), lambda count: bytes(range(1, count + 1)))
        board = SimpleNamespace(
            name="unix", model="button5", firmware="0.1.0", build=1, root=str(root), reset_cause=lambda: 1,
            link=SimpleNamespace(signal=lambda: None), health=lambda: {"supply": None, "temperature": None},
        )  # fmt: skip
        uptime = SimpleNamespace(ms=lambda: 1000)
        self._report = Report(board, journal, kiosk_clock, uptime, self.sets, self.desired)
        self.got: list[tuple[str, bytes]] = []

    def _start(self, clock: Any) -> None:
        self.sets = Sets(self._root, clock, 5)
        self.desired = Desired(self._root, self.sets, Settings())

    def restart_without_clock(self) -> None:
        """The power was away, and the time with it."""
        self._start(SimpleNamespace(now=lambda: None))

    @property
    def asks(self) -> int | None:
        return self.sets.running

    def exchange(self, on_the_way: OnTheWay = unchanged) -> dict[str, Any]:
        """Report, and take what is answered, until nothing changes any more; the last report."""
        said = None
        for _ in range(MOST_ROUNDS):
            report = self._report.build()
            report["health"]["flash"] = 900_000  # the disk of this computer is none of a kiosk's
            mail = self._told(report)
            if report == said and not any(topic.endswith("/set") for topic, _ in mail):
                return report
            said = report
            for topic, payload in mail:
                arrived = on_the_way(topic, payload)
                if arrived is not None:
                    self.take(topic.rpartition("/")[2], arrived)
            self.sets.switch()
        raise AssertionError(f"the kiosk never came to rest: {said}")

    def take(self, what: str, payload: bytes) -> None:
        """A message, as firmware/kiosk/link.py takes it."""
        self.got.append((what, payload))
        if what == "desired":
            self.desired.apply(payload)
        elif self.sets.begin(len(payload)) is None:
            for at in range(0, len(payload), 512):
                self.sets.write(memoryview(payload)[at : at + 512])
            self.sets.finish()

    def _told(self, report: dict[str, Any]) -> list[tuple[str, bytes]]:
        mail: list[tuple[str, bytes]] = []
        collector = Collector(
            self._database, lambda topic, payload: mail.append((topic, payload)), Changes(), self._clock
        )
        collector.process([Incoming(self._id, "report", json.dumps(report).encode())])
        return mail
