"""What the embedded broker reads from: a stream with a limit on packets and on silence, which amqtt has not.

Once a limit is passed the stream is at its end for good, so that the broker closes and sends the will.
"""

import asyncio

from amqtt.adapters import StreamReaderAdapter
from amqtt.errors import NoDataError

FIRST_PACKET_S = 5.0  # a TCP connection that says nothing is nobody
DEVICE_PACKET_BYTES = 8 * 1024  # a batch has at most 4 096 bytes, a report far less
SERVER_PACKET_BYTES = 64 * 1024  # question sets of 16 KiB go down
UNASKED_KEEPALIVE_S = 300  # for a client that wants none: MQTT lets a server close whom it likes
_CONNECT_BYTES = 1024  # of each field: id, secret, will are short


class LimitedReader(StreamReaderAdapter):
    """Reads with limits: those of a stranger until `admit`."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._most_bytes = _CONNECT_BYTES
        self._silence_s = FIRST_PACKET_S
        self._over = False

    def admit(self, most_bytes: int, keepalive_s: int) -> None:
        """The client is known: its packets may be longer, and it may be silent for 1.5 keep-alives (MQTT 3.1.2.10)."""
        self._most_bytes = most_bytes
        self._silence_s = 1.5 * (keepalive_s or UNASKED_KEEPALIVE_S)

    async def read(self, n: int = -1) -> bytes:
        """Exactly `n` bytes. Raises NoDataError at the end, beyond the packet limit and after too long a silence."""
        if self._over or n > self._most_bytes:
            self._over = True
            raise NoDataError("beyond the limit")
        try:
            return await asyncio.wait_for(super().read(n), self._silence_s)
        except TimeoutError:
            self._over = True
            raise NoDataError("silent for too long") from None
