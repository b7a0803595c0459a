"""The server's own MQTT connection: hands on what kiosks publish, publishes what goes to them. QoS 0, clean session.

Works with any MQTT 3.1.1 broker; the embedded one is only the nearest. A thread with a loop of its own reads a burst
of messages at once and sends the receipts of a transaction at once: message by message, each would wait for the
interpreter's lock beside the busy collector (docs/decisions/0005-embedded-broker.md).
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fleet_server.link import packets

log = logging.getLogger("hymio.link")

KEEPALIVE_S = 20
MOST_UNSENT_BYTES = 8 * 1024 * 1024  # to a broker that does not read; beyond it kiosks ask again
_ANSWER_S = 10.0  # for the broker to let us in
_CLOSE_S = 1.0
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0
_TOPIC = "hymio/1/up/#"
_REFUSED = 0x80  # in a SUBACK

Receive = Callable[[str, bytes, int], None]


class MqttSource:
    """Connects in the background and for ever. `receive(topic, payload, size)` is called in its thread; `payload` is
    only the beginning when the message was far too long, `size` says how long it was.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        password: str,
        receive: Receive,
        ca_file: Path | None = None,
    ) -> None:
        self._address = (host, port)
        self._hello = packets.connect(username, password, KEEPALIVE_S)
        self._tls = ssl.create_default_context(cafile=str(ca_file)) if ca_file is not None else None
        self._receive = receive
        self._lock = threading.Lock()
        self._unsent: list[bytes] = []
        self._connection: _Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self.subscribed = threading.Event()

    def start(self) -> None:
        """Begin to connect; `subscribed` is set while messages come in. Again, too, when its thread has died."""
        self.subscribed.clear()
        with self._lock:
            self._unsent.clear()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._stay_connected())
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, self._task), name="mqtt", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end."""
        loop, task, thread = self._loop, self._task, self._thread
        if loop is not None and task is not None and thread is not None:
            with suppress(RuntimeError):  # the loop is closed: it has ended by itself
                loop.call_soon_threadsafe(task.cancel)
            thread.join()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 0, from any thread. Without a connection it is dropped: who needs it asks again."""
        loop = self._loop
        if loop is None or not self.subscribed.is_set():
            return
        packet = packets.publish(topic, payload)
        with self._lock:
            self._unsent.append(packet)
            first = len(self._unsent) == 1
        if first:  # what is published until the loop gets its turn goes out with it
            with suppress(RuntimeError):  # the loop has ended since
                loop.call_soon_threadsafe(self._send)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self, loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
        try:
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        finally:
            loop.close()

    def _send(self) -> None:
        with self._lock:
            unsent, self._unsent = self._unsent, []
        if self._connection is not None:
            self._connection.send(b"".join(unsent))

    async def _stay_connected(self) -> None:
        wait_s = _FIRST_RETRY_S
        while True:
            try:
                why, heard = await self._connected()
            except OSError as fault:
                why, heard = str(fault) or "it does not answer", False
            wait_s = _FIRST_RETRY_S if heard else min(2 * wait_s, _LONGEST_RETRY_S)
            log.warning("no connection to the broker at %s:%d: %s", *self._address, why)
            await asyncio.sleep(wait_s)

    async def _connected(self) -> tuple[str, bool]:
        """From the connect to the end: why it ended, and whether messages came in. Raises OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_ANSWER_S):
            _, connection = await loop.create_connection(
                lambda: _Connection(self._receive), *self._address, ssl=self._tls
            )
        try:
            connection.send(self._hello)
            async with asyncio.timeout(_ANSWER_S):
                await connection.answered(packets.CONNACK)
                connection.send(packets.subscribe(_TOPIC))
                await connection.answered(packets.SUBACK)
            self._connection = connection
            self.subscribed.set()
            return await connection.keep_alive(), True
        except _Refused as refusal:
            return f"it refuses {refusal}", False
        finally:
            self.subscribed.clear()
            self._connection = None
            await connection.leave()


class _Refused(Exception):
    """The broker says no."""


class _Connection(asyncio.Protocol):
    """One connection, from the first byte to the last."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._cutter = packets.Cutter()
        self._transport: asyncio.Transport | None = None
        self._answers: asyncio.Queue[packets.Packet] = asyncio.Queue()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._closed = asyncio.Event()
        self._heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: it is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio: something came."""
        self._heard = True
        try:
            for packet in self._cutter.feed(data):
                if packet.first & 0xF0 == packets.PUBLISH:
                    self._receive(*packets.published(packet))
                elif packet.first != packets.PINGRESP:
                    self._answers.put_nowait(packet)
        except packets.Broken as fault:
            self._end(str(fault))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: it is closed."""
        self._closed.set()
        self._end(str(exc) if exc is not None else "it closed the connection")

    async def answered(self, first: int) -> None:
        """Wait for the answer of this kind. Raises _Refused, ConnectionError."""
        waiting = asyncio.ensure_future(self._answers.get())
        try:
            await asyncio.wait((waiting, self._ended), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise ConnectionError(self._ended.result())
            packet = waiting.result()
        finally:
            waiting.cancel()
        code = packet.body[-1] if packet.body else _REFUSED
        if packet.first != first or code >= _REFUSED or (first == packets.CONNACK and code):
            what = "the server" if first == packets.CONNACK else f"to let it read {_TOPIC}"
            raise _Refused(f"{what} (code {code})")

    async def keep_alive(self) -> str:
        """Ping until the connection ends; why it ended. One that says nothing for a keep-alive's time is at its end."""
        while not self._ended.done():
            self._heard = False
            self.send(packets.PINGREQ)
            await asyncio.wait((self._ended,), timeout=KEEPALIVE_S / 2)
            if not self._heard:
                self._end("it is silent")
        return self._ended.result()

    def send(self, raw: bytes) -> None:
        """Send this, unless too much waits to be sent already."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() + len(raw) <= MOST_UNSENT_BYTES:
            transport.write(raw)

    async def leave(self) -> None:
        """Say goodbye and close; a broker that does not take it within a second is left without."""
        if self._transport is None:
            return
        self.send(packets.DISCONNECT)
        self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._closed.wait()
        self._transport.abort()

    def _end(self, why: str) -> None:
        if not self._ended.done():
            self._ended.set_result(why)
