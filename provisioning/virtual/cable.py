"""The network cable of a virtual kiosk: carries its TCP connections to the broker, and can be pulled. Knows
no MQTT.

A pulled cable looks as in life, to both ends: connections stay open and carry nothing, new ones hear nothing.
Putting it back resets what hung on it. A power cut is silent too: the broker hears no farewell.
"""

import asyncio
import contextlib
import socket
import struct

_CHUNK_BYTES = 65536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_CONNECT_TIMEOUT_S = 10

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Cable:
    """Listens on 127.0.0.1 and leads to `broker` (host, port)."""

    def __init__(self, broker: tuple[str, int]) -> None:
        self.broker = broker
        self.plugged = True
        self._server: asyncio.Server | None = None
        self._wires: set[_Wire] = set()

    async def listen(self, port: int) -> None:
        """Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)

    def unplug(self) -> None:
        """From now on nothing passes, in either direction, and nobody is told."""
        self.plugged = False
        for wire in self._wires:
            wire.freeze()

    def plug(self) -> None:
        """Lets new connections pass; those that hung on the pulled cable are reset."""
        self.plugged = True
        for wire in list(self._wires):
            if wire.frozen and not wire.orphan:
                wire.reset()

    def power_cut(self) -> None:
        """Call before the kiosk is killed: the broker's end of each connection stays open until the broker
        ends it.
        """
        for wire in list(self._wires):
            wire.orphan_it()

    async def close(self) -> None:
        """Ends everything."""
        if self._server:
            self._server.close()
        tasks = [wire.task for wire in self._wires if wire.task]
        for wire in list(self._wires):
            wire.reset()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = _Wire((reader, writer))
        self._wires.add(wire)
        wire.task = asyncio.current_task()
        try:
            if not self.plugged:
                wire.freeze()
            await wire.carry(self.broker)
        except OSError:
            wire.reset()  # No broker there, or one end reset the connection: the other end sees the same.
        finally:
            wire.close()
            self._wires.discard(wire)


class _Wire:
    """One connection: the kiosk's end and, once connected, the broker's."""

    def __init__(self, kiosk: Ends) -> None:
        self.task: asyncio.Task[None] | None = None
        self.frozen = False
        self.orphan = False
        self._kiosk = kiosk
        self._broker: Ends | None = None
        self._pumps: list[asyncio.Task[None]] = []
        self._is_reset = False
        self._let_go = asyncio.Event()

    async def carry(self, broker: tuple[str, int]) -> None:
        """Carries bytes both ways until one end closes; returns at once after `reset`. Raises OSError."""
        if not self.frozen:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                self._broker = await asyncio.open_connection(*broker)
            if self._is_reset:
                self.reset()
        if not self.frozen and self._broker:
            self._pumps = [
                asyncio.create_task(_pump(self._kiosk[0], self._broker[1])),
                asyncio.create_task(_pump(self._broker[0], self._kiosk[1])),
            ]
            done, _ = await asyncio.wait(self._pumps, return_when=asyncio.FIRST_COMPLETED)
            errors = [pump.exception() for pump in done if not pump.cancelled()]
            if not self.frozen:
                for error in filter(None, errors):
                    raise error
                return
        await self._let_go.wait()
        if self._broker and self.orphan:
            while await self._broker[0].read(_CHUNK_BYTES):
                pass

    def freeze(self) -> None:
        """Nothing passes from now on, not even an end."""
        self.frozen = True
        for pump in self._pumps:
            pump.cancel()

    def orphan_it(self) -> None:
        """The kiosk is about to vanish: keep the broker's end until the broker closes it."""
        self.freeze()
        self.orphan = True
        self._let_go.set()

    def reset(self) -> None:
        """Both ends see a reset connection (the broker's end also when it is still being connected)."""
        self._is_reset = True
        for _, writer in filter(None, (self._kiosk, self._broker)):
            with contextlib.suppress(OSError):
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()
        self.freeze()
        self._let_go.set()

    def close(self) -> None:
        for pump in self._pumps:
            pump.cancel()
        for _, writer in filter(None, (self._kiosk, self._broker)):
            writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK_BYTES):
        sink.write(data)
        await sink.drain()
