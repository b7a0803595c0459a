"""The server's link to its kiosks as one thing that starts, stops and says how it is.

Holds together the embedded broker (unless MQTT_HOST names another), the MQTT connection, the collector, and the
watch that notices late kiosks, revoked ones that are still connected, and threads that died.
"""

import logging
import secrets
import threading
from typing import Any

from sqlmodel import col, select

from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices import contact
from fleet_server.devices.models import Device
from fleet_server.instants import now_ms
from fleet_server.link.broker import EmbeddedBroker
from fleet_server.link.collector import Collector
from fleet_server.link.mqtt import MqttSource
from fleet_server.link.rules import SERVER, Rules
from fleet_server.settings import Settings

log = logging.getLogger("hymio.link")

_WATCH_S = 1.0  # a revoked kiosk is out, a late one shown, within this
_SUBSCRIBE_S = 10.0


class LinkService:
    """Start it once, stop it once. `send` may be called from any thread."""

    def __init__(self, settings: Settings, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self.collector = Collector(database, self.send, changes)
        self._embedded: EmbeddedBroker | None = None
        if settings.mqtt_host:
            host, username = settings.mqtt_host, settings.mqtt_username
            password = settings.mqtt_password_file.read_text().strip() if settings.mqtt_password_file else ""
        else:
            host, username, password = "127.0.0.1", SERVER, secrets.token_hex(32)
            self._embedded = EmbeddedBroker(
                Rules(database, password), host, settings.mqtt_port, too_long=self.collector.offer
            )
        self._source = MqttSource(
            host, settings.mqtt_port, username, password, self.collector.offer, settings.mqtt_ca_file
        )
        self._nobody_late_until = 0
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._keep_watch, name="watch", daemon=True)

    def start(self) -> None:
        """Start all parts; returns when the server hears its kiosks, or goes on trying after 10 s.

        Raises what the embedded broker raises when it cannot listen.
        """
        if self._embedded is not None:
            self._embedded.start()
        # Nobody could reach a server that was away: they get the time of a broker's restart to come back.
        self._nobody_late_until = now_ms() + contact.GRACE_MS
        self.collector.start()
        self._source.start()
        self._watch.start()
        if not self._source.subscribed.wait(_SUBSCRIBE_S):
            log.error("no connection to the broker yet; trying on")

    def stop(self) -> None:
        """Stop all parts; what has come in is booked first."""
        self._ending.set()
        if self._watch.is_alive():
            self._watch.join()
        self._source.stop()
        self.collector.stop()
        if self._embedded is not None:
            self._embedded.stop()

    def send(self, topic: str, payload: bytes) -> None:
        """Publish to a kiosk. Nothing is kept for one that is away: it asks when it is back."""
        self._source.publish(topic, payload)

    def health(self) -> dict[str, Any]:
        """How the link is; `ok` is what /health/ready asks."""
        broker = self._embedded is None or self._embedded.alive
        connected = self._source.subscribed.is_set()
        # A full disk takes transactions that write nothing: only who books sees that nothing can be booked.
        collector = self.collector.alive and self.collector.failing_since is None
        return {
            "ok": broker and connected and collector,
            "broker": broker,
            "connected": connected,
            "collector": collector,
            "database_failing_since": self.collector.failing_since,
            "last_message_at": self.collector.last_message_at,
            "waiting": self.collector.waiting,
            "taken": self.collector.taken,
            "dropped": self.collector.dropped,
        }

    def _keep_watch(self) -> None:
        while not self._ending.wait(_WATCH_S):
            try:
                self._mark_late()
                self._shut_out_revoked()
                if not self._source.alive:
                    log.error("the MQTT thread died; starting another")
                    self._source.stop()
                    self._source.start()
            except (
                Exception
            ) as fault:  # whatever it is, the next look may succeed, and without looks nobody is late
                log.error("watch: %r", fault)

    def _mark_late(self) -> None:
        now = now_ms()
        if now < self._nobody_late_until:
            return
        with self._database.read() as session:
            if session.exec(select(Device.id).where(col(Device.late_at) <= now).limit(1)).first() is None:
                return
        with self._database.write() as session:
            late = contact.mark_late(session, now=now)
        self._changes.notify(*(f"device:{device_id}" for device_id in late))

    def _shut_out_revoked(self) -> None:
        if self._embedded is None:
            return
        connected = set(self._embedded.connected()) - {SERVER}
        if not connected:
            return
        with self._database.read() as session:
            revoked = session.exec(select(Device.id).where(col(Device.revoked_at).is_not(None))).all()
        for device_id in connected.intersection(revoked):
            log.warning("device %s was revoked: its connection is closed", device_id)
            self._embedded.close_client(device_id)
