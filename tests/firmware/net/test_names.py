"""A broker known by its name, on MicroPython: what name servers say is checked, and nobody waits for those that
say nothing."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kiosk import resolver

from tests.evidence import note
from tests.firmware.net.names import (
    NO_SUCH_NAME,
    REFUSED,
    SERVER_FAILURE,
    TYPE_AAAA,
    NameServer,
    address,
    answer,
    by_alias,
    labels,
    record,
)
from tests.firmware.net.test_session import greet

HERE = "tests/firmware/net/test_names.py"
NAME = "mqtt.palaute.example"
OURS, ANOTHERS = "127.0.0.1", "127.0.0.9"  # where the broker is, and where a false answer leads
Said = list[bytes | float]
Ask = Callable[[Callable[[bytes], Said]], NameServer]


class Listener:
    """Counts the connections to an address, and does not answer them."""

    def __init__(self, at: str, port: int) -> None:
        self._socket = socket.create_server((at, port))
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._socket.accept()[0].close()
                self.connections += 1

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Callable[[str, int], Listener]]:
    started = []

    def start(at: str, port: int) -> Listener:
        started.append(Listener(at, port))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def broker_here(fake_broker: Callable[..., Any]) -> Any:
    """Greets whoever comes and then says nothing."""

    def script(connection: socket.socket) -> None:
        greet(connection)
        while connection.recv(4096):
            pass

    return fake_broker(script)


def online(event: dict[str, Any]) -> bool:
    return event.get("status") == "online"


def silent(_query: bytes) -> Said:
    return []


def right(query: bytes) -> bytes:
    return answer(query, [address(OURS)])


def wrong(query: bytes) -> bytes:
    return answer(query, [address(ANOTHERS)])


RIGHT: dict[str, Callable[[bytes], bytes]] = {
    "plain": right,
    "by an alias, compressed": lambda query: by_alias(query, OURS),
    "name written out": lambda query: answer(query, [address(OURS, labels(NAME))]),
    "question in capitals": lambda query: right(query[:12] + query[12:-4].upper() + query[-4:]),
    "others behind it": lambda query: answer(
        query, [record(b"\xc0\x0c", TYPE_AAAA, bytes(16)), address(OURS), *[address(ANOTHERS)] * 20]
    ),
    "authority and additional": lambda query: (
        right(query)[:8]
        + b"\0\1\0\1"
        + right(query)[12:]
        + record(b"\0", 2, labels("ns"))
        + address(ANOTHERS)
    ),
    "first address is dead": lambda query: answer(query, [address("127.0.0.8"), address(OURS)]),
}


@pytest.mark.parametrize("how", RIGHT)
def test_a_broker_is_found_by_its_name(
    how: str, name_server: Ask, broker_here: Any, start_kiosk: Callable[..., Any]
) -> None:
    asked = name_server(lambda query: [RIGHT[how](query)])
    kiosk = start_kiosk(broker_here.port, host=NAME, name_servers=[asked.address])
    kiosk.wait(online)
    ((query, _),) = asked.asked
    assert query[2:] == b"\x01\x00\x00\x01" + bytes(6) + labels(NAME) + b"\0\1\0\1"


def from_elsewhere(query: bytes, port: int) -> None:
    """Says the wrong thing to the kiosk at `port`, from a port of our own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
        forger.bind(("127.0.0.1", 0))
        forger.sendto(wrong(query), ("127.0.0.1", port))


# Each would lead the kiosk to another's host.
FALSE: dict[str, Callable[[bytes], list[bytes]]] = {
    "another number": lambda query: [wrong(bytes([query[0] ^ 1]) + query[1:]), wrong(b"\0\0" + query[2:])],
    "another name": lambda query: [wrong(query[:13] + b"x" + query[14:])],
    "another type": lambda query: [wrong(query[:-3] + b"\x1c" + query[-2:])],
    "no question": lambda query: [
        query[:2] + b"\x81\x80\0\0\0\1" + bytes(4) + address(ANOTHERS, labels(NAME))
    ],
    "two questions": lambda query: [wrong(query)[:5] + b"\2" + wrong(query)[6:]],
    "a question itself": lambda query: [answer(query, [address(ANOTHERS)], flags=0x0100)],
    "another kind of answer": lambda query: [answer(query, [address(ANOTHERS)], flags=0xA980)],
    "truncated": lambda query: [answer(query, [address(ANOTHERS)], flags=0x8380)],
    "cut short": lambda query: [wrong(query)[:-1], wrong(query)[:-9], wrong(query)[:14], b"", b"\0"],
    "more promised than there is": lambda query: [wrong(query)[:7] + b"\2" + wrong(query)[8:]],
    "a label of an unknown kind": lambda query: [answer(query, [address(ANOTHERS, b"\x41a\0")])],
    "garbage": lambda query: [
        query[:2] + b"\x81\x80\0\1\xff\xff" + random.Random(seed).randbytes(seed) for seed in range(300)
    ],
}


@pytest.mark.parametrize("how", [*FALSE, "from elsewhere"])
def test_a_false_answer_is_passed_over_and_the_true_one_still_counts(
    how: str,
    name_server: Ask,
    broker_here: Any,
    listener: Callable[[str, int], Listener],
    start_kiosk: Callable[..., Any],
) -> None:
    anothers = listener(ANOTHERS, broker_here.port)

    def script(query: bytes) -> Said:
        if how == "from elsewhere":
            from_elsewhere(query, asked.asked[-1][1])
            return [0.1, right(query)]
        return [*FALSE[how](query), 0.1, right(query)]

    asked = name_server(script)
    start_kiosk(broker_here.port, host=NAME, name_servers=[asked.address]).wait(online)
    assert anothers.connections == 0
    note(
        "false, broken or forged answer of a name server",
        1,
        "ways",
        f"{HERE}::test_a_false_answer_is_passed_over_and_the_true_one_still_counts",
        "the true answer counted, the false address was not dialled",
    )


@pytest.mark.parametrize("code", [NO_SUCH_NAME, 0])
def test_a_name_without_an_address_is_said_so_at_once_and_costs_no_descriptor(
    code: int, name_server: Ask, start_kiosk: Callable[..., Any]
) -> None:
    asked = name_server(lambda query: [answer(query, [], code)])
    kiosk = start_kiosk(1, host=NAME, name_servers=[asked.address] * 2, run=False)
    kiosk.send(fail=1)
    reason = kiosk.wait(lambda event: "failed" in event)["reason"]
    assert f"host '{NAME}' has no address, says name server 127.0.0.1" in reason
    assert len(asked.asked) == 1
    before = kiosk.tell()
    kiosk.send(fail=60)
    kiosk.wait(lambda event: "failed" in event)
    after = kiosk.tell()
    assert after["fds"] == before["fds"]
    # The collector takes stale words on the stack for pointers: a few KiB more prove nothing, 60 times something would.
    assert after["heap"] < before["heap"] + 8_000
    assert len({query[:2] for query, _ in asked.asked}) > 50, "numbers by chance"
    assert len({port for _, port in asked.asked}) > 50, "ports by chance"


@pytest.mark.parametrize("first", ["silent", "nobody there", "fails", "refuses"])
def test_the_next_name_server_is_asked(
    first: str, name_server: Ask, broker_here: Any, start_kiosk: Callable[..., Any]
) -> None:
    code = {"fails": SERVER_FAILURE, "refuses": REFUSED}.get(first, 0)
    one = name_server(lambda query: [answer(query, [], code)] if code else [])
    if first == "nobody there":
        one.close()
    other = name_server(lambda query: [right(query)])
    kiosk = start_kiosk(broker_here.port, host=NAME, name_servers=[one.address, other.address])
    kiosk.wait(online)
    assert len(other.asked) == 1
    assert len(one.asked) == (first != "nobody there")


@pytest.mark.slow
def test_a_press_does_not_wait_for_a_name_server_that_says_nothing(
    name_server: Ask, start_kiosk: Callable[..., Any]
) -> None:
    """`getaddrinfo` held up the loop, and with it the thank-you, until it gave the name server up."""
    asked = name_server(silent)
    kiosk = start_kiosk(1, host=NAME, name_servers=[asked.address])
    presses = 0
    deadline = time.monotonic() + 30
    while not any("cannot be looked up" in event.get("log", "") for event in kiosk.events):
        assert time.monotonic() < deadline
        kiosk.send(press=1)
        presses += 1
        kiosk.tell()
        time.sleep(0.05)
    said = next(event["log"] for event in kiosk.events if "looked up" in event.get("log", ""))
    assert f"host '{NAME}' cannot be looked up: name server 127.0.0.1 does not answer" in said
    assert kiosk.tell()["waiting"] == presses
    assert len({query[2:] for query, _ in asked.asked[:3]}) == 1
    stalls = [event["stall_us"] for event in kiosk.events if "stall_us" in event]
    assert max(stalls) < 50_000, stalls
    note(
        "name server that says nothing",
        presses,
        "presses",
        f"{HERE}::test_a_press_does_not_wait_for_a_name_server_that_says_nothing",
        f"the loop was held up for {max(stalls) / 1000:.1f} ms at most",
    )


def test_a_look_up_that_is_broken_off_gives_its_descriptor_back(
    name_server: Ask, start_kiosk: Callable[..., Any]
) -> None:
    asked = name_server(silent)
    kiosk = start_kiosk(1, host=NAME, name_servers=[asked.address])
    deadline = time.monotonic() + 10
    while not asked.asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    during = kiosk.tell()["fds"]
    kiosk.send(net=False)
    kiosk.wait(lambda event: "interface down" in event.get("log", ""))
    assert kiosk.tell()["fds"] == during - 1


def test_without_a_name_server_the_last_address_goes_on(
    name_server: Ask, listener: Callable[[str, int], Listener], start_kiosk: Callable[..., Any]
) -> None:
    broker = listener(OURS, 0)
    port = broker._socket.getsockname()[1]
    asked = name_server(lambda query: [right(query)])
    kiosk = start_kiosk(port, host=NAME, name_servers=[asked.address], run=False)
    fail(kiosk, 3)
    assert (broker.connections, len(asked.asked)) == (3, 1), "looked up once"
    broker.close()
    asked.close()
    fail(kiosk, 5)  # before the fifth the name is looked up again, in vain
    back = listener(OURS, port)
    fail(kiosk, 1)
    assert back.connections == 1


def test_a_broker_that_has_moved_is_found_after_four_failures(
    name_server: Ask, listener: Callable[[str, int], Listener], start_kiosk: Callable[..., Any]
) -> None:
    broker = listener(OURS, 0)
    port = broker._socket.getsockname()[1]
    asked = name_server(lambda query: [right(query)])
    kiosk = start_kiosk(port, host=NAME, name_servers=[asked.address], run=False)
    fail(kiosk, 1)
    broker.close()
    asked.script = lambda query: [wrong(query)]
    moved = listener(ANOTHERS, port)
    fail(kiosk, 5)
    assert moved.connections == 1
    assert len(asked.asked) == 2


def fail(kiosk: Any, times: int) -> None:
    kiosk.send(fail=times)
    kiosk.wait(lambda event: event.get("failed") == times, 20)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_localhost_and_addresses_ask_nobody(
    host: str, broker_here: Any, start_kiosk: Callable[..., Any]
) -> None:
    start_kiosk(broker_here.port, host=host).wait(online)


def test_a_network_without_a_name_server_is_named_as_such(start_kiosk: Callable[..., Any]) -> None:
    kiosk = start_kiosk(1, host=NAME)
    kiosk.wait(lambda event: "the network has named no name server" in event.get("log", ""))


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64 + ".example"])
def test_what_cannot_be_a_name_is_not_asked_for(host: str) -> None:
    with pytest.raises(ValueError, match="a part of a name has 1 to 63 characters"):
        resolver.build(host)


def test_a_name_may_end_with_its_dot() -> None:
    assert resolver.build("a.example.") == resolver.build("a.example")


def test_pointers_are_never_followed_so_that_none_can_lead_in_a_circle() -> None:
    query = b"ab" + resolver.build(NAME)
    for target in (0, 12, len(query), len(query) + 2, 0x3FFF):
        owner = struct.pack("!H", 0xC000 | target)
        assert resolver.read(answer(query, [address(OURS, owner)]), query) == (0, [OURS])
