"""From a kiosk's bytes on the wire to booked answers and a receipt back, over both brokers that we recommend."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from fleet_server.answers import check, quarantine
from fleet_server.answers.models import LedgerRange, PressCount
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.instants import now_ms
from fleet_server.link.service import LinkService
from fleet_server.questions.views import hash_of
from fleet_server.settings import Settings
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import Msg, as_version, batch, press
from tests.fleet_server.link.conftest import Kiosk
from tests.fleet_server.link.mosquitto import SERVER_NAME, Mosquitto, program
from tests.fleet_server.link.wire import Client, Will, free_port, until

EPOCH = 99
OUT_S = 2.0
BACK_S = 10.0
Pair = tuple[Kiosk, Kiosk]


class County:
    """The server's link on a broker, and kiosks that connect to it."""

    def __init__(self, service: LinkService, port: int, mosquitto: Mosquitto | None) -> None:
        self.service, self.port, self.mosquitto = service, port, mosquitto

    def kiosk(self, kiosk: Kiosk, **options: Any) -> Client:
        client = Client(self.port)
        assert client.hello(kiosk.id, kiosk.secret, **options) == 0
        assert client.subscribe(*(kiosk.down(name) for name in ("receipt", "desired", "set"))) == [0] * 3
        return client


@pytest.fixture(params=["embedded", "mosquitto"])
def county(
    request: pytest.FixtureRequest, kiosks: Pair, database: Database, tmp_path: Path
) -> Iterator[County]:
    port, mosquitto = free_port(), None
    settings = Settings(data_dir=tmp_path, mqtt_port=port)
    if request.param == "mosquitto":
        if not (program("mosquitto") and program("mosquitto_passwd")):
            pytest.skip("Mosquitto is not installed")
        members = {kiosk.id: kiosk.secret for kiosk in kiosks} | {SERVER_NAME: "a password"}
        mosquitto = Mosquitto(tmp_path, members)
        mosquitto.start()
        port = mosquitto.port
        password = tmp_path / "password"
        password.write_text("a password\n")
        settings = Settings(
            data_dir=tmp_path,
            mqtt_host="127.0.0.1",
            mqtt_port=port,
            mqtt_username=SERVER_NAME,
            mqtt_password_file=password,
        )
    service = LinkService(settings, database, Changes())
    service.start()
    yield County(service, port, mosquitto)
    service.stop()
    if mosquitto is not None:
        mosquitto.stop()


def receipt(client: Client) -> dict[str, Any]:
    """The next message, which must be a receipt."""
    packet = client.next()
    assert packet.topic.endswith("/receipt")
    return dict(json.loads(packet.payload))


def book(client: Client, kiosk: Kiosk, message: Msg) -> dict[str, Any]:
    client.publish(kiosk.up("answers"), message.encode())
    return receipt(client)


def counted(database: Database, kiosk: Kiosk) -> int:
    with database.read() as session:
        assert check.faults(session, kiosk.id) == []
        query = select(func.sum(PressCount.counted)).where(PressCount.device_id == kiosk.id)
        return int(session.exec(query).one() or 0)


def ledger(database: Database, kiosk: Kiosk) -> list[tuple[int, int, str]]:
    with database.read() as session:
        rows = session.exec(select(LedgerRange).where(LedgerRange.device_id == kiosk.id)).all()
        return sorted((row.start, row.stop, row.state) for row in rows)


def status(database: Database, kiosk: Kiosk) -> str:
    with database.read() as session:
        device = session.get(Device, kiosk.id)
        assert device is not None
        return device.status


def test_the_life_of_a_kiosk(county: County, kiosks: Pair, database: Database) -> None:
    a, b = kiosks
    before = now_ms()
    will = Will(a.up("state"), b'{"state":"lost","conn":1}')
    with county.kiosk(b) as other, county.kiosk(a, will=will) as kiosk:
        kiosk.publish(a.up("report"), b'{"v":1,"desired":0,"want":null,"epochs":[[99,0,0,0]]}')
        desired = json.loads(kiosk.next().payload)
        wanted = desired["sets"][0]["hash"]
        kiosk.publish(a.up("report"), json.dumps({"desired": desired["version"], "want": wanted}).encode())
        view = kiosk.next()
        assert (view.topic, hash_of(view.payload)) == (a.down("set"), wanted)
        asked = book(kiosk, a, Msg(EPOCH, 0, 0, nonce=11))
        assert (asked["nonce"], asked["through"], asked["seen"], asked["fork"]) == (11, 0, 0, False)
        assert before <= asked["time"] <= now_ms()
        kiosk.publish(a.up("state"), b'{"state":"ready","conn":1,"next":960}')
        booked = book(kiosk, a, batch(EPOCH, press(0), press(1), nonce=12))
        assert (booked["nonce"], booked["through"], booked["server"]) == (12, 2, asked["server"])
        assert (counted(database, a), status(database, a)) == (2, "here")
        assert other.ping() == []
        kiosk.vanish()
        until(lambda: status(database, a) == "lost", "the will is heard")
    health = county.service.health()
    assert (health["ok"], health["dropped"], health["connected"]) == (True, 0, True)


def test_bad_input_books_nothing_is_kept_raw_and_stops_nobody(
    county: County, kiosks: Pair, database: Database
) -> None:
    a, _ = kiosks
    good = batch(EPOCH, press(0), press(1), press(2)).encode()
    no_receipt = [
        good[:-1],
        good[:10],
        b"",
        good + b"\0",
        good[:30] + bytes([good[30] ^ 1]) + good[31:],
        good.ljust(5_000, b"\0"),
        batch(EPOCH, start=2_000_000, to=2_000_001, next=2_000_001, pressed=1).encode(),
    ]
    with county.kiosk(a) as kiosk:
        for raw in no_receipt:
            kiosk.publish(a.up("answers"), raw)
        kiosk.publish(a.up("report"), b"{garbage")
        kiosk.publish(a.up("state"), b"\xff")
        first = book(
            kiosk, a, batch(EPOCH, press(0), nonce=5)
        )  # the first receipt that comes is for this one
        assert (first["nonce"], first["through"], counted(database, a)) == (5, 1, 1)
        with database.read() as session:
            kept = [row.raw for row in quarantine.list_of(session, a.id)]
        assert sorted(kept) == sorted([*no_receipt, b"{garbage", b"\xff"])
        future = as_version(batch(EPOCH, press(1), press(2), nonce=6).encode(), 9)
        kiosk.publish(a.up("answers"), future)
        told = receipt(kiosk)
        assert (told["nonce"], told["through"]) == (6, 3)
        assert [(start, stop) for start, stop, _ in told["rejected"]] == [(1, 3)]
        assert ledger(database, a) == [(0, 1, "received"), (1, 3, "rejected")]
        with database.read() as session:
            assert future in [row.raw for row in quarantine.list_of(session, a.id)]
        holes = book(kiosk, a, batch(EPOCH, press(3), press(5), nonce=7))
        assert holes["through"] == 6
        assert ledger(database, a)[2:] == [(3, 4, "received"), (4, 5, "lost"), (5, 6, "received")]
        for _ in range(3):
            again = book(kiosk, a, batch(EPOCH, press(0), nonce=8))
            assert (again["through"], again["fork"]) == (6, False)
        assert counted(database, a) == 3
        assert county.service.health()["ok"]


@pytest.mark.parametrize("what", ["answers", "report", "log"])
@pytest.mark.parametrize("size", [9_000, 60_000, 70_000])
def test_what_is_far_too_long_is_kept_cut_with_its_size(
    county: County, kiosks: Pair, database: Database, size: int, what: str
) -> None:
    a, b = kiosks
    raw = batch(EPOCH, press(0)).encode().ljust(size, b"\x5a")
    with county.kiosk(b) as other, county.kiosk(a) as kiosk:
        try:
            kiosk.publish(a.up(what), raw)
            closed = kiosk.closed(0.5)
        except OSError:
            closed = True
        assert closed == (county.mosquitto is None or size > 65_536)
        assert book(other, b, batch(EPOCH, press(0)))["through"] == 1

    def kept() -> list[tuple[str, bytes]]:
        with database.read() as session:
            return [(row.reason, row.raw) for row in quarantine.list_of(session, a.id)]

    if county.mosquitto is None or size < 65_536:  # beyond its limit Mosquitto lets nobody see anything
        until(kept, "it is kept")
        ((reason, beginning),) = kept()
        assert f"{what}: {size} bytes" in reason
        assert 8_000 < len(beginning) <= 8_192
        assert raw.startswith(beginning)
    else:
        assert kept() == []
    with county.kiosk(a) as kiosk:
        assert book(kiosk, a, batch(EPOCH, press(0)))["through"] == 1
    assert counted(database, a) == 1
    assert county.service.health()["dropped"] == 0


def test_a_kiosk_cannot_speak_for_another(county: County, kiosks: Pair, database: Database) -> None:
    a, b = kiosks
    with county.kiosk(a) as kiosk:
        kiosk.publish(b.up("answers"), batch(EPOCH, press(0)).encode())
        kiosk.publish(b.down("receipt"), b"{}")
        assert book(kiosk, a, batch(EPOCH, press(0)))["through"] == 1
    assert (counted(database, a), counted(database, b)) == (1, 0)


def test_a_revoked_kiosk_is_out_within_two_seconds(county: County, kiosks: Pair, database: Database) -> None:
    a, b = kiosks
    with county.kiosk(a) as kiosk, county.kiosk(b) as other:
        with database.write() as session:
            credentials.revoke(session, a.id, now=MONDAY_10)
        if county.mosquitto is None:
            assert kiosk.closed(OUT_S)
        else:  # whom another broker lets in is that broker's matter; its answers do not count all the same
            kiosk.publish(a.up("answers"), batch(EPOCH, press(0)).encode())
        assert book(other, b, batch(EPOCH, press(0)))["through"] == 1
    assert counted(database, a) == 0


def test_the_server_comes_back_after_its_broker(county: County, kiosks: Pair, database: Database) -> None:
    if county.mosquitto is None:
        pytest.skip("the embedded broker lives and dies with the server")
    a, _ = kiosks
    with county.kiosk(a) as kiosk:
        book(kiosk, a, batch(EPOCH, press(0)))
    county.mosquitto.stop()
    until(lambda: not county.service.health()["ok"], "the loss is seen")
    county.service.send(a.down("receipt"), b"to nobody")
    county.mosquitto.start()
    until(lambda: county.service.health()["ok"], "the server is back", BACK_S)
    with county.kiosk(a) as kiosk:
        assert book(kiosk, a, batch(EPOCH, press(0), press(1)))["through"] == 2
    assert counted(database, a) == 2


def test_a_dead_mqtt_thread_is_replaced(
    county: County, kiosks: Pair, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    a, _ = kiosks
    source = county.service._source
    assert source._loop is not None
    assert source._task is not None
    with caplog.at_level(logging.ERROR, "hymio.link"):
        source._loop.call_soon_threadsafe(source._task.cancel)  # it ends without a word
        until(lambda: "the MQTT thread died" in caplog.text, "the death is noticed")
    until(lambda: county.service.health()["ok"], "another one listens", BACK_S)
    with county.kiosk(a) as kiosk:
        assert book(kiosk, a, batch(EPOCH, press(0)))["through"] == 1


def test_after_an_outage_of_the_server_nobody_is_late_before_they_can_be_back(
    county: County, kiosks: Pair, database: Database
) -> None:
    a, b = kiosks
    with database.write() as session:
        for kiosk in kiosks:
            device = session.get(Device, kiosk.id)
            assert device is not None
            device.status, device.late_at = "here", now_ms() - 60_000
    county.service._mark_late()
    assert status(database, a) == "here"
    with county.kiosk(a) as kiosk:
        kiosk.publish(a.up("state"), b'{"state":"ready","conn":1,"next":960}')
        book(kiosk, a, batch(EPOCH, press(0)))
        county.service._nobody_late_until = 0  # two minutes later
        until(lambda: status(database, b) == "late", "who did not come back is late")
    assert status(database, a) == "here"


def test_a_taken_port_is_said_and_leaves_no_thread(database: Database, tmp_path: Path) -> None:
    port = free_port()
    first = LinkService(Settings(data_dir=tmp_path, mqtt_port=port), database, Changes())
    first.start()
    try:
        before = threading.active_count()
        second = LinkService(Settings(data_dir=tmp_path, mqtt_port=port), database, Changes())
        with pytest.raises(Exception, match=str(port)):
            second.start()
        second.stop()
        assert threading.active_count() == before
    finally:
        first.stop()
