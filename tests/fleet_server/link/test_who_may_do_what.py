"""Who may connect, write and read at the embedded broker, judged by what is delivered, not by what is answered."""

import logging

import pytest

from fleet_server.db import Database
from fleet_server.devices import credentials
from fleet_server.link.rules import DOWN, SERVER, UP, Rules
from tests.conftest import MONDAY_10
from tests.fleet_server.link.conftest import SERVER_SECRET, Kiosk, Running
from tests.fleet_server.link.wire import REFUSED, Client, Will, connect, publish, until

Pair = tuple[Kiosk, Kiosk]
SAYS_NO = [0x80]


def test_a_kiosk_writes_and_reads_its_own_topics(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    with running.server() as server, running.client(a, *(a.down(name) for name in DOWN)) as kiosk:
        for name in UP:
            kiosk.publish(a.up(name), name.encode())
            assert server.next() == (0x30, _body(a.up(name), name))
        for name in DOWN:
            server.publish(a.down(name), name.encode())
            assert kiosk.next() == (0x30, _body(a.down(name), name))


def _body(topic: str, payload: str) -> bytes:
    return len(topic).to_bytes(2, "big") + topic.encode() + payload.encode()


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize(
    "topic",
    [
        "hymio/1/up/{b}/answers",
        "hymio/1/down/{b}/desired",
        "hymio/1/down/{a}/desired",
        "hymio/1/up/{a}/answers/more",
        "hymio/1/up/{a}/other",
        "hymio/1/up/{a}",
        "hymio/1/up/",
        "hymio/2/up/{a}/answers",
        "HYMIO/1/up/{a}/answers",
        "/hymio/1/up/{a}/answers",
    ],
)
def test_what_a_kiosk_writes_elsewhere_reaches_nobody(
    kiosks: Pair, running: Running, topic: str, retain: bool
) -> None:
    a, b = kiosks
    both = [kiosk.down(name) for kiosk in kiosks for name in DOWN]
    with (
        running.server() as server,
        running.client(a, *both[:3]) as kiosk,
        running.client(b, *both[3:]) as other,
    ):
        kiosk.publish(topic.format(a=a.id, b=b.id), b"not allowed", retain=retain)
        kiosk.publish(a.up("state"), b"allowed")  # comes after it on the same way
        assert server.next().payload == b"allowed"
        for target in kiosks:
            server.publish(target.down("receipt"), b"ends the wait")
        assert [kiosk.next().payload, other.next().payload] == [b"ends the wait"] * 2
        with running.server() as late:
            assert late.ping() == []


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+/+/+/+/+",
        "hymio/1/down/#",
        "hymio/1/down/+/desired",
        "hymio/1/down/{a}/#",
        "hymio/1/down/{b}/desired",
        "hymio/1/up/#",
        "hymio/1/up/{a}/answers",
        "hymio/1/up/{b}/state",
        "$SYS/#",
    ],
)
def test_what_a_kiosk_may_not_read_does_not_come(kiosks: Pair, running: Running, topic_filter: str) -> None:
    a, b = kiosks
    with running.server() as server, running.client(a) as spy, running.client(b, b.down("desired")) as other:
        assert spy.subscribe(topic_filter.format(a=a.id, b=b.id)) == SAYS_NO
        assert spy.subscribe(a.down("receipt")) == [0]
        other.publish(b.up("state"), b"secret")
        assert server.next().payload == b"secret"
        server.publish(b.down("desired"), b"secret")
        assert other.next().payload == b"secret"
        server.publish(a.down("desired"), b"not subscribed to")
        server.publish(a.down("receipt"), b"mine")
        assert spy.next().payload == b"mine"


def test_the_server_reads_all_of_up_and_writes_only_down(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    with running.server() as server, running.client(Kiosk(SERVER, SERVER_SECRET)) as again:
        assert server.closed()  # one server at a time, as one kiosk of a name
        assert again.subscribe("#", "hymio/1/down/#") == SAYS_NO * 2
        assert again.subscribe("hymio/1/up/#") == [0]
        again.publish(a.up("answers"), b"an answer of its own making")
        with running.client(a) as kiosk:
            kiosk.publish(a.up("state"), b"from the kiosk")
            assert again.next().payload == b"from the kiosk"


def test_a_will_may_be_kept_for_nobody(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    with running.server() as server:
        running.client(a, will=Will(a.up("state"), b"lost", retain=True)).vanish()
        assert server.next().payload == b"lost"
    with running.server() as later:
        assert later.ping() == []


def test_after_a_farewell_there_is_no_will(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    with running.server() as server:
        with running.client(a, will=Will(a.up("state"), b"lost")) as kiosk:
            kiosk.send(b"\xe0\x00")
            assert kiosk.closed()
        with running.client(a) as kiosk:
            kiosk.publish(a.up("state"), b"back")
            assert server.next().payload == b"back"


def test_last_words_are_handed_on(kiosks: Pair, running: Running) -> None:
    a, _ = kiosks
    will = Will(a.up("state"), b"lost")
    last = [f"{number}".encode() for number in range(100)]
    with running.server() as server:
        for farewell, after in ((b"\xe0\x00", []), (b"", [b"lost"])):
            with running.client(a, will=will) as kiosk:
                kiosk.send(b"".join(publish(a.up("state"), one) for one in last) + farewell)
            assert [server.next().payload for _ in [*last, *after]] == last + after
        everything = connect(a.id, a.secret, will=will) + publish(a.up("state"), b"at once") + b"\xe0\x00"
        for _ in range(20):
            with Client(running.port) as kiosk:
                kiosk.send(everything)
                assert kiosk.closed()
            assert server.next().payload == b"at once"
        for _ in range(20):
            with Client(running.port) as kiosk:
                kiosk.send(connect(a.id, a.secret, will=will) + b"\xe0\x00")
                assert kiosk.closed()
        with running.client(a) as kiosk:
            kiosk.publish(a.up("state"), b"no will before this")
            assert server.next().payload == b"no will before this"


def test_the_wrong_are_refused_and_closed(kiosks: Pair, running: Running) -> None:
    a, b = kiosks
    attempts = [
        (a.id, {"secret": b.secret}),
        (a.id, {"secret": ""}),
        (a.id, {"secret": a.secret.upper()}),
        ("unknown00000", {"secret": a.secret}),
        (a.id, {"secret": b.secret, "user": b.id}),
        (b.id, {"secret": a.secret, "user": a.id}),
        (a.id + "x", {"secret": a.secret}),
        (SERVER, {"secret": a.secret}),
        (a.id, {"secret": SERVER_SECRET, "user": SERVER}),
        ("' OR 1=1 --", {"secret": "x"}),
        ("ä" * 12, {"secret": "ö"}),
    ]
    with running.server() as server:
        for client_id, options in attempts:
            with Client(running.port) as client:
                assert client.hello(client_id, **options) == REFUSED, (client_id, options)
                assert client.closed()
        assert server.ping() == []  # the server's own connection was never touched
        assert running.broker.connected() == [SERVER]


def test_a_revoked_kiosk_does_not_come_back(kiosks: Pair, database: Database, running: Running) -> None:
    a, _ = kiosks
    with running.client(a):
        assert running.broker.connected() == [a.id]
    with database.write() as session:
        credentials.revoke(session, a.id, now=MONDAY_10)
    with Client(running.port) as client:
        assert client.hello(a.id, a.secret) == REFUSED
    until(lambda: running.broker.connected() == [], "nobody is connected")


def test_refusals_are_said_once_a_minute_for_each_reason(
    kiosks: Pair, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    a, _ = kiosks
    seconds = [0.0]
    rules = Rules(database, SERVER_SECRET, monotonic=lambda: seconds[0])

    def said() -> int:
        caplog.clear()
        with caplog.at_level(logging.WARNING, "hymio.link"):
            for number in range(50):
                assert not rules.admits(a.id, a.id, f"guess {number}", "10.0.0.1")
                assert not rules.admits(f"id{number}", "other", "x", "10.0.0.1")
                assert not rules.admits(f"made-up-{number}", f"made-up-{number}", "x", "10.0.0.1")
                assert not rules.may_write(a.id, f"elsewhere/{number}")
                assert not rules.may_read(a.id, f"elsewhere/{number}")
        assert a.secret not in caplog.text
        assert "guess" not in caplog.text
        return len(caplog.records)

    assert said() == 5  # wrong secret, other client id, no id; may not write, may not read
    seconds[0] = 59.9
    assert said() == 0
    seconds[0] = 60.1
    assert said() == 5
