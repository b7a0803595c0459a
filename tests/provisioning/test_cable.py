"""A pulled cable and a power cut look to both ends as they do in life, at the level of TCP."""

import asyncio
import socket
from collections.abc import Callable, Coroutine

import pytest

from provisioning.virtual.cable import Cable

# Long enough for loopback to deliver what it is going to deliver.
QUIET_S = 0.15
SOON_S = 5

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Broker:
    """Takes connections and keeps both ends of them for the test."""

    def __init__(self) -> None:
        self.accepted: asyncio.Queue[Ends] = asyncio.Queue()

    async def __aenter__(self) -> "Broker":
        self.server = await asyncio.start_server(
            lambda r, w: self.accepted.put_nowait((r, w)), "127.0.0.1", 0
        )
        self.cable = Cable(self.server.sockets[0].getsockname())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        await self.cable.listen(self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cable.close()
        self.server.close()

    async def kiosk(self) -> Ends:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def wire(self) -> tuple[Ends, Ends]:
        kiosk = await self.kiosk()
        async with asyncio.timeout(SOON_S):
            return kiosk, await self.accepted.get()


async def heard(end: Ends) -> bytes:
    async with asyncio.timeout(SOON_S):
        return await end[0].read(100)


async def hears_nothing(end: Ends) -> bool:
    try:
        async with asyncio.timeout(QUIET_S):
            await end[0].read(100)
    except TimeoutError:
        return True
    return False


def story(test: Callable[[Broker], Coroutine[None, None, None]]) -> Callable[[], None]:
    async def tell() -> None:
        async with Broker() as broker:
            await test(broker)

    def wrapped() -> None:
        asyncio.run(tell())

    wrapped.__name__ = test.__name__
    return wrapped


@story
async def test_a_cable_carries_both_ways_and_tells_the_end(broker: Broker) -> None:
    kiosk, server = await broker.wire()
    kiosk[1].write(b"up")
    assert await heard(server) == b"up"
    server[1].write(b"down")
    assert await heard(kiosk) == b"down"
    kiosk[1].close()
    assert await heard(server) == b""


@story
async def test_a_pulled_cable_carries_nothing_and_tells_nobody(broker: Broker) -> None:
    kiosk, server = await broker.wire()
    broker.cable.unplug()
    kiosk[1].write(b"lost")
    server[1].write(b"lost too")
    assert await hears_nothing(server)
    assert await hears_nothing(kiosk)
    kiosk[1].close()
    assert await hears_nothing(server), "the broker must not see that the kiosk gave up"


@story
async def test_a_new_connection_over_a_pulled_cable_hears_nothing(broker: Broker) -> None:
    broker.cable.unplug()
    kiosk = await broker.kiosk()
    kiosk[1].write(b"anybody there?")
    assert await hears_nothing(kiosk)
    assert broker.accepted.empty()


@story
async def test_putting_the_cable_back_resets_what_hung_and_carries_again(broker: Broker) -> None:
    old_kiosk, old_server = await broker.wire()
    broker.cable.unplug()
    hung = await broker.kiosk()
    assert await hears_nothing(hung)
    broker.cable.plug()
    for end in (old_kiosk, hung, old_server):
        with pytest.raises(ConnectionResetError):
            await heard(end)
    kiosk, server = await broker.wire()
    kiosk[1].write(b"back")
    assert await heard(server) == b"back"


@story
async def test_a_power_cut_while_connecting_is_silent_too(broker: Broker) -> None:
    kiosk, server = await broker.wire()
    broker.cable.power_cut()
    kiosk[1].transport.abort()
    assert await hears_nothing(server)


@story
async def test_a_power_cut_is_silent_until_the_broker_gives_up(broker: Broker) -> None:
    kiosk, server = await broker.wire()
    kiosk[1].write(b"alive")
    assert await heard(server) == b"alive"
    broker.cable.power_cut()
    kiosk[1].transport.abort()
    assert await hears_nothing(server)
    again, new_server = await broker.wire()
    broker.cable.unplug()
    broker.cable.plug()
    assert await hears_nothing(server), "a cable put back does not speak for a kiosk that lost its power"
    server[1].close()
    assert await heard(server) == b""
    with pytest.raises(ConnectionResetError):
        await heard(new_server)


@story
async def test_without_a_broker_the_kiosk_is_refused_and_the_cable_lives_on(broker: Broker) -> None:
    address = broker.server.sockets[0].getsockname()
    broker.server.close()
    kiosk = await broker.kiosk()
    with pytest.raises(ConnectionResetError):
        await heard(kiosk)
    broker.server = await asyncio.start_server(lambda r, w: broker.accepted.put_nowait((r, w)), *address)
    kiosk, server = await broker.wire()
    server[1].write(b"here")
    assert await heard(kiosk) == b"here"


@story
async def test_megabytes_pass_unchanged(broker: Broker) -> None:
    kiosk, server = await broker.wire()
    sent = bytes(range(256)) * 8192
    kiosk[1].write(sent)
    kiosk[1].write_eof()
    async with asyncio.timeout(SOON_S):
        assert await server[0].read() == sent
