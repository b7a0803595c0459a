"""The server's own MQTT connection: hands on what kiosks publish, publishes what goes to them. QoS 0, clean session.

Works with any MQTT 3.1.1 broker; the embedded one is only the nearest.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger("hymio.link")

KEEPALIVE_S = 20
_FIRST_RETRY_S = 1
_LONGEST_RETRY_S = 30
_TOPIC = "hymio/1/up/#"


class MqttSource:
    """Connects in the background and for ever; `receive(topic, payload)` is called in paho's thread."""

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        password: str,
        receive: Callable[[str, bytes], None],
        ca_file: Path | None = None,
    ) -> None:
        self._address = (host, port)
        self._credentials = (username, password)
        self._ca_file = ca_file
        self._receive = receive
        self._client: paho.Client | None = None
        self.subscribed = threading.Event()

    def start(self) -> None:
        """Begin to connect; `subscribed` is set while messages come in."""
        username, password = self._credentials
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=username, clean_session=True)
        client.username_pw_set(username, password)
        if self._ca_file is not None:
            client.tls_set(ca_certs=str(self._ca_file))
        # An exception in a callback would kill paho's thread while is_connected() goes on saying True.
        client.suppress_exceptions = True
        client.reconnect_delay_set(_FIRST_RETRY_S, _LONGEST_RETRY_S)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.connect_async(*self._address, keepalive=KEEPALIVE_S)
        client.loop_start()
        self._client = client

    def stop(self) -> None:
        """Say goodbye and end."""
        client, self._client = self._client, None
        self.subscribed.clear()
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 0, from any thread. Without a connection it is dropped: who needs it asks again."""
        client = self._client
        if client is not None and client.is_connected():
            client.publish(topic, payload, qos=0)

    @property
    def alive(self) -> bool:
        """Whether paho's network thread runs."""
        client = self._client
        return client is not None and any(
            thread is client._thread and thread.is_alive() for thread in threading.enumerate()
        )

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _props: object
    ) -> None:
        if reason.is_failure:
            log.error("the broker at %s:%d refuses the server: %s", *self._address, reason)
            return
        client.subscribe(_TOPIC, qos=0)

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], _props: object
    ) -> None:
        if any(code.is_failure for code in codes):
            log.error("the broker at %s:%d does not let the server read %s", *self._address, _TOPIC)
            return
        self.subscribed.set()

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _props: object
    ) -> None:
        self.subscribed.clear()
        if self._client is not None:
            log.warning("connection to the broker at %s:%d lost: %s", *self._address, reason)

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._receive(message.topic, bytes(message.payload))
