"""One connection to the embedded broker: let in or refused before anything else, read in order, never remembered for.

The names that are overridden here are private to amqtt 0.12.1, hence its exact pin; the numbers of the defects are
those of docs/decisions/0005-embedded-broker.md.
"""

import asyncio
import logging
from typing import Any

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.errors import MQTTError
from amqtt.mqtt import packet_class
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.disconnect import DisconnectPacket
from amqtt.mqtt.packet import DISCONNECT, PINGREQ, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, MQTTFixedHeader
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.publish import PublishPacket
from amqtt.session import IncomingApplicationMessage, OutgoingApplicationMessage, Session

from fleet_server.link.rules import SERVER, Rules
from fleet_server.link.streams import (
    DEVICE_PACKET_BYTES,
    FIRST_PACKET_S,
    SERVER_PACKET_BYTES,
    LimitedReader,
)

log = logging.getLogger("hymio.link")

MOST_UNTAKEN = 64  # messages of one client that wait to be handed on; beyond it the client waits, as TCP does
HAND_ON_S = 1.0
MOST_UNSENT = 64  # messages to one kiosk that does not read: it is closed
MOST_UNSENT_SERVER = 5_000  # to the server: beyond it they are dropped, and their kiosks send again


class Handler(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt has no types
    """One connection. Admits or refuses before the broker touches any session (defect 1)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsent = 0
        self._farewell: DisconnectPacket | None = None

    @classmethod
    async def init_from_connect(
        cls,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        plugins_manager: Any,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Read CONNECT, admit or refuse. Raises MQTTError, with the connection closed."""
        try:
            async with asyncio.timeout(FIRST_PACKET_S):
                handler, session = await super().init_from_connect(reader, writer, plugins_manager, loop)
            admitted = await _admit(plugins_manager.rules, session)
            if not admitted:
                await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
        except Exception as fault:  # a stranger's bytes make amqtt raise nearly anything; all mean the same
            await writer.close()
            raise MQTTError(f"no CONNECT: {fault!r}") from fault
        if not admitted:
            await writer.close()
            raise MQTTError("refused")
        is_server = session.client_id == SERVER
        if isinstance(reader, LimitedReader):
            reader.admit(SERVER_PACKET_BYTES if is_server else DEVICE_PACKET_BYTES, session.keep_alive)
        session.keep_alive = 0  # the reader watches the silence (defect 2)
        session.clean_session = True
        session.will_retain = False
        session.delivered_message_queue = asyncio.Queue(MOST_UNTAKEN)
        return handler, session

    async def _reader_loop(self) -> None:
        """Take packet after packet. The first that is not as it should be ends the connection: amqtt reads on, out of
        step, and makes a task of each packet without asking how many there are."""
        take = {
            PUBLISH: self.handle_publish,
            SUBSCRIBE: self.handle_subscribe,
            UNSUBSCRIBE: self.handle_unsubscribe,
            PINGREQ: self.handle_pingreq,
        }
        self._reader_ready.set()
        try:
            while (header := await MQTTFixedHeader.from_stream(self.reader)) is not None:
                packet = await packet_class(header).from_stream(self.reader, fixed_header=header)
                if not self.reader.used_up:
                    break
                if header.packet_type == DISCONNECT:
                    self._farewell = packet
                    break
                await take[header.packet_type](packet)
            await self._handed_on()
        except asyncio.CancelledError:
            log.debug("reader of %s stopped", self.session)  # by `stop`, which waits for the event below
        except Exception as fault:
            log.debug("%s: %r", self.session, fault)
        self._hand_on_too_long()
        await self.handle_disconnect(self._farewell)
        self._reader_stopped.set()
        await self.stop()

    async def wait_disconnect(self) -> DisconnectPacket | None:
        """A farewell, or None when the connection was lost. amqtt forgets a farewell that comes before it asks."""
        return await super().wait_disconnect() or self._farewell

    async def _handed_on(self) -> None:
        """Wait until what the client said before it went is handed on; amqtt drops it."""
        try:
            async with asyncio.timeout(HAND_ON_S):
                await self.session.delivered_message_queue.join()
        except TimeoutError:
            log.warning("%s: its last words are lost, as the broker is too busy", self.session.client_id)

    def _hand_on_too_long(self) -> None:
        """The beginning of a message for which the connection was closed goes past the broker, to be kept."""
        cut = self.reader.too_long
        if cut is None:
            return
        end = 2 + int.from_bytes(cut.beginning[:2], "big")
        topic = cut.beginning[2:end].decode("utf-8", "replace")
        if self.plugins_manager.rules.may_write(self.session.client_id or "", topic):
            self.plugins_manager.too_long(topic, cut.beginning[end:], cut.size - end)

    async def handle_publish(self, packet: PublishPacket) -> None:
        """Pass on what the client says, at the speed at which it is taken."""
        message = IncomingApplicationMessage(None, packet.topic_name, 0, packet.data, packet.retain_flag)
        message.publish_packet = packet
        await self.session.delivered_message_queue.put(message)

    async def mqtt_publish(
        self,
        topic: str,
        data: bytes | bytearray,
        qos: int | None,
        retain: bool,
        ack_timeout: int | None = None,
    ) -> OutgoingApplicationMessage:
        """Send to this client. A kiosk that does not read is closed, the server misses what is too much."""
        is_server = self.session is not None and self.session.client_id == SERVER
        if self._unsent >= (MOST_UNSENT_SERVER if is_server else MOST_UNSENT):
            if not is_server:
                await self.handle_connection_closed()
            return OutgoingApplicationMessage(None, topic, 0, bytes(data), False)
        self._unsent += 1
        try:
            return await super().mqtt_publish(topic, data, qos, retain, ack_timeout)
        finally:
            self._unsent -= 1


async def _admit(rules: Rules, session: Session) -> bool:
    """Whether the client, and its will, are let in. The look into the database is made in a thread."""
    address = session.remote_address or "?"
    if not await asyncio.to_thread(
        rules.admits, session.client_id, session.username, session.password, address
    ):
        return False
    return not session.will_flag or rules.may_write(session.client_id or "", session.will_topic or "")
