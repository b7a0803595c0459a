"""Who may connect to the embedded broker, and who may write and read which topic. It knows no broker.

A device is its own user name and client id, writes `hymio/1/up/<id>/…` and reads `hymio/1/down/<id>/…`, four and
three exact topics. The server reads all of `up` and writes all of `down`.
"""

import hmac
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fleet_server.db import Database
from fleet_server.devices import credentials

log = logging.getLogger("hymio.link")

SERVER = "fleet-server"  # no device id has a hyphen
UP = ("answers", "report", "state", "log")
DOWN = ("receipt", "desired", "set")
_DEVICE_ID = re.compile(r"[a-z0-9]{12}")
_QUIET_S = 60.0
_MOST_KEYS = 1_000


class Rules:
    """The registry's answer to what the broker asks."""

    def __init__(
        self, database: Database, server_secret: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._server_secret = server_secret
        self._quiet = Quiet(monotonic)

    def admits(self, client_id: str | None, username: str | None, secret: str | None, address: str) -> bool:
        """Whether this client may connect. Blocks for one look into the database."""
        if not client_id or not username or secret is None:
            return self._refuse(address, "", "gave no client id, user name or secret")
        if username != client_id:
            return self._refuse(address, username, "came with another client id")
        if username == SERVER:
            return hmac.compare_digest(secret.encode(), self._server_secret.encode()) or self._refuse(
                address, username, "has not the server's secret"
            )
        if not _DEVICE_ID.fullmatch(username):
            return self._refuse(address, username, "is not an id of 12 characters a-z, 0-9")
        with self._database.read() as session:
            if credentials.check(session, username, secret):
                return True
        return self._refuse(address, username, "is unknown, revoked, or gave a wrong secret")

    def may_write(self, client_id: str, topic: str) -> bool:
        """Whether a client may publish to a topic, its will's included."""
        if client_id == SERVER:
            return topic.startswith("hymio/1/down/")
        if topic in (f"hymio/1/up/{client_id}/{name}" for name in UP):
            return True
        if self._quiet.first((client_id, "write")):
            log.warning("device %s may not write to %r", client_id, topic[:80])
        return False

    def may_read(self, client_id: str, topic_filter: str) -> bool:
        """Whether a client may subscribe to a filter."""
        if client_id == SERVER:
            return topic_filter == "hymio/1/up/#"
        if topic_filter in (f"hymio/1/down/{client_id}/{name}" for name in DOWN):
            return True
        if self._quiet.first((client_id, "read")):
            log.warning("device %s may not read %r", client_id, topic_filter[:80])
        return False

    def _refuse(self, address: str, username: str, why: str) -> bool:
        if self._quiet.first(
            (address, why)
        ):  # not the name: a stranger can invent as many as there are log lines
            log.warning("refused from %s: %r %s (said once a minute)", address, username[:40], why)
        return False


class Quiet:
    """Says whether something should be logged: once a minute for each key, for a bounded number of keys."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._said: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def first(self, key: tuple[str, ...]) -> bool:
        """True when nothing was said about this key for a minute."""
        now = self._monotonic()
        with self._lock:
            if key in self._said and now - self._said[key] < _QUIET_S:
                return False
            self._said[key] = now
            self._said.move_to_end(key)
            if len(self._said) > _MOST_KEYS:
                self._said.popitem(last=False)
        return True
