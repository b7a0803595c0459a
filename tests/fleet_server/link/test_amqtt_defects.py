"""Each defect of amqtt 0.12.1 that docs/decisions/0005-embedded-broker.md names: the stock broker has it, ours has not.

When a test fails on the stock half, amqtt has cured the defect: take our cure out.
"""

import asyncio
from collections import deque

import amqtt.broker
import pytest
from amqtt.session import Session

from fleet_server.link import connection, streams
from fleet_server.link.broker import HardenedBroker
from fleet_server.link.rules import SERVER, Rules
from tests.fleet_server.link import stock
from tests.fleet_server.link.conftest import SERVER_SECRET, Kiosk, Running
from tests.fleet_server.link.stock import GOOD, stock_broker
from tests.fleet_server.link.wire import REFUSED, WAIT_S, Client, Will, connect, packet, text, until

STILL_OPEN_S = 0.3
Pair = tuple[Kiosk, Kiosk]


def member(port: int, name: str, *filters: str, **options: object) -> Client:
    """A client of the stock broker."""
    client = Client(port)
    assert client.hello(name, GOOD, **options) == 0
    if filters:
        client.subscribe(*filters)
    return client


def test_1_a_stranger_cannot_silence_who_is_connected(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    with running.client(a, a.down("receipt")) as kiosk, running.server() as server:
        with Client(running.port) as stranger:
            assert stranger.hello(a.id, "wrong") == REFUSED
        server.publish(a.down("receipt"), b"still here")
        assert kiosk.next().payload == b"still here"
    with stock_broker() as port, member(port, "victim", "up/other/x") as victim:
        with Client(port) as stranger:
            assert stranger.hello("victim", "wrong") == REFUSED
        with member(port, "other", "up/other/x") as other:
            other.publish("up/other/x", b"lost")
            assert other.next().payload == b"lost"  # the fan-out of this message is over
            assert victim.ping() == [], "amqtt asks before it touches the session now"


def test_2_who_falls_silent_is_closed_and_its_will_is_sent(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    will = Will(a.up("state"), b'{"state":"lost","conn":1}')
    with running.server() as server, running.client(a, will=will, keepalive=1) as kiosk:
        assert (server.next().topic, kiosk.closed()) == (a.up("state"), True)
    with stock_broker() as port, member(port, "silent", keepalive=1) as silent:
        assert not silent.closed(2.0), "amqtt keeps the keep-alive now"


def test_2_who_says_nothing_at_all_is_closed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (streams, connection):
        monkeypatch.setattr(module, "FIRST_PACKET_S", 0.2)
    with Client(running.port) as mute, Client(running.port) as slow:
        slow.send(connect("x", "y")[:9])
        assert mute.closed(2.0)
        assert slow.closed(2.0)


def test_3_a_will_goes_where_its_client_may_write(kiosks: Pair, running: Running) -> None:
    a, b = kiosks
    with running.client(b, b.down("desired")) as target, running.server() as server:
        with Client(running.port) as kiosk:
            assert kiosk.hello(a.id, a.secret, will=Will(b.down("desired"), b"evil")) == REFUSED
            assert kiosk.closed()
        server.publish(b.down("desired"), b"good")
        assert target.next().payload == b"good"
    with stock_broker() as port, member(port, "target", "up/other/x") as target:
        member(port, "kiosk", will=Will("up/other/x", b"evil")).vanish()
        assert target.next().payload == b"evil"


def test_4_a_new_client_is_sent_only_what_it_subscribed_to(kiosks: Pair, running: Running) -> None:
    a, b = kiosks
    with running.server() as server, running.client(a) as kiosk:
        kiosk.publish(a.up("report"), b"kept?", retain=True)
        assert server.next().payload == b"kept?"
        server.publish(b.down("desired"), b"kept?", retain=True)
        server.ping()
        with running.client(b) as other:
            assert other.ping() == []
            assert other.subscribe(b.down("desired")) == [0]
            assert other.ping() == []
        with running.server() as again:
            assert again.ping() == []
    with stock_broker() as port, member(port, "reader", "up/writer/x") as reader:
        with member(port, "writer") as writer:
            writer.publish("up/writer/x", b"kept", retain=True)
            assert reader.next().payload == b"kept"
        with member(port, "fresh") as fresh:
            assert [one.payload for one in fresh.ping() or [fresh.next()]] == [b"kept"]


def test_5_a_take_over_ends_the_old_connection_before_the_new_one_begins(
    kiosks: Pair, running: Running
) -> None:
    a, _ = kiosks
    with (
        running.server() as server,
        running.client(a, will=Will(a.up("state"), b"old")) as old,
        running.client(a, a.down("receipt"), will=Will(a.up("state"), b"new")) as new,
    ):
        assert old.closed()
        new.publish(a.up("state"), b"ready")
        assert [server.next().payload, server.next().payload] == [b"old", b"ready"]
        server.publish(a.down("receipt"), b"heard")
        assert new.next().payload == b"heard"
        assert running.broker.connected().count(a.id) == 1
    with stock_broker() as port, member(port, "same") as old, member(port, "same"):
        assert not old.closed(STILL_OPEN_S)


def test_5_of_many_at_once_with_one_name_exactly_one_stays(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    clients = [Client(running.port) for _ in range(8)]
    for client in clients:
        client.send(connect(a.id, a.secret))
    assert {client.next().body[1] for client in clients} == {0}
    still_open = until(lambda: _only(clients), "one connection is left")
    assert still_open.subscribe(a.down("receipt")) == [0]
    with running.server() as server:
        server.publish(a.down("receipt"), b"to the one")
        assert still_open.next().payload == b"to the one"
    for client in clients:
        client.vanish()


def _only(clients: list[Client]) -> Client | None:
    still_open = [client for client in clients if not client.closed(0.02)]
    return still_open[0] if len(still_open) == 1 else None


def test_6_nothing_is_promised_beyond_qos_0(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    with running.client(a) as kiosk, running.server() as server:
        assert kiosk.subscribe(a.down("receipt"), qos=2) == [0]
        server.publish(a.down("receipt"), b"x")
        assert kiosk.next().first == 0x30
        kiosk.send(packet(0x32, text(a.up("state")) + b"\0\7" + b"x"))
        assert kiosk.closed()
    with stock_broker() as port, member(port, "reader") as reader, member(port, "writer") as writer:
        assert reader.subscribe("up/writer/x", qos=1) == [1]
        writer.publish("up/writer/x", b"x")
        assert reader.next().first == 0x32  # and is given up 5 s later


def test_7_there_is_no_session_to_be_forgotten(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    for _ in range(2):
        with Client(running.port) as kiosk:
            kiosk.send(connect(a.id, a.secret, clean=False))
            assert kiosk.next().body == b"\0\0", "session present"
            kiosk.send(packet(0xE0, b""))
            assert kiosk.closed()
    present = []
    with stock_broker() as port:
        for _ in range(2):
            with Client(port) as kiosk:
                kiosk.send(connect("kept", GOOD, clean=False))
                present.append(kiosk.next().body[0])
                kiosk.send(packet(0xE0, b""))
                assert kiosk.closed()
    assert present == [0, 1]


def test_8_a_subscription_during_a_fan_out_harms_nobody(kiosks: Pair, running: Running) -> None:
    async def fan_out(broker: amqtt.broker.Broker) -> None:
        broker._subscriptions["t"] = [(Session(), 0)]

        async def subscribes_meanwhile(*_args: object, **_more: object) -> bool:
            broker._subscriptions["u"] = []
            return True

        broker._topic_filtering = broker._matches_then = subscribes_meanwhile
        await broker._broadcast_queue.put({"session": None, "topic": "t", "data": b""})
        await broker._run_broadcast(deque())

    async def of_stock() -> None:
        await fan_out(amqtt.broker.Broker(stock.config(0)))

    with pytest.raises(RuntimeError, match="changed size during iteration"):
        asyncio.run(of_stock())

    async def of_ours() -> None:
        broker = HardenedBroker(
            {"listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}}, "plugins": {}},
            running.broker._rules,
        )
        await fan_out(broker)
        for name in broker._subscriptions:  # amqtt's own loops over it
            broker._subscriptions[name + "+"] = []

    asyncio.run(of_ours())


@pytest.mark.parametrize("announced", [8 * 1024 + 1, 64 * 1024 + 1, 200_000_000])
def test_9_a_packet_beyond_the_limit_is_not_awaited(kiosks: Pair, running: Running, announced: int) -> None:
    a, _ = kiosks
    topic = text(a.up("answers"))
    with running.client(a) as kiosk:
        kiosk.send(packet(0x30, topic + bytes(100), announced))
        assert kiosk.closed(), announced  # a second is given for its beginning, to be kept
    with Client(running.port) as stranger:
        stranger.send(packet(0x10, text("MQTT") + b"\4\2\0\0", announced))
        assert stranger.closed()
    with running.client(Kiosk(SERVER, SERVER_SECRET)) as server:
        server.send(packet(0x30, text(a.down("set")) + bytes(100), announced))
        too_long = announced > 64 * 1024
        assert server.closed(WAIT_S if too_long else STILL_OPEN_S) == too_long


def test_9_the_stock_broker_waits_for_any_length() -> None:
    with stock_broker() as port, member(port, "big") as big:
        big.send(packet(0x30, text("up/big/x") + bytes(1_000_000), 200_000_000))
        assert not big.closed(STILL_OPEN_S)


def test_9_many_small_fields_are_not_a_way_around_the_limit(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    one = text(a.down("receipt")) + b"\0"
    with running.client(a) as kiosk:
        kiosk.send(packet(0x82, b"\0\1" + one * 300))
        assert kiosk.closed()


@pytest.mark.parametrize("topic", ["hymio/1/up/#", "$SYS/x", ""])
def test_10_a_wrong_topic_ends_the_connection_and_leaves_nothing(
    kiosks: Pair, running: Running, topic: str
) -> None:
    """amqtt leaves it connected, deaf to what it says, and never sends its will."""
    a, _ = kiosks
    with running.server() as server, running.client(a, will=Will(a.up("state"), b"lost")) as kiosk:
        kiosk.publish(topic, b"x")
        assert kiosk.closed()
        assert server.next().payload == b"lost"
    until(lambda: running.broker.connected() == [], "both are gone")
    with stock_broker() as port, member(port, "wrong") as wrong:
        wrong.publish("a/#", b"x")
        assert not wrong.closed(STILL_OPEN_S)


@pytest.mark.parametrize(("send_s", "most"), [(0.2, 1_000), (900.0, 3)], ids=["too slow", "too much"])
def test_11_who_does_not_read_is_closed(
    kiosks: Pair, running: Running, monkeypatch: pytest.MonkeyPatch, send_s: float, most: int
) -> None:
    """amqtt waits for ever until such a client has taken everything, even when it wants to close it."""
    monkeypatch.setattr(streams, "SEND_S", send_s)
    monkeypatch.setattr(connection, "MOST_UNSENT", most)
    a, b = kiosks
    with (
        running.client(a, a.down("set")),
        running.client(b, b.down("set")) as reads,
        running.server() as server,
    ):
        for _ in range(400):  # 24 MB are more than sockets hold
            server.publish(a.down("set"), bytes(60_000))
            if a.id not in running.broker.connected():
                break
        until(lambda: a.id not in running.broker.connected(), "the one that does not read is out")
        server.publish(b.down("set"), b"goes on")
        assert reads.next().payload == b"goes on"


def test_12_connections_that_end_badly_give_their_place_back(
    kiosks: Pair, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """amqtt counts a connection for ever when its first packet raises anything but its own errors."""
    a, _ = kiosks
    monkeypatch.setattr(Rules, "admits", lambda *_: 1 / 0)
    for raw in (
        connect(a.id, a.secret),
        packet(0x10, text("MQTT")),
        packet(0x10, text(b"MQ\xff")),
        b"\x10\xff",
    ):
        with Client(running.port) as client:
            client.send(raw)
    broker = running.broker._broker
    assert broker is not None
    until(lambda: broker._servers["default"].conn_count == 0, "no place is taken", 8.0)
