"""Takes messages of kiosks, has them booked, and hands out receipts after the commit. It knows no MQTT.

Messages come in through `offer` (a source calls it, from any thread) and go out through `sink(topic, payload)`, two
plain functions. Invariant: a receipt leaves only after its booking is on the disk. Whatever is dropped on the way is
sent again by its kiosk.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlmodel import Session, col, select

from fleet_server.answers import quarantine
from fleet_server.answers.book import Message, book_all
from fleet_server.changes import Changes
from fleet_server.db import Database, among
from fleet_server.devices import contact, reports
from fleet_server.devices.models import KIOSK, Device
from fleet_server.instants import now_ms
from fleet_server.link.inbox import Inbox, Incoming
from fleet_server.link.rules import Quiet
from fleet_server.places.models import Installation

log = logging.getLogger("hymio.link")

MOST_AT_ONCE = 500  # a transaction: enough that a full sync costs nothing, little enough for a quick receipt
MOST_BYTES = (
    8 * 1024
)  # a batch has 4 096, a report far less; of what is longer this much is kept, to be looked at
_PREFIX = "hymio/1/up/"
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_STOP_S = 10.0
# What a message can do to the database; any other of its errors says that the database is locked, full or away.
_OF_A_MESSAGE = (DataError, IntegrityError, ProgrammingError)

_KNOWN = (
    select(Device.id, Installation.place_id)
    .outerjoin(Installation, (col(Installation.device_id) == Device.id) & col(Installation.to_at).is_(None))
    .where(among(col(Device.id), "ids"), col(Device.revoked_at).is_(None), col(Device.channel) == KIOSK)
)

_as_json = json.JSONEncoder(separators=(",", ":")).encode
Sink = Callable[[str, bytes], None]


class Outcome(NamedTuple):
    """What a transaction leaves to be done after its commit."""

    messages: list[tuple[str, bytes]]
    topics: set[str]


class Collector:
    """A thread between a source and a sink. `clock`: UTC ms."""

    def __init__(
        self, database: Database, sink: Sink, changes: Changes, clock: Callable[[], int] = now_ms
    ) -> None:
        self._database = database
        self._sink = sink
        self._changes = changes
        self._clock = clock
        self._inbox = Inbox()
        self._quiet = Quiet()
        self._thread: threading.Thread | None = None
        self.dropped = 0
        self.taken = 0
        self.last_message_at: int | None = None
        self.failing_since: int | None = None

    def offer(self, topic: str, payload: bytes, size: int = 0) -> None:
        """Take a message; one on an unknown topic is skipped, one too many is dropped and counted.

        `size`: its real length when `payload` is only its beginning. One that is too long is not read, but kept cut.
        """
        device_id, _, what = topic.removeprefix(_PREFIX).partition("/")
        if not topic.startswith(_PREFIX) or what not in ("answers", "report", "state", "log"):
            return
        size = max(size, len(payload))
        message = Incoming(device_id, what, payload)
        if size > MOST_BYTES:
            message = Incoming(device_id, what, payload[:MOST_BYTES], size)
        if not self._inbox.put(message):
            self.dropped += 1
            if self._quiet.first(("full",)):
                log.error("more messages than can be booked; some are dropped and will be sent again")

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what has come in, then end; what is not done within 10 s is left to be sent again."""
        self._inbox.close()
        if self._thread is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                log.error("the collector does not end; leaving it")

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Messages that wait to be taken."""
        return len(self._inbox)

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        # Nobody waits for company: while one transaction is being synced, the next one gathers by itself.
        while batch := self._inbox.take(MOST_AT_ONCE):
            try:
                self.process(batch)
                self.failing_since = None
                pause_s = _FIRST_PAUSE_S
            except SQLAlchemyError as fault:
                # No receipts, so the kiosks keep what they have and try again.
                self.failing_since = self.failing_since or self._clock()
                reason = fault.orig if isinstance(fault, DBAPIError) else fault
                log.error("database: %s; %d messages are left to be sent again", reason, len(batch))
                self._inbox.closed.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            except Exception:
                log.exception("%d messages are left to be sent again", len(batch))

    def process(self, batch: list[Incoming]) -> None:
        """Book these in one transaction; if one of them breaks it, each in its own.

        Raises SQLAlchemyError when the database is locked, full or away; what was not booked then gets no receipt.
        """
        if not batch:
            return
        self.last_message_at = now = self._clock()
        try:
            outcome = self._in_one_transaction(batch, now)
        except Exception as fault:
            if isinstance(fault, SQLAlchemyError) and not isinstance(fault, _OF_A_MESSAGE):
                raise
            if len(batch) == 1:
                self._set_aside(batch[0], now)
                return
            log.exception("a batch of %d messages failed; taking them one by one", len(batch))
            for message in batch:
                self.process([message])
            return
        self.taken += len(batch)
        for topic, payload in outcome.messages:
            self._sink(topic, payload)
        self._changes.notify(*outcome.topics)

    def _in_one_transaction(self, batch: list[Incoming], now: int) -> Outcome:
        outcome = Outcome([], set())
        with self._database.write() as session:
            known = _known(session, {message.device_id for message in batch})
            mine = [message for message in batch if message.device_id in known]
            for stranger in {message.device_id for message in batch} - known.keys():
                if self._quiet.first((stranger,)):
                    log.warning("message of an unknown or revoked device %r is ignored", stranger[:40])
            for is_batch, group in groupby(mine, _is_batch):
                if is_batch:
                    self._book(session, group, outcome, now)
                else:
                    for message in group:
                        self._take(session, message, outcome, now)
            last_words = {message.device_id: message for message in mine}
            contact.heard(session, (one for one, last in last_words.items() if not _is_will(last)), now=now)
            for device_id, place_id in known.items():
                outcome.topics.add(f"device:{device_id}")
                if place_id is not None:
                    outcome.topics.add(f"place:{place_id}")
        return outcome

    def _book(self, session: Session, group: Iterable[Incoming], outcome: Outcome, now: int) -> None:
        batches = [Message(message.device_id, message.payload, "mqtt") for message in group]
        for message, booking in zip(batches, book_all(session, batches, now=now), strict=True):
            if booking.receipt is not None:
                receipt = _as_json(booking.receipt).encode()
                outcome.messages.append((f"hymio/1/down/{message.device_id}/receipt", receipt))
            elif booking.note and self._quiet.first((message.device_id, "batch")):
                log.warning("%s: nothing was booked: %s", message.device_id, booking.note)
            outcome.topics.update(f"place:{place}" for place in booking.places)

    def _take(self, session: Session, message: Incoming, outcome: Outcome, now: int) -> None:
        if message.too_long:
            cut = f"{message.what}: {message.too_long} bytes are too many; kept are the first {MOST_BYTES}"
            self._keep(session, message, cut, now)
            return
        if message.what == "log":
            reports.take_log(session, message.device_id, message.payload, now=now)
            return
        try:
            body: Any = json.loads(message.payload)
        except (ValueError, RecursionError):
            faults = [f"{message.what}: is not JSON"]
        else:
            if message.what == "state":
                fault = contact.take_state(session, message.device_id, body, now=now)
                faults = [fault] if fault else []
            else:
                messages, faults = reports.take(session, message.device_id, body, now=now)
                outcome.messages.extend(messages)
        if faults:
            self._keep(session, message, "; ".join(faults), now)

    def _keep(self, session: Session, message: Incoming, reason: str, now: int) -> None:
        if self._quiet.first((message.device_id, message.what, "kept")):
            log.warning("%s: %s", message.device_id, reason)
        item = quarantine.Item("message", reason, message.payload)
        quarantine.keep(session, message.device_id, item, source="mqtt", now=now)

    def _set_aside(self, message: Incoming, now: int) -> None:
        """A message that breaks its own transaction: keep it raw, say so, go on."""
        log.exception("%s: a message to %s could not be taken", message.device_id, message.what)
        with self._database.write() as session:
            if _known(session, {message.device_id}):
                self._keep(session, message, f"{message.what}: could not be taken, see the server's log", now)


def _known(session: Session, device_ids: set[str]) -> dict[str, int | None]:
    """The devices that exist and are not revoked, with the place where each stands now."""
    return dict(session.execute(_KNOWN, {"ids": json.dumps(sorted(device_ids))}).all())


def _is_batch(message: Incoming) -> bool:
    return message.what == "answers" and not message.too_long


def _is_will(message: Incoming) -> bool:
    """A `lost` is the broker's word, not the kiosk's."""
    return message.what == "state" and b'"lost"' in message.payload
