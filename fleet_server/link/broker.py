"""The embedded broker: amqtt 0.12.1 without its defects, for trying out and up to about 200 kiosks.

docs/decisions/0005-embedded-broker.md lists the defects; tests/fleet_server/link holds a test for each. The names that
are overridden here are private to amqtt, hence its exact pin. Differences from a general broker, on purpose: every
session is clean, nothing is retained, everything is delivered at QoS 0.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import amqtt.broker
from amqtt.adapters import ReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.contexts import Action, ListenerConfig
from amqtt.errors import MQTTError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import OutgoingApplicationMessage, Session

from fleet_server.link.reader import DEVICE_PACKET_BYTES, SERVER_PACKET_BYTES, LimitedReader
from fleet_server.link.rules import SERVER, Rules

log = logging.getLogger("hymio.link")

MOST_CONNECTIONS = 2_000
MOST_QUEUED = 10_000  # messages between readers and receivers; beyond it the writers wait, as TCP does
MOST_UNSENT = 64  # messages to one client that does not read: a kiosk has one receipt in flight
_OLD_CONNECTION_S = 2.0
_START_S = 10.0


class Handler(BrokerProtocolHandler):
    """One connection. Admits or refuses before the broker touches any session (defect 1)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsent = 0

    @classmethod
    async def init_from_connect(
        cls,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        plugins_manager: Any,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Read CONNECT, admit or refuse. Raises MQTTError, with the connection closed."""
        rules: Rules = plugins_manager.rules
        try:
            handler, session = await super().init_from_connect(reader, writer, plugins_manager, loop)
        except Exception as fault:  # a stranger's bytes make amqtt raise nearly anything; all mean the same
            await writer.close()
            raise MQTTError(f"no CONNECT: {fault!r}") from fault
        address = session.remote_address or "?"
        will_ok = not session.will_flag or rules.may_write(
            session.client_id or "", session.will_topic or ""
        )
        admitted = will_ok and await asyncio.to_thread(
            rules.admits, session.client_id, session.username, session.password, address
        )
        if not admitted:
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            await writer.close()
            raise MQTTError("refused")
        if isinstance(reader, LimitedReader):
            limit = SERVER_PACKET_BYTES if session.client_id == SERVER else DEVICE_PACKET_BYTES
            reader.admit(limit, session.keep_alive)
        session.keep_alive = 0  # the reader watches the silence (defect 2)
        session.clean_session = True
        session.will_retain = False
        return handler, session

    async def mqtt_publish(
        self,
        topic: str,
        data: bytes | bytearray,
        qos: int | None,
        retain: bool,
        ack_timeout: int | None = None,
    ) -> OutgoingApplicationMessage:
        """Send to this client; one that does not read is closed instead of remembered for."""
        if self._unsent >= MOST_UNSENT:
            await self.handle_connection_closed()
            raise MQTTError("the client does not read")
        self._unsent += 1
        try:
            return await super().mqtt_publish(topic, data, qos, retain, ack_timeout)
        finally:
            self._unsent -= 1


class Subscriptions(dict[str, list[tuple[Session, int]]]):
    """Filters and who has them; can change while it is walked through (defect 8)."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        """A copy of the pairs."""
        return list(super().items())


class HardenedBroker(amqtt.broker.Broker):
    """amqtt's broker with the rules of `rules` and none of its defects."""

    def __init__(self, config: dict[str, Any], rules: Rules) -> None:
        super().__init__(config)
        self._rules = self.plugins_manager.rules = rules
        self._subscriptions = Subscriptions()
        self._broadcast_queue = asyncio.Queue(maxsize=MOST_QUEUED)

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """A new connection, with limits on what it may send (defect 9)."""
        await self._client_connected(listener_name, LimitedReader(reader), StreamWriterAdapter(writer))

    async def close_client(self, client_id: str) -> None:
        """End a client's connection, if it has one, and wait until its will is on its way (defect 5)."""
        session, handler = self._sessions.get(client_id, (None, None))
        if session is None or handler is None:
            return
        await handler.handle_connection_closed()
        until = self._loop.time() + _OLD_CONNECTION_S
        while session.transitions.state == "connected" and self._loop.time() < until:
            await asyncio.sleep(0.005)

    def connected(self) -> list[str]:
        """Ids of the clients that are connected now."""
        return [
            name
            for name, (session, _) in list(self._sessions.items())
            if session.transitions.state == "connected"
        ]

    async def _delete_session(self, client_id: str) -> None:
        await self.close_client(client_id)
        await super()._delete_session(client_id)

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return True  # nobody comes so far who was not admitted by the handler

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        client_id = session.client_id or ""
        if action == Action.SUBSCRIBE:
            return self._rules.may_read(client_id, topic)
        return action == Action.RECEIVE or self._rules.may_write(client_id, topic)

    async def retain_message(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing is retained: amqtt would give it to clients that never asked (defect 4)."""

    async def _run_broadcast(self, running_tasks: Any) -> None:
        """Deliver the next message: exact filters by look-up, so that the time does not grow with the clients."""
        message = await self._broadcast_queue.get()
        topic = message["topic"]
        receivers = [*self._subscriptions.get(topic, ())]
        for wide in self._wide_filters():
            if self._matches(topic, wide):
                receivers += self._subscriptions.get(wide, ())
        for session, _qos in receivers:
            handler = self._get_handler(session)
            if handler is not None and session.transitions.state == "connected":
                running_tasks.append(
                    asyncio.ensure_future(handler.mqtt_publish(topic, message["data"], 0, retain=False))
                )

    def _wide_filters(self) -> list[str]:
        """Only the server may subscribe to more than one topic at a time."""
        return [name for name in ("hymio/1/up/#",) if name in self._subscriptions]


class EmbeddedBroker:
    """Runs a `HardenedBroker` in a thread with a loop of its own, so that a connect storm does not stall the pages."""

    def __init__(self, rules: Rules, host: str, port: int, tls: tuple[str, str] | None = None) -> None:
        self._rules = rules
        listener: dict[str, Any] = {
            "type": "tcp",
            "bind": f"{host}:{port}",
            "max_connections": MOST_CONNECTIONS,
        }
        if tls is not None:
            listener |= {"ssl": True, "certfile": tls[0], "keyfile": tls[1]}
        self._config = {"listeners": {"default": listener}, "plugins": {}}
        self._loop = asyncio.new_event_loop()
        self._broker: HardenedBroker | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; returns when connections are accepted. Raises what amqtt raises when it cannot."""
        # amqtt's own lines name no reason and repeat without end; ours do (rules.py).
        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        amqtt.broker.BrokerProtocolHandler = Handler  # type: ignore[misc]
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_START_S)

    def stop(self) -> None:
        """Close all connections and the thread."""
        if self._broker is not None:
            asyncio.run_coroutine_threadsafe(self._broker.shutdown(), self._loop).result(_START_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(_START_S)
        self._loop.close()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def connected(self) -> list[str]:
        """Ids of the clients that are connected now."""
        return self._broker.connected() if self._broker is not None else []

    def close_client(self, client_id: str) -> None:
        """End the connection of a client, from any thread."""
        if self._broker is not None:
            self._loop.call_soon_threadsafe(
                partial(self._loop.create_task, self._broker.close_client(client_id))
            )

    async def _start(self) -> None:
        self._broker = HardenedBroker(self._config, self._rules)
        await self._broker.start()
