"""amqtt as it comes, to show that it has the defects which ours has not."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import amqtt.broker
from amqtt.contexts import Action
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from tests.fleet_server.link.wire import free_port

GOOD = "good"  # the secret that everybody has


class OnlyGood(BaseAuthPlugin):
    """Lets in whoever gives the good secret."""

    @dataclass
    class Config:
        """Nothing to set."""

    async def authenticate(self, *, session: Session) -> bool | None:
        """As amqtt asks it."""
        return session.password == GOOD


class OwnTopics(BaseTopicPlugin):
    """A client writes below up/<its id> and reads everything."""

    @dataclass
    class Config:
        """Nothing to set."""

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        """As amqtt asks it."""
        return action != Action.PUBLISH or (topic or "").startswith(
            f"up/{session.client_id if session else ''}/"
        )


def config(port: int) -> dict[str, Any]:
    """A stock broker with both plugins."""
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {f"{__name__}.OnlyGood": {}, f"{__name__}.OwnTopics": {}},
    }


@contextmanager
def stock_broker() -> Iterator[int]:
    """Runs it; yields its port."""
    ours, amqtt.broker.BrokerProtocolHandler = amqtt.broker.BrokerProtocolHandler, BrokerProtocolHandler
    port, loop = free_port(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> amqtt.broker.Broker:
        broker = amqtt.broker.Broker(config(port))
        await broker.start()
        return broker

    broker = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        amqtt.broker.BrokerProtocolHandler = ours
