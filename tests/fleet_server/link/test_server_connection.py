"""The server's own MQTT connection: packets from any pieces, bounded memory, back after whatever a broker does."""

import logging
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleet_server.link import mqtt, packets
from fleet_server.link.mqtt import MqttSource
from tests.fleet_server.link import wire
from tests.fleet_server.link.mosquitto import SERVER_NAME, Mosquitto, program
from tests.fleet_server.link.wire import free_port, until

KIOSK = "abcdefghijkl"
TOPIC = f"hymio/1/up/{KIOSK}/log"
BURST = 20_000
Heard = list[tuple[str, bytes, int]]

needs_mosquitto = pytest.mark.skipif(
    not (program("mosquitto") and program("mosquitto_passwd")), reason="Mosquitto is not installed"
)


@given(some.lists(some.binary(max_size=300)), some.lists(some.integers(1, 400)))
def test_packets_are_the_same_from_whatever_pieces(payloads: list[bytes], pieces: list[int]) -> None:
    stream = b"".join(wire.publish(TOPIC, payload) + b"\xd0\0" for payload in payloads)
    cutter, found = packets.Cutter(), []
    while stream:
        size = pieces.pop() if pieces else len(stream)
        found += list(cutter.feed(stream[:size]))
        stream = stream[size:]
    assert [packet.first for packet in found] == [packets.PUBLISH, packets.PINGRESP] * len(payloads)
    wanted = [(TOPIC, payload, len(payload)) for payload in payloads]
    assert [packets.published(packet) for packet in found[::2]] == wanted


def test_of_a_packet_that_is_too_long_only_the_beginning_is_held() -> None:
    cutter, size = packets.Cutter(), 20_000_000
    stream = wire.publish(TOPIC, b"begins" + bytes(size)) + wire.publish(TOPIC, b"the next")
    found, most = [], 0
    for at in range(0, len(stream), 10_000):
        found += list(cutter.feed(stream[at : at + 10_000]))
        most = max(most, len(cutter._rest))
    (long, after) = [packets.published(packet) for packet in found]
    assert (long[0], long[1][:6], long[2]) == (TOPIC, b"begins", size + 6)
    assert len(long[1]) <= packets.MOST_BYTES
    assert after == (TOPIC, b"the next", 8)
    assert most <= packets.MOST_BYTES + 10_000


def test_what_a_thread_that_died_left_unsent_holds_up_nothing() -> None:
    """Else what is published later would wait behind it for ever: only the first of a burst wakes the loop."""
    source = MqttSource("127.0.0.1", free_port(), "a", "b", lambda *_: None)
    source._unsent.append(b"left")
    source.subscribed.set()
    source.start()
    try:
        assert not source._unsent
        assert not source.subscribed.is_set()
    finally:
        source.stop()


@pytest.mark.parametrize(
    "raw",
    [b"\x30\xff\xff\xff\xff\x01", b"\x30\0", b"\x30\1\0", b"\x30\x04\0\x09ab", b"\x32\x06\0\2ab\0\1",
     b"\x30\x04\0\2\xff\xfe"],
)  # fmt: skip
def test_what_is_not_mqtt_is_said(raw: bytes) -> None:
    with pytest.raises(packets.Broken):
        list(map(packets.published, packets.Cutter().feed(raw)))


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 16_383, 16_384, 70_000])
def test_what_the_server_says_is_mqtt(size: int) -> None:
    assert packets.publish(TOPIC, bytes(size)) == wire.publish(TOPIC, bytes(size))
    secret = "p" * min(size, 65_535)
    assert packets.connect("a", secret, 20) == wire.connect("a", secret, keepalive=20)
    assert packets.subscribe("t/#") == wire.packet(0x82, b"\0\1" + wire.text("t/#") + b"\0")


class Source:
    """A connection to a broker on this port, and what it heard."""

    def __init__(self, port: int, password: str = "right", ca_file: Path | None = None) -> None:
        self.heard: Heard = []
        self.source = MqttSource(
            "127.0.0.1" if ca_file is None else "localhost",
            port,
            SERVER_NAME,
            password,
            lambda *message: self.heard.append(message),
            ca_file,
        )

    def __enter__(self) -> "Source":
        self.source.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()
        assert not self.source.alive
        assert not self.source.subscribed.is_set()

    def is_on(self) -> None:
        assert self.source.subscribed.wait(10), "no connection"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, {SERVER_NAME: "right", KIOSK: "kiosk"})
    broker.start()
    yield broker
    broker.stop()


@needs_mosquitto
def test_a_burst_comes_whole_and_in_order_and_so_does_what_many_threads_send(mosquitto: Mosquitto) -> None:
    down = f"hymio/1/down/{KIOSK}/receipt"
    with Source(mosquitto.port) as server, wire.Client(mosquitto.port) as kiosk:
        server.is_on()
        assert kiosk.hello(KIOSK, "kiosk") == 0
        assert kiosk.subscribe(down) == [0]
        for first in range(0, BURST, 500):  # what Mosquitto queues for a reader is bounded
            kiosk.send(b"".join(wire.publish(TOPIC, b"%d" % n) for n in range(first, first + 500)))
            until(lambda so_far=first + 500: len(server.heard) == so_far, "all are heard")
        assert server.heard == [(TOPIC, b"%d" % n, len(b"%d" % n)) for n in range(BURST)]

        def send(own: int) -> None:
            for number in range(100):
                server.source.publish(down, bytes([own, number]))

        threads = [threading.Thread(target=send, args=(own,)) for own in range(4)]
        for thread in threads:
            thread.start()
        came = [kiosk.next().payload for _ in range(400)]
        assert sorted(came) == [bytes([own, number]) for own in range(4) for number in range(100)]
        assert [one for one in came if one[0] == 2] == [bytes([2, number]) for number in range(100)]


@needs_mosquitto
def test_a_wrong_password_is_said_and_tried_again(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_FIRST_RETRY_S", 0.01)
    with caplog.at_level(logging.WARNING, "hymio.link"), Source(mosquitto.port, "wrong") as server:
        until(lambda: caplog.text.count("it refuses the server (code 5)") > 1, "it is said, twice")
        assert not server.source.subscribed.is_set()
        server.source.publish("hymio/1/down/x/receipt", b"to nobody")


@needs_mosquitto
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_over_tls_only_the_right_broker_is_spoken_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_FIRST_RETRY_S", 0.01)
    ours, others = _certificate(tmp_path, "ours"), _certificate(tmp_path, "others")
    broker = Mosquitto(tmp_path, {SERVER_NAME: "right", KIOSK: "kiosk"}, tls=ours)
    broker.start()
    try:
        with Source(broker.port, ca_file=ours[0]) as server:
            server.is_on()
        with caplog.at_level(logging.WARNING, "hymio.link"), Source(broker.port, ca_file=others[0]) as server:
            until(lambda: "certificate verify failed" in caplog.text, "the stranger is seen")
            assert not server.source.subscribed.is_set()
    finally:
        broker.stop()


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    key.chmod(0o600)
    return certificate, key


@contextmanager
def scripted(*answers: bytes) -> Iterator[tuple[int, Callable[[], int]]]:
    """A broker that gives these answers, one to each thing it is told, and then stays silent; yields its port, and how
    many came to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    visits: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            visits.append(visitor)
            with suppress(ConnectionError):  # it may leave before it has heard all
                for answer in answers:
                    visitor.recv(1024)
                    visitor.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], lambda: len(visits)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for visitor in visits:
            visitor.close()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((b"\x20\2\0\0", b"\x90\3\0\1\0"), "it is silent"),
        ((b"\x20\2\0\0", b"\x90\3\0\1\x80"), "it refuses to let it read hymio/1/up/#"),
        ((b"\x20\2\0\0",), "it does not answer"),
        ((b"HTTP/1.1 400\r\n\r\n",), "it does not answer"),
        ((b"\x20\2\0\0", b"\x90\3\0\1\0\x30\xff\xff\xff\xff\xff"), "a length of more than 4 bytes"),
    ],
)
def test_a_broker_that_fails_is_left_and_tried_again(
    answers: tuple[bytes, ...], said: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "KEEPALIVE_S", 1)
    monkeypatch.setattr(mqtt, "_ANSWER_S", 0.1)
    monkeypatch.setattr(mqtt, "_FIRST_RETRY_S", 0.01)
    with scripted(*answers) as (port, visits), caplog.at_level(logging.WARNING, "hymio.link"):
        with Source(port):
            until(lambda: visits() > 1, "it comes again")
        assert said in caplog.text


def test_what_waits_for_a_broker_that_does_not_read_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "MOST_UNSENT_BYTES", 1_000_000)
    with scripted(b"\x20\2\0\0", b"\x90\3\0\1\0") as (port, _), Source(port) as server:
        server.is_on()
        connection = server.source._connection
        assert connection is not None
        assert connection._transport is not None
        for _ in range(300):
            server.source.publish("hymio/1/down/x/set", bytes(100_000))
            until(lambda: not server.source._unsent, "the loop had its turn")
        assert 0 < connection._transport.get_write_buffer_size() <= 1_000_000


def test_nobody_there_is_said_and_stopping_does_not_wait(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hymio.link"), Source(free_port()):
        until(lambda: "no connection to the broker" in caplog.text, "it is said")
    MqttSource("127.0.0.1", 1, SERVER_NAME, "x", lambda *_: None).stop()  # one that never began
