"""What the embedded broker reads from and writes to: streams with limits, which amqtt has not.

Packets come in whole or not at all: no longer than allowed, of a kind that a client may send, within the allowed
silence. Once a limit is passed the stream is at its end for good, so that the broker closes and sends the will. Of a
message that was too long the beginning is left in `too_long`.
"""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.errors import NoDataError

FIRST_PACKET_S = 5.0  # a TCP connection that says nothing is nobody
CONNECT_BYTES = 1024  # id, name, secret and will of a kiosk are a fifth of it
DEVICE_PACKET_BYTES = 8 * 1024  # a batch has at most 4 096 bytes, a report far less
SERVER_PACKET_BYTES = 64 * 1024  # question sets of 16 KiB go down
UNASKED_KEEPALIVE_S = 300  # for a client that wants none: MQTT lets a server close whom it likes
SEND_S = 10.0  # for a client that does not read
CLOSE_S = 1.0
BEGINNING_S = 1.0  # for what is kept of a message that is too long

_CONNECT, _PUBLISH = 0x10, 0x30
# First bytes that a client may send after CONNECT (MQTT 3.1.1, 2.2): PUBLISH at QoS 0, SUBSCRIBE, UNSUBSCRIBE,
# PINGREQ, DISCONNECT. Higher QoS is outside our contract, and amqtt would queue it without bound.
_FIRST_BYTES = frozenset((0x30, 0x31, 0x82, 0xA2, 0xC0, 0xE0))
_MOST_LENGTH_BYTES = 4


class TooLong(NamedTuple):
    """What was read of a PUBLISH that was too long, from its topic on, and how much it would have been."""

    beginning: bytes
    size: int


class LimitedReader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """Fetches whole packets, with the limits of a stranger until `admit`."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._allowed: frozenset[int] = frozenset((_CONNECT,))
        self._most_bytes = CONNECT_BYTES
        self._silence_s = FIRST_PACKET_S
        self._packet: bytes = b""
        self._at = 0
        self._over = False
        self.too_long: TooLong | None = None

    def admit(self, most_bytes: int, keepalive_s: int) -> None:
        """The client is known: its packets may be longer, and it may be silent for 1.5 keep-alives (MQTT 3.1.2.10)."""
        self._allowed = _FIRST_BYTES
        self._most_bytes = most_bytes
        self._silence_s = 1.5 * (keepalive_s or UNASKED_KEEPALIVE_S)

    async def read(self, n: int = -1) -> bytes:
        """Exactly `n` bytes of the present packet, or of the next one when that is used up.

        Raises NoDataError at the end, beyond a limit, and when fields reach beyond their packet.
        """
        if not self._over and self.used_up:
            await self._fetch()
        end = self._at + n
        if self._over or n < 0 or end > len(self._packet):
            self._over = True
            raise NoDataError("no more packets from this client")
        piece = self._packet[self._at : end]
        self._at = end
        return piece

    @property
    def used_up(self) -> bool:
        """Whether the present packet was read to its last byte."""
        return self._at == len(self._packet)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._silence_s):
                packet = await self._next_packet()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            packet = b""
        self._packet, self._at = packet, 0
        self._over = not packet

    async def _next_packet(self) -> bytes:
        """The next packet; empty when it is not to be read."""
        head: bytes = await self._reader.readexactly(2)
        if head[0] not in self._allowed:
            return b""
        while head[-1] & 0x80:
            if len(head) > _MOST_LENGTH_BYTES:
                return b""
            head += await self._reader.readexactly(1)
        size = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(head[1:]))
        if size > self._most_bytes:
            if head[0] & 0xF0 == _PUBLISH:
                self.too_long = TooLong(await self._beginning(), size)
            return b""
        body: bytes = await self._reader.readexactly(size)
        return head + body

    async def _beginning(self) -> bytes:
        """As much of a packet as is allowed, and comes within a second."""
        read = b""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(BEGINNING_S):
                while len(read) < self._most_bytes:
                    piece = await self._reader.read(self._most_bytes - len(read))
                    if not piece:
                        break
                    read += piece
        return read


class LimitedWriter(StreamWriterAdapter):  # type: ignore[misc]
    """Writes and closes within a time: amqtt waits for ever for a client that does not read, even to close it."""

    async def drain(self) -> None:
        """Raises ConnectionResetError when the client has taken nothing for too long."""
        try:
            async with asyncio.timeout(SEND_S):
                await super().drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise ConnectionResetError("the client does not read") from None

    async def close(self) -> None:
        """Close; what cannot be sent within a second is given up. Never raises."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await super().close()
        except (TimeoutError, OSError):
            self._writer.transport.abort()
