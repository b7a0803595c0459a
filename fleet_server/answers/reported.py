"""What a report says of the epochs that a kiosk holds: their order of age, how far they go, and which are gone.

Invariant: only an epoch *older* than the newest one named can be gone, so a report that is late closes nothing new.
"""

import json
from collections.abc import Sequence

from sqlmodel import Session

from fleet_server.answers import quarantine, replacing
from fleet_server.answers.book import MAX_AHEAD, MAX_OPEN, TOO_MANY
from fleet_server.answers.desk import Desk
from fleet_server.answers.ledger import LOST
from fleet_server.answers.placing import NOWHERE
from fleet_server.answers.states import DeviceState, EpochState, Tally


def epochs_reported(
    session: Session, device_id: str, epochs: Sequence[Sequence[int]], *, now: int
) -> frozenset[int]:
    """Take in `epochs`: [[epoch, first seq held, next, pressed], …], oldest first, as a report names them.

    What is not booked of older epochs that are not named any more becomes lost. Returns the places whose counts
    changed (runs without a clock may lie between other neighbours now). Raises ValueError for an unknown device.
    A report that would leave more than MAX_OPEN epochs open changes nothing and is kept in quarantine.
    """
    desk, device = _open(session, device_id, now, {epoch[0] for epoch in epochs})
    beyond = _beyond(device, epochs)
    if beyond:
        raw = json.dumps({"epochs": epochs}, separators=(",", ":")).encode()
        item = quarantine.Item("message", beyond, raw)
        quarantine.keep(session, device_id, item, source="mqtt", now=now)
        return frozenset()
    moved = False
    named = [
        number for number, _, next_seq, pressed in epochs if _take(desk, device, number, next_seq, pressed)
    ]
    if named:
        moved = _order(desk, device, list(dict.fromkeys(named)))
        newest = device.epochs[named[-1]].age
        for epoch in device.epochs.values():
            if epoch.epoch not in named and epoch.age < newest and not epoch.by_server:
                _close(desk, epoch)
    tally = Tally()
    if moved:
        replacing.settle(desk, device, tally)
    desk.flush()
    return frozenset(tally.places - {NOWHERE})


def close_epoch(session: Session, device_id: str, epoch: int, *, now: int) -> None:
    """A technician says that nothing more will come of this epoch; what arrives all the same is still received."""
    desk, device = _open(session, device_id, now, {epoch})
    if epoch not in device.epochs:
        raise ValueError(f"device {device_id!r} has no epoch {epoch}")
    _close(desk, device.epochs[epoch])
    desk.flush()


def _open(session: Session, device_id: str, now: int, named: set[int]) -> tuple[Desk, DeviceState]:
    desk = Desk(session, now)
    desk.open({device_id}, {(device_id, number) for number in named})
    if device_id not in desk.devices:
        raise ValueError(f"device {device_id!r} is not registered")
    return desk, desk.devices[device_id]


def _beyond(device: DeviceState, epochs: Sequence[Sequence[int]]) -> str:
    """Why this report may not open epochs: with them too many would stay open; '' when it may or opens none."""
    named = {
        number for number, _, next_seq, _ in epochs if number in device.epochs or 0 <= next_seq <= MAX_AHEAD
    }
    known = [device.epochs[number] for number in named if number in device.epochs]
    if len(known) == len(named) and all(epoch.is_open for epoch in known):
        return ""
    oldest = min((epoch.age for epoch in known), default=device.highest_age + 1)
    stay = sum(
        epoch.is_open and (epoch.age > oldest or epoch.by_server)
        for epoch in device.epochs.values()
        if epoch.epoch not in named
    )
    held = len(named) + stay
    return f"{TOO_MANY}: {held} would be open, {MAX_OPEN} at most" if held > MAX_OPEN else ""


def _take(desk: Desk, device: DeviceState, number: int, next_seq: int, pressed: int) -> bool:
    """Whether this epoch is one to believe in; its numbers are taken like those of a batch's header."""
    epoch = device.epochs.get(number)
    if epoch is None:
        if not 0 <= next_seq <= MAX_AHEAD:
            return False
        epoch = desk.new_epoch(device, number)
    if epoch.header_next <= next_seq <= epoch.next + MAX_AHEAD:
        if epoch.through == epoch.next:
            epoch.progress_at = desk.now
        epoch.next = max(epoch.next, next_seq)
        epoch.header_next, epoch.pressed = next_seq, pressed
    epoch.last_heard_at = max(epoch.last_heard_at, desk.now)
    epoch.gone_at = None
    desk.touch(epoch)
    return True


def _order(desk: Desk, device: DeviceState, named: Sequence[int]) -> bool:
    """Number the epochs by age: the named ones in their order, then what is younger than the oldest of them.

    Returns whether that changed the order.
    """
    in_order = [device.epochs[number] for number in named]
    ages = [epoch.age for epoch in in_order]
    oldest, newest = min(ages), max(ages)
    others = [epoch for epoch in device.epochs.values() if epoch.epoch not in named]
    if (
        ages == sorted(ages)
        and not any(oldest < epoch.age < newest for epoch in others)
        and not (newest - oldest >= len(ages) and desk.has_closed(device, oldest, newest))
    ):
        return False
    desk.shift_closed(device, oldest, len(named))
    for epoch in others:
        if epoch.age > oldest:
            epoch.age += len(named)
            desk.touch(epoch)
    for age, epoch in enumerate(in_order, oldest):
        epoch.age = age
        desk.touch(epoch)
    return True


def _close(desk: Desk, epoch: EpochState) -> None:
    """Gone; also again, when a late message said that more had been written in it."""
    if epoch.gone_at is not None and epoch.through == epoch.next:
        return
    epoch.gone_at = desk.now if epoch.gone_at is None else epoch.gone_at
    ledger = desk.ledger_from(epoch, epoch.through)
    for start, stop in ledger.waiting(epoch.through, epoch.next):
        ledger.raise_to([(start, stop, LOST)])
    epoch.through = ledger.through(epoch.through)
    desk.touch(epoch)
