"""`book`: the one way in for answers, from MQTT, harvest over USB and replay of quarantine alike.

It books each seq of a message's range as received, rejected or lost and writes the receipt; it commits nothing and
sends nothing. Invariant: a key (device, epoch, seq) is counted once, whatever comes how often in which order.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlmodel import Session

from fleet_server.answers import quarantine, runs, visits, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.ledger import REJECTED, segments_of
from fleet_server.answers.piles import Piles, sort, unreadable
from fleet_server.answers.placing import NOWHERE
from fleet_server.answers.quarantine import Item
from fleet_server.answers.states import DeviceState, EpochState, Tally
from fleet_server.results.release import wait_again

# More than a kiosk records in ten years, little enough that a mad header cannot make a range of four thousand million.
MAX_AHEAD = 1_000_000
# A report names 256 epochs at most, and a healthy kiosk holds one or two. Each of them costs every transaction of its
# device, so one mad or stolen kiosk must not have them without end.
MAX_OPEN = 256
TOO_MANY = "too many epochs"  # how the reason begins; the books look for it
MAX_TOLD = 16  # rejected ranges in one receipt
MAX_UNTOLD = 1_000  # rejected ranges that wait for later receipts; the rest is in quarantine all the same
REPLAY = "replay"


class Message(NamedTuple):
    """A batch as it came. `source`: `mqtt`, `harvest`, `qr` or `replay`."""

    device_id: str
    payload: bytes
    source: str


class Booking(NamedTuple):
    """What booking a message came to; `receipt` is to be sent after the commit (None: nothing was booked, see `note`).

    `counted`, `filtered`: answers that are new; `received`: records that are new; `rejected`: records refused;
    `places`: whose counts changed.
    """

    receipt: dict[str, Any] | None
    counted: int = 0
    filtered: int = 0
    received: int = 0
    duplicates: int = 0
    rejected: int = 0
    places: frozenset[int] = frozenset()
    note: str = ""
    fork: bool = False


def book(session: Session, device_id: str, payload: bytes, *, source: str, now: int) -> Booking:
    """Book one message within the session's transaction. `now`: UTC ms. Raises ValueError for an unknown device."""
    return book_all(session, [Message(device_id, payload, source)], now=now)[0]


def book_all(session: Session, messages: Sequence[Message], *, now: int) -> list[Booking]:
    """Book many messages in one transaction, in their order: as `book` one after the other, but far faster."""
    desk = Desk(session, now)
    batches = [_read(message) for message in messages]
    desk.open(
        {message.device_id for message in messages},
        {
            (message.device_id, batch.epoch)
            for message, batch in zip(messages, batches, strict=True)
            if isinstance(batch, wire.Batch)
        },
    )
    unknown = sorted({message.device_id for message in messages} - desk.devices.keys())
    if unknown:
        raise ValueError(f"device {unknown[0]!r} is not registered")
    generation = desk.generation()
    bookings = [
        _nothing(desk, message, batch)
        if isinstance(batch, str)
        else _book(desk, desk.devices[message.device_id], message, batch, generation)
        for message, batch in zip(messages, batches, strict=True)
    ]
    desk.flush()
    return bookings


def _read(message: Message) -> wire.Batch | str:
    """The batch, or what is wrong with the message."""
    try:
        return wire.read_batch(message.payload)
    except wire.Damaged as fault:
        return str(fault)


def _book(desk: Desk, device: DeviceState, message: Message, batch: wire.Batch, generation: int) -> Booking:
    epoch = device.epochs.get(batch.epoch) or desk.new_epoch(device, batch.epoch)
    impossible = _impossible(batch, epoch) or _beyond(device, batch, epoch)
    if impossible:
        return _nothing(desk, message, impossible)
    desk.touch(epoch)
    was_idle = epoch.through == epoch.next
    _take_header(desk, epoch, batch, message.source)
    if batch.version != wire.VERSION:
        piles = unreadable(batch, message.payload)
        segments = [(batch.start, batch.to, REJECTED)] if batch.start < batch.to else []
    else:
        piles = sort(desk, epoch, batch, message.payload)
        segments = segments_of(piles.states, batch.start, batch.to)
    places: set[int] = set()
    tally = Tally()
    if piles.fresh:
        corrected = visits.corrected(desk, epoch, piles.fresh, places)
        tally = runs.take_in(desk, device, epoch, piles.fresh, corrected)
        late = [r.seq for r in piles.fresh if r.kind == wire.KIND_ANSWER and r.seq < epoch.taken_in]
        wait_again(desk.session, epoch.device_id, epoch.epoch, late)
        epoch.coarse = min(epoch.coarse, *(record.seq for record in piles.fresh))
        epoch.refused_presses += sum(wire.refused(r) for r in piles.fresh if r.kind == wire.KIND_REFUSED)
    booked = desk.ledger_from(epoch, batch.start).raise_to(segments) if segments else 0
    epoch.through = epoch.ledger.through(epoch.through)
    if booked or was_idle or epoch.through == epoch.next:
        epoch.progress_at = desk.now
    _keep(desk, epoch, message, piles)
    return Booking(
        receipt={
            "server": generation,
            "epoch": epoch.epoch,
            "nonce": batch.nonce,
            "through": epoch.through,
            "seen": epoch.next,
            "fork": bool(piles.forks),
            "time": desk.now,
            "rejected": _told(epoch, piles.told),
        },
        counted=tally.counted,
        filtered=tally.filtered,
        received=len(piles.fresh),
        duplicates=piles.duplicates,
        rejected=sum(stop - start for start, stop, _ in piles.told),
        places=frozenset((places | tally.places) - {NOWHERE}),
        fork=bool(piles.forks),
    )


def _nothing(desk: Desk, message: Message, why: str) -> Booking:
    if message.source != REPLAY:
        item = Item("message", why, message.payload)
        quarantine.keep(desk.session, message.device_id, item, source=message.source, now=desk.now)
    return Booking(receipt=None, note=why)


def _impossible(batch: wire.Batch, epoch: EpochState) -> str:
    if not batch.start <= batch.to <= batch.next:
        return f"range [{batch.start}, {batch.to}) does not end by next {batch.next}"
    if batch.next > epoch.next + MAX_AHEAD:
        return f"next {batch.next} is more than {MAX_AHEAD} beyond {epoch.next}, the highest known"
    return ""


def _beyond(device: DeviceState, batch: wire.Batch, epoch: EpochState) -> str:
    """Why this batch may not open an epoch, or not open one again that is gone; '' when it may."""
    known = epoch.epoch in device.epochs
    if known and (epoch.is_open or batch.next <= epoch.next):
        return ""
    held = sum(other.is_open for other in device.epochs.values())
    return f"{TOO_MANY}: {held} are open, {MAX_OPEN} at most" if held >= MAX_OPEN else ""


def _take_header(desk: Desk, epoch: EpochState, batch: wire.Batch, source: str) -> None:
    if source != REPLAY:
        epoch.last_heard_at = max(epoch.last_heard_at, desk.now)
    epoch.next = max(epoch.next, batch.next)
    if batch.version == wire.VERSION and batch.next >= epoch.header_next:
        epoch.header_next, epoch.pressed, epoch.waiting = batch.next, batch.pressed, batch.waiting


def _keep(desk: Desk, epoch: EpochState, message: Message, piles: Piles) -> None:
    def keep(items: list[Item]) -> int:
        return quarantine.keep_all(
            desk.session, message.device_id, items, source=message.source, now=desk.now
        )

    if piles.kept and not (message.source == REPLAY and piles.kept[0].what == "message"):
        keep(piles.kept)
    if piles.forks:
        epoch.forks += keep(piles.forks)


def _told(epoch: EpochState, told: list[tuple[int, int, str]]) -> list[list[int | str]]:
    """Rejected ranges for this receipt: those that did not fit into earlier ones first; the rest waits for the next."""
    if not told and not epoch.untold:
        return []
    joined: list[list[int | str]] = json.loads(epoch.untold) if epoch.untold else []
    for start, stop, why in sorted(told):
        if joined and joined[-1][1:] == [start, why]:
            joined[-1][1] = stop
        elif [start, stop, why] not in joined:
            joined.append([start, stop, why])
    rest = joined[MAX_TOLD : MAX_TOLD + MAX_UNTOLD]
    epoch.untold = json.dumps(rest) if rest else ""
    return joined[:MAX_TOLD]
