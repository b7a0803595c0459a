"""A county with a few kiosks, and the embedded broker that lets them in."""

import logging
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from fleet_server.db import Database
from fleet_server.devices import credentials
from fleet_server.link.broker import EmbeddedBroker
from fleet_server.link.rules import SERVER, Rules
from fleet_server.questions import service as questions
from tests.conftest import MONDAY_10
from tests.fleet_server.link.wire import Client, free_port

SERVER_SECRET = "s" * 64


class Kiosk(NamedTuple):
    """Id and secret of a registered device."""

    id: str
    secret: str

    def up(self, name: str) -> str:
        """A topic it writes to."""
        return f"hymio/1/up/{self.id}/{name}"

    def down(self, name: str) -> str:
        """A topic it reads."""
        return f"hymio/1/down/{self.id}/{name}"


class Running:
    """A broker that runs."""

    def __init__(self, broker: EmbeddedBroker, port: int) -> None:
        self.broker = broker
        self.port = port

    def client(self, kiosk: Kiosk | None = None, *filters: str, **options: object) -> Client:
        """A new connection, signed in as this kiosk if one is given, with these subscriptions."""
        client = Client(self.port)
        if kiosk is not None:
            assert client.hello(kiosk.id, kiosk.secret, **options) == 0
            if filters:
                assert client.subscribe(*filters) == [0] * len(filters)
        return client

    def server(self) -> Client:
        """A connection as the server's own, which reads all of `up`."""
        return self.client(Kiosk(SERVER, SERVER_SECRET), "hymio/1/up/#")


@pytest.fixture(autouse=True)
def quiet_amqtt() -> None:
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)


def new_kiosk(database: Database, name: str) -> Kiosk:
    """Register a device."""
    with database.write() as session:
        device, secret = credentials.create(session, name=name, model="button5", virtual=False, now=MONDAY_10)
        return Kiosk(device.id, secret)


@pytest.fixture
def kiosks(database: Database) -> tuple[Kiosk, Kiosk]:
    """Two kiosks that ask the national question set 1."""
    both = (new_kiosk(database, "A"), new_kiosk(database, "B"))
    with database.write() as session:
        questions.add_national(session, now=MONDAY_10)
        questions.publish(session, 1, [kiosk.id for kiosk in both], actor="test", now=MONDAY_10)
    return both


@pytest.fixture
def running(database: Database) -> Iterator[Running]:
    """The embedded broker on a free port."""
    port = free_port()
    broker = EmbeddedBroker(Rules(database, SERVER_SECRET), "127.0.0.1", port)
    broker.start()
    yield Running(broker, port)
    broker.stop()
