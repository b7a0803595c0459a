"""Real brokers that die, forget, refuse and mix up: every answer that is in flash is booked once."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from fleet_server.db import Database
from fleet_server.devices import credentials
from fleet_server.link.broker import EmbeddedBroker
from fleet_server.link.rules import SERVER, Rules
from tests import effort
from tests.conftest import MONDAY_10
from tests.evidence import note
from tests.firmware.net.conftest import KIOSK_ID, SECRET, Fleet, Mosquitto, free_port

HERE = "tests/firmware/net/test_brokers.py"
KILLS = effort.pick(test=3, full=8, torture=30)
PRESSES = 40
DRAINS_S = 120


class Broker(Protocol):
    port: int

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Embedded:
    """The embedded broker, that can be stopped and started anew on its port."""

    def __init__(self, database: Database) -> None:
        self.port = free_port()
        self._rules = Rules(database, SECRET)
        self._broker: EmbeddedBroker | None = None

    def start(self) -> None:
        self._broker = EmbeddedBroker(self._rules, "127.0.0.1", self.port)
        self._broker.start()

    def stop(self) -> None:
        if self._broker is not None:
            self._broker.stop()
            self._broker = None


class Booked:
    """A broker, the server behind it, and a kiosk's name for it."""

    def __init__(self, broker: Broker, fleet: Fleet, identity: dict[str, str]) -> None:
        self.broker = broker
        self.fleet = fleet
        self.identity = identity

    def balance(self, presses: int) -> None:
        """Each press is booked once, nothing is lost."""
        server = self.fleet.server
        assert sum(len(books) for books in server.books.values()) == presses
        assert not any(server.lost.values())


@pytest.fixture(params=["mosquitto", "amqtt"])
def booked(
    request: pytest.FixtureRequest, mosquitto: Callable[[str], Mosquitto], database: Database
) -> Iterator[Booked]:
    if request.param == "mosquitto":
        real = mosquitto("")
        fleet = Fleet(real.port)
        yield Booked(real, fleet, {"id": KIOSK_ID, "secret": SECRET})
        fleet.stop()
        return
    with database.write() as session:
        device, secret = credentials.create(session, name="A", model="button5", virtual=False, now=MONDAY_10)
        identity = {"id": device.id, "secret": secret}
    embedded = Embedded(database)
    embedded.start()
    fleet = Fleet(embedded.port, SERVER, SECRET)
    yield Booked(embedded, fleet, identity)
    fleet.stop()
    embedded.stop()


def drained(kiosk: Any, within_s: float = DRAINS_S) -> None:
    """Returns when every record has its receipt."""
    deadline = time.monotonic() + within_s
    while kiosk.tell()["waiting"]:
        assert time.monotonic() < deadline, kiosk.events[-6:]
        time.sleep(0.2)


@pytest.mark.scales
@pytest.mark.slow
def test_a_broker_that_is_killed_and_started_again_loses_and_doubles_nothing(
    booked: Booked, start_kiosk: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    kiosk = start_kiosk(booked.broker.port, **booked.identity)
    kiosk.wait(lambda event: event.get("status") == "online")
    for kill in range(KILLS):
        for step in range(PRESSES):
            kiosk.send(press=1)
            if step == 10 + kill % 7:
                booked.broker.stop()
            if step == 30:
                booked.broker.start()
            time.sleep(0.01)
    drained(kiosk)
    booked.balance(KILLS * PRESSES)
    note(
        "broker killed while answers come, and started again empty",
        KILLS,
        "kills",
        f"{HERE}::test_a_broker_that_is_killed_and_started_again_loses_and_doubles_nothing",
        "Mosquitto (kill -9) and the embedded broker",
    )


@pytest.mark.slow
def test_two_kiosks_under_one_name_throw_each_other_out_and_every_answer_is_booked_once(
    booked: Booked, start_kiosk: Callable[..., Any]
) -> None:
    """Each connection ends the other one's; the jitter of the back-off lets both come through."""
    both = [
        start_kiosk(booked.broker.port, folder=folder, **booked.identity) for folder in ("first", "second")
    ]
    for _ in range(PRESSES):
        for kiosk in both:
            kiosk.send(press=1)
        time.sleep(0.1)
    for kiosk in both:
        drained(kiosk)
    booked.balance(2 * PRESSES)
    assert len([epoch for epoch, books in booked.fleet.server.books.items() if books]) == 2
    note(
        "second client with the same id: each connection ends the other one's",
        2 * PRESSES,
        "answers",
        f"{HERE}::test_two_kiosks_under_one_name_throw_each_other_out_and_every_answer_is_booked_once",
        "Mosquitto and the embedded broker",
    )


@pytest.mark.scales
@pytest.mark.slow
@pytest.mark.skipif(
    effort.LEVEL == "test", reason="waits for time-outs of 10 and 20 s; in virtual time it is run always"
)
@pytest.mark.parametrize("limit", ["message_size_limit 700", "late"])
def test_a_broker_that_drops_large_messages_and_a_collector_slower_than_the_time_out_only_cost_time(
    limit: str, mosquitto: Callable[[str], Mosquitto], start_kiosk: Callable[..., Any]
) -> None:
    broker = mosquitto("" if limit == "late" else limit)
    fleet = Fleet(broker.port)
    fleet.late_s = 12.0 if limit == "late" else 0.0
    kiosk = start_kiosk(broker.port)
    kiosk.wait(lambda event: event.get("status") == "online", 60)
    kiosk.send(press=90)
    drained(kiosk, 600)
    Booked(broker, fleet, {}).balance(90)
    fleet.stop()
