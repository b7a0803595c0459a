"""Whatever bytes come, the embedded broker lives, closes, and does not grow."""

import os
import random
import threading

import psutil

from fleet_server.link import connection, streams
from tests.fleet_server.link.conftest import Kiosk, Running
from tests.fleet_server.link.wire import Client, connect, packet, publish, text, until

ROUNDS = 300
MOST_GROWTH_BYTES = 8_000_000  # the allocator's own breathing; 300 unlimited packets would take far more
POOL = 4 + (os.cpu_count() or 1)  # threads that asyncio makes when they are needed
Pair = tuple[Kiosk, Kiosk]


def _damaged(chance: random.Random, raw: bytes) -> bytes:
    """Cut, flipped, or with bytes thrown in."""
    what = chance.randrange(3)
    if what == 0:
        return raw[: chance.randrange(1, len(raw))]
    if what == 1:
        flipped = bytearray(raw)
        for _ in range(chance.randrange(1, 4)):
            flipped[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    at = chance.randrange(len(raw))
    return raw[:at] + chance.randbytes(chance.randrange(1, 40)) + raw[at:]


def _first_words(chance: random.Random, kiosk: Kiosk) -> bytes:
    return chance.choice(
        [
            _damaged(chance, connect(kiosk.id, kiosk.secret)),
            chance.randbytes(chance.randrange(1, 400)),
            packet(chance.randrange(256), chance.randbytes(chance.randrange(60))),
            packet(0x10, text("MQTT") + chance.randbytes(40), chance.randrange(1 << 21)),
            b"GET / HTTP/1.1\r\nHost: kiosk\r\n\r\n",
            b"\x16\x03\x01" + chance.randbytes(200),
        ]
    )


def _later_words(chance: random.Random, kiosk: Kiosk) -> bytes:
    return chance.choice(
        [
            _damaged(chance, publish(kiosk.up("report"), b"{}")),
            _damaged(chance, packet(0x82, b"\0\1" + text(kiosk.down("receipt")) + b"\0")),
            packet(chance.randrange(256), chance.randbytes(chance.randrange(60))),
            packet(0x82, b"\0\1" + text(b"\xff\xfe#" * 50) + bytes([chance.randrange(256)])),
            packet(0x30 | chance.randrange(16), text(chance.randbytes(20)) + b"x"),
            packet(0x30, b"\xff\xff" + b"x"),
            packet(0x82, b""),
            packet(0xA2, b"\0\1" + text("#")),
            connect(kiosk.id, kiosk.secret),
            b"\x30\xff\xff\xff\xff\xff",
        ]
    )


def test_garbage_is_closed_and_leaves_nothing_behind(kiosks: Pair, running: Running, monkeypatch) -> None:
    for module in (streams, connection):
        monkeypatch.setattr(module, "FIRST_PACKET_S", 0.5)
    a, b = kiosks
    chance = random.Random(20260302)
    process = psutil.Process()
    with running.server() as server:
        for number in range(ROUNDS):
            if number == ROUNDS // 3:
                before = (process.memory_info().rss, threading.active_count())
            known = number % 2 == 0
            client = running.client(a) if known else Client(running.port)
            with client:
                try:
                    client.send(_later_words(chance, a) if known else _first_words(chance, a))
                    if number % 10 == 1:
                        assert client.closed(2.0), number
                except (BrokenPipeError, ConnectionResetError):
                    assert number % 10 == 1
        with running.client(b, b.down("receipt")) as other:
            other.publish(b.up("state"), b"all well")
            until(lambda: server.next().payload == b"all well", "the broker lives")
            server.publish(b.down("receipt"), b"there, too")
            assert other.next().payload == b"there, too"
    inner = running.broker._broker
    assert inner is not None
    until(lambda: inner._servers["default"].conn_count == 0, "all connections have ended")
    assert inner._sessions == {}
    assert inner._subscriptions == {}
    assert process.memory_info().rss - before[0] < MOST_GROWTH_BYTES
    assert threading.active_count() - before[1] <= POOL


def test_of_known_garbage_each_kind_ends_the_connection(kiosks: Pair, running: Running) -> None:
    """MQTT 3.1.1, 4.8: a client or server that meets a protocol violation must close."""
    a, _ = kiosks
    for raw in (
        b"\x00\x00",
        b"\xf0\x00",
        packet(0x36, text(a.up("state")) + b"\0\1x"),  # QoS 3
        packet(0x80, b"\0\1" + text("a") + b"\0"),  # SUBSCRIBE with wrong flags
        packet(0x20, b"\0\0"),  # what only a server says
        connect(a.id, a.secret),  # a second one
        packet(0x82, b"\0\1\0\x40a"),  # a filter longer than its packet
        packet(0x30, b"\0"),
        b"\x30\xff\xff\xff\xff\x01",
        packet(0xC0, publish(a.up("state"), b"a packet in a packet")),
    ):
        with running.client(a) as client:
            client.send(raw)
            assert client.closed(), raw
