"""A collector without a broker: what is put in, what it sends, and what is then booked and kept."""

import json
from collections.abc import Callable
from typing import Any

from sqlmodel import func, select

from fleet_server.answers import books, check, quarantine
from fleet_server.answers.models import PressCount
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.link.collector import Collector
from fleet_server.link.inbox import Incoming
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import Msg
from tests.fleet_server.link.conftest import Kiosk

EPOCH = 77
NOW = MONDAY_10 + 60_000
Pair = tuple[Kiosk, Kiosk]


class Post:
    """A collector and what it sent."""

    def __init__(self, database: Database, at_each: Callable[[], None] = lambda: None) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self._at_each = at_each
        self.collector = Collector(database, self._sink, Changes(), clock=lambda: NOW)

    def _sink(self, topic: str, payload: bytes) -> None:
        self._at_each()
        self.sent.append((topic, json.loads(payload)))

    def process(self, *messages: Incoming) -> list[str]:
        """Process these at once; returns the topics of what was sent."""
        before = len(self.sent)
        self.collector.process(list(messages))
        return [topic for topic, _ in self.sent[before:]]

    def offer(self, *messages: Incoming) -> None:
        for message in messages:
            self.collector.offer(f"hymio/1/up/{message.device_id}/{message.what}", message.payload)


def answers(kiosk: Kiosk, message: Msg) -> Incoming:
    return Incoming(kiosk.id, "answers", message.encode())


def said(kiosk: Kiosk, what: str, body: object) -> Incoming:
    return Incoming(kiosk.id, what, json.dumps(body).encode())


def presses(database: Database, kiosk: Kiosk) -> int:
    """Presses in the counts; what is booked must hold together."""
    with database.read() as session:
        assert check.faults(session, kiosk.id) == []
        total = session.exec(
            select(func.sum(PressCount.counted)).where(PressCount.device_id == kiosk.id)
        ).one()
        assert (total or 0) == books.of_devices(session, [kiosk.id])[kiosk.id].counted
        return int(total or 0)


def kept(database: Database, kiosk: Kiosk) -> list[bytes]:
    with database.read() as session:
        return [row.raw for row in quarantine.list_of(session, kiosk.id)]
