"""Broker and network between simulated kiosks and the server: they drop, double, delay and reorder as the weather is.

It knows no payload but the version byte of a batch. A message may arrive days later, on another connection of its
device, or at its twin.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from tests.fleet_server.answers.messages import as_version
from tests.simulator.history import Broken, History

MOST_MESSAGES = (
    20_000  # of kiosks in one life; a thousand are usual, twins that oust each other say some thousands
)
_NOTICE_S = 75  # until a kiosk sees that its connection is dead: 1.25 keepalives
_LONGEST_DELAY = 5.2  # a power of ten, in seconds: nearly two days


class Closed(Exception):
    """The broker cannot be reached."""


class Weather:
    """How the network of one kiosk is. `drop`, `twice`, `late`: shares of its messages."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.open = asyncio.Event()
        self.fine()

    def fine(self, drop: float = 0.0, twice: float = 0.0, late: float = 0.0) -> None:
        """Messages pass, all but these shares."""
        self.drop, self.twice, self.late = drop, twice, late
        self.open.set()

    def down(self) -> None:
        """No connection."""
        self.open.clear()

    def delay_s(self) -> float:
        """How long the next message is on its way."""
        if self._chance.random() < self.late:
            return float(10 ** self._chance.uniform(0, _LONGEST_DELAY))
        return self._chance.uniform(0.02, 0.3)


class Station(Protocol):
    """What the broker knows of a kiosk."""

    name: str
    device: str
    version: int
    weather: Weather

    def receive(self, what: str, payload: bytes) -> None:
        """Take a message."""


class Connection:
    """`seen_closed`: the kiosk has noticed."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.is_open = True
        self.seen_closed = asyncio.Event()


class Broker:
    """`deliver(device, what, payload)` gives a message to the server."""

    def __init__(self, history: History, chance: random.Random) -> None:
        self._history, self._chance = history, chance
        self._connections: dict[str, Connection] = {}  # by device: a second client with its name takes over
        self._said = 0
        self._run = 0  # what is under way does not survive a restart
        self.is_up = True
        self.deliver: Callable[[str, str, bytes], None] = lambda device, what, payload: None

    def connect(self, station: Station) -> Connection:
        """Let a kiosk in. Raises Closed."""
        if not self.is_up or not station.weather.open.is_set():
            raise Closed
        before = self._connections.get(station.device)
        if before is not None:
            if before.station is not station:
                self._history.inject(
                    "take-overs of a connection", "%s by %s", before.station.name, station.name
                )
            self._close(before, 0)
        self._connections[station.device] = connection = Connection(station)
        return connection

    def cut(self, station: Station) -> None:
        """The kiosk's power or network is gone."""
        connection = self._connections.get(station.device)
        if connection is not None and connection.station is station:
            self._close(connection, self._chance.uniform(0, _NOTICE_S))

    def stop(self) -> None:
        """The broker dies with all that it holds."""
        self.is_up = False
        self._run += 1
        for connection in list(self._connections.values()):
            self._close(connection, self._chance.uniform(0, 2))

    def start(self) -> None:
        """The broker is back, and remembers nothing."""
        self.is_up = True

    def up(self, station: Station, what: str, payload: bytes) -> None:
        """A kiosk publishes; into a dead connection it does not notice."""
        connection = self._connections.get(station.device)
        if connection is None or connection.station is not station or not connection.is_open:
            return
        self._said += 1
        if self._said > MOST_MESSAGES:
            raise Broken(f"{self._said} messages in one life: kiosks say the same for ever")
        if what == "answers" and station.version != 1:
            payload = as_version(payload, station.version)
        self._carry(station.weather, self._arrive, station.device, what, payload)

    def down(self, device: str, what: str, payload: bytes) -> None:
        """The server publishes: only who is connected may hear of it, now or later."""
        connection = self._connections.get(device)
        if connection is not None:
            self._carry(connection.station.weather, self._hand_over, device, what, payload)

    def _carry(
        self,
        weather: Weather,
        deliver: Callable[[str, str, bytes], None],
        device: str,
        what: str,
        payload: bytes,
    ) -> None:
        faults, chance = self._history.faults, self._chance
        if not self.is_up or (weather.drop and chance.random() < weather.drop):
            faults["messages dropped"] += 1
            return
        copies = 2 if weather.twice and chance.random() < weather.twice else 1
        faults["messages doubled"] += copies - 1
        for _ in range(copies):
            delay = weather.delay_s()
            faults["messages late by a second to two days"] += delay > 1
            asyncio.get_running_loop().call_later(delay, self._end, self._run, deliver, device, what, payload)

    def _end(
        self, run: int, deliver: Callable[[str, str, bytes], None], device: str, what: str, payload: bytes
    ) -> None:
        if run == self._run:
            deliver(device, what, payload)

    def _arrive(self, device: str, what: str, payload: bytes) -> None:
        self.deliver(device, what, payload)

    def _hand_over(self, device: str, what: str, payload: bytes) -> None:
        connection = self._connections.get(device)
        if connection is not None:
            connection.station.receive(what, payload)

    def _close(self, connection: Connection, noticed_s: float) -> None:
        if not connection.is_open:
            return
        connection.is_open = False
        if self._connections.get(connection.station.device) is connection:
            del self._connections[connection.station.device]
        asyncio.get_running_loop().call_later(noticed_s, connection.seen_closed.set)
