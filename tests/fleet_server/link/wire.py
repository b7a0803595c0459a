"""A bare MQTT 3.1.1 client on a blocking socket: sends any bytes, right or wrong, and sees exactly what comes back."""

import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

import pytest

WAIT_S = 5.0
REFUSED = 5  # CONNACK: not authorised


class Packet(NamedTuple):
    """One packet: its first byte and what follows the length."""

    first: int
    body: bytes

    @property
    def topic(self) -> str:
        """Topic of a PUBLISH."""
        return self.body[2 : 2 + int.from_bytes(self.body[:2], "big")].decode()

    @property
    def payload(self) -> bytes:
        """Payload of a PUBLISH at QoS 0."""
        return self.body[2 + int.from_bytes(self.body[:2], "big") :]


class Will(NamedTuple):
    """What the broker is to say for a client that is gone."""

    topic: str
    payload: bytes
    retain: bool = False


def text(value: str | bytes) -> bytes:
    """A string as MQTT writes it."""
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes, announced: int | None = None) -> bytes:
    """A packet; `announced`: another length than that of the body."""
    size = len(body) if announced is None else announced
    length = b""
    while True:
        size, digit = size >> 7, size & 0x7F
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def connect(
    client_id: str,
    secret: str,
    *,
    user: str | None = None,
    will: Will | None = None,
    keepalive: int = 30,
    clean: bool = True,
) -> bytes:
    """A CONNECT; the user name is the client id unless another is given."""
    flags = 0xC0 | (0x02 if clean else 0)
    body = text(client_id)
    if will is not None:
        flags |= 0x04 | (0x20 if will.retain else 0)
        body += text(will.topic) + text(will.payload)
    body += text(user or client_id) + text(secret)
    return packet(0x10, text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big") + body)


def publish(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """A PUBLISH at QoS 0."""
    return packet(0x31 if retain else 0x30, text(topic) + payload)


class Client:
    """One connection. Everything that waits has a deadline."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self._read = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, raw: bytes) -> None:
        """Send these bytes as they are."""
        self._socket.sendall(raw)

    def hello(self, client_id: str, secret: str, **options: Any) -> int:
        """CONNECT; returns the code of the CONNACK."""
        self.send(connect(client_id, secret, **options))
        answer = self.next()
        assert answer.first == 0x20
        return answer.body[1]

    def subscribe(self, *filters: str, qos: int = 0) -> list[int]:
        """SUBSCRIBE; returns the codes of the SUBACK (0x80: refused)."""
        self.send(packet(0x82, b"\0\1" + b"".join(text(one) + bytes([qos]) for one in filters)))
        answer = self.next()
        assert answer.first == 0x90
        return list(answer.body[2:])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """PUBLISH at QoS 0."""
        self.send(publish(topic, payload, retain=retain))

    def next(self, within_s: float = WAIT_S) -> Packet:
        """The next packet. Raises EOFError when the other end has closed, TimeoutError when nothing comes."""
        deadline = time.monotonic() + within_s
        while True:
            whole = self._take()
            if whole is not None:
                return whole
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no packet")
            self._socket.settimeout(left)
            try:
                piece = self._socket.recv(65_536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise EOFError("closed by the other end")
            self._read += piece

    def ping(self) -> list[Packet]:
        """PINGREQ; returns what came before the PINGRESP."""
        self.send(packet(0xC0, b""))
        before = []
        while (one := self.next()).first != 0xD0:
            before.append(one)
        return before

    def closed(self, within_s: float = WAIT_S) -> bool:
        """Whether the other end closes within that time (packets until then are thrown away)."""
        deadline = time.monotonic() + within_s
        try:
            while True:
                self.next(max(deadline - time.monotonic(), 0.001))
        except EOFError:
            return True
        except TimeoutError:
            return False

    def vanish(self) -> None:
        """End without DISCONNECT."""
        self._socket.close()

    def _take(self) -> Packet | None:
        size, at = 0, 1
        while at < len(self._read):
            size |= (self._read[at] & 0x7F) << (7 * (at - 1))
            at += 1
            if not self._read[at - 1] & 0x80:
                if len(self._read) < at + size:
                    return None
                whole = Packet(self._read[0], self._read[at : at + size])
                self._read = self._read[at + size :]
                return whole
        return None


def until(true: Callable[[], Any], what: str, within_s: float = WAIT_S) -> Any:
    """Poll until `true()` is truthy and return it; fail with `what` otherwise."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.01)
    pytest.fail(f"not within {within_s} s: {what}")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
