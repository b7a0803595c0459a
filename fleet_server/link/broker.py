"""The embedded broker: amqtt 0.12.1 without its defects, for trying out and up to about 200 kiosks.

docs/decisions/0005-embedded-broker.md lists the defects; tests/fleet_server/link holds a test for each. The names that
are overridden here are private to amqtt, hence its exact pin. Differences from a general broker, on purpose: every
session is clean, nothing is retained, everything is delivered at QoS 0.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import amqtt.broker
from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Server
from amqtt.contexts import Action, ListenerConfig
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from fleet_server.link.connection import Handler
from fleet_server.link.rules import Rules
from fleet_server.link.streams import LimitedReader, LimitedWriter

log = logging.getLogger("hymio.link")

MOST_CONNECTIONS = 2_000
MOST_QUEUED = 10_000  # messages between readers and receivers; beyond it the writers wait, as TCP does
_OLD_CONNECTION_S = 3.0
_START_S = 10.0


TooLong = Callable[[str, bytes, int], None]


def _forget(_topic: str, _beginning: bytes, _size: int) -> None:
    """Nobody wants to know of messages that were too long."""


class Subscriptions(dict[str, list[tuple[Session, int]]]):
    """Filters and who has them; can change while it is walked through (defect 8)."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        """A copy of the pairs."""
        return list(super().items())


class HardenedBroker(amqtt.broker.Broker):
    """amqtt's broker with the rules of `rules` and none of its defects."""

    def __init__(self, config: dict[str, Any], rules: Rules, too_long: TooLong = _forget) -> None:
        super().__init__(config)
        self._rules = self.plugins_manager.rules = rules
        self.plugins_manager.too_long = too_long
        self._subscriptions = Subscriptions()
        self._broadcast_queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=MOST_QUEUED)
        self._sending: set[asyncio.Task[Any]] = set()
        self._connections: set[asyncio.Task[Any]] = set()

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """A new connection, with limits on what it may send (defect 9); closed whatever happens."""
        limited = LimitedWriter(writer)
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await self._client_connected(listener_name, LimitedReader(reader), limited)
        except Exception as fault:
            log.error("broker: a connection ended with %r", fault)
        finally:
            await limited.close()

    async def shutdown(self) -> None:
        """Stop; returns when all connections have ended."""
        await super().shutdown()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_OLD_CONNECTION_S)

    async def _handle_client_session(
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        client_session: Session,
        handler: BrokerProtocolHandler,
        server: Server,
        listener_name: str,
    ) -> None:
        """From CONNACK to the end. Leaves nothing behind: amqtt forgets to end some sessions, and their wills."""
        client_id = client_session.client_id or ""
        try:
            await super()._handle_client_session(
                reader, writer, client_session, handler, server, listener_name
            )
        finally:
            if client_session.transitions.state == "connected":
                ended: asyncio.Future[None] = self._loop.create_future()
                ended.set_result(None)
                await self._handle_disconnect(client_session, handler, ended)
            if self._sessions.get(client_id) == (client_session, handler):
                await super()._delete_session(client_id)

    async def _handle_message_delivery(
        self, client_session: Session, handler: BrokerProtocolHandler, wait_deliver: "asyncio.Future[Any]"
    ) -> bool:
        """Hand a message on, and say that it is."""
        try:
            going_on: bool = await super()._handle_message_delivery(client_session, handler, wait_deliver)
            return going_on
        finally:
            if wait_deliver.result() is not None:
                client_session.delivered_message_queue.task_done()

    async def close_client(self, client_id: str) -> None:
        """End a client's connection, if it has one, and wait until its will is on its way (defect 5)."""
        session, handler = self._sessions.get(client_id, (None, None))
        if session is None or handler is None:
            return
        until = self._loop.time() + _OLD_CONNECTION_S
        while session.transitions.state == "connected" and self._loop.time() < until:
            await handler.handle_connection_closed()  # again, as one that is just beginning does not hear it
            await asyncio.sleep(0.005)

    def connected(self) -> list[str]:
        """Ids of the clients that are connected now."""
        return [
            name
            for name, (session, _) in list(self._sessions.items())
            if session.transitions.state == "connected"
        ]

    async def _delete_session(self, client_id: str) -> None:
        """Make room for a new connection of this client. From the last look to its entry nothing else can run."""
        until = self._loop.time() + _OLD_CONNECTION_S
        while client_id in self._sessions and self._loop.time() < until:
            await self.close_client(client_id)
            await asyncio.sleep(0.005)
        await super()._delete_session(client_id)

    async def _cleanup_session(self, client_id: str) -> None:
        """amqtt's monitor would also end a connection that came while it was busy with another."""
        if asyncio.current_task() is not self._session_monitor_task:
            await super()._cleanup_session(client_id)

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return True  # nobody comes so far who was not admitted by the handler

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        client_id = session.client_id or ""
        if action == Action.SUBSCRIBE:
            return self._rules.may_read(client_id, topic)
        return action == Action.RECEIVE or self._rules.may_write(client_id, topic)

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Subscribe; grants QoS 0, which is what everybody gets."""
        granted: int = await super().add_subscription((subscription[0], 0), session)
        return granted

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
                sending = asyncio.ensure_future(handler.mqtt_publish(topic, message["data"], 0, retain=False))
                self._sending.add(sending)
                sending.add_done_callback(self._sent)

    def _sent(self, sending: "asyncio.Task[Any]") -> None:
        self._sending.discard(sending)
        if not sending.cancelled() and sending.exception() is not None:
            log.debug("not delivered: %r", sending.exception())

    def _wide_filters(self) -> list[str]:
        """Only the server may subscribe to more than one topic at a time."""
        return [name for name in ("hymio/1/up/#",) if name in self._subscriptions]


class EmbeddedBroker:
    """Runs a `HardenedBroker` in a thread with a loop of its own, so that a connect storm does not stall the pages.

    `too_long(topic, beginning, size)` is told, in that thread, of messages for which a connection was closed.
    """

    def __init__(
        self,
        rules: Rules,
        host: str,
        port: int,
        tls: tuple[str, str] | None = None,
        too_long: TooLong = _forget,
    ) -> None:
        self._rules, self._too_long = rules, too_long
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
        amqtt.broker.BrokerProtocolHandler = Handler
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_START_S)
        except BaseException:
            self._end_thread()
            raise

    def stop(self) -> None:
        """Close all connections and the thread."""
        if self._thread is not None:
            try:
                asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_START_S)
            except TimeoutError:
                log.error("the broker's connections do not end; leaving them")
            self._end_thread()

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
        broker = HardenedBroker(self._config, self._rules, self._too_long)
        await broker.start()
        self._broker = broker

    async def _stop(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            await broker.shutdown()
        await self._loop.shutdown_default_executor()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_START_S)
            if not thread.is_alive():
                self._loop.close()
