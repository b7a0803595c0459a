"""MQTT 3.1.1 packets as the server's own connection needs them: QoS 0, clean session. It knows no socket.

Invariant: what is held of a stream is bounded, whatever the other end sends: of a packet that is too long the
beginning is kept and its length, the rest is skipped as it comes.
"""

from collections.abc import Iterator
from typing import NamedTuple

MOST_BYTES = 64 * 1024  # of one packet

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x82, 0x90
PINGREQ, PINGRESP, DISCONNECT = b"\xc0\x00", 0xD0, b"\xe0\x00"
_CLEAN_SESSION_WITH_NAME_AND_PASSWORD = 0xC2
_MOST_LENGTH_BYTES = 4


class Packet(NamedTuple):
    """Its first byte, what follows the length, and how much that was before it was cut to MOST_BYTES."""

    first: int
    body: bytes
    size: int


class Broken(ValueError):
    """What came is not MQTT."""


class Cutter:
    """Cuts a stream into packets."""

    def __init__(self) -> None:
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are complete with `data`. Raises Broken when it cannot be followed any more."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while at + 1 < end:
            size, start = data[at + 1], at + 2
            if size & 0x80:
                size, start = _long(data, at + 1)
                if not start:
                    break
            stop = start + size
            if stop > end:
                if end - start < MOST_BYTES:
                    break
                self._skip = stop - end
            yield Packet(data[at], data[start : min(stop, start + MOST_BYTES)], size)
            at = stop
        self._rest = data[at:]


def _long(data: bytes, at: int) -> tuple[int, int]:
    """A length of several bytes, and where what it counts begins: 0 while it is not all there."""
    size = 0
    for place, byte in enumerate(data[at : at + _MOST_LENGTH_BYTES]):
        size |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return size, at + place + 1
    if len(data) - at >= _MOST_LENGTH_BYTES:
        raise Broken("a length of more than 4 bytes")
    return 0, 0


def published(packet: Packet) -> tuple[str, bytes, int]:
    """(topic, payload, its real size) of a PUBLISH at QoS 0. Raises Broken."""
    body = packet.body
    end = 2 + int.from_bytes(body[:2], "big")
    if packet.first & 0x06 or end > len(body) or len(body) < 2:
        raise Broken(f"a PUBLISH that was not asked for: {body[:60]!r}")
    try:
        return body[2:end].decode(), body[end:], packet.size - end
    except UnicodeDecodeError:
        raise Broken(f"a topic that is not UTF-8: {body[2:end][:60]!r}") from None


def connect(client_id: str, password: str, keepalive_s: int) -> bytes:
    """CONNECT; the user name is the client id."""
    head = _text("MQTT") + bytes([4, _CLEAN_SESSION_WITH_NAME_AND_PASSWORD]) + keepalive_s.to_bytes(2, "big")
    return _packet(CONNECT, head + _text(client_id) + _text(client_id) + _text(password))


def subscribe(topic_filter: str) -> bytes:
    """SUBSCRIBE to one filter at QoS 0."""
    return _packet(SUBSCRIBE, b"\0\1" + _text(topic_filter) + b"\0")


def publish(topic: str, payload: bytes) -> bytes:
    """PUBLISH at QoS 0, not retained."""
    return _packet(PUBLISH, _text(topic) + payload)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def _packet(first: int, body: bytes) -> bytes:
    size, length = len(body), b""
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([first]) + length + bytes([size]) + body
