"""What a report says of the epochs that a kiosk holds: their order of age, how far they go, and which are gone.

Invariant: only an epoch *older* than the newest one named can be gone, so a report that is late closes nothing new.
"""

from collections.abc import Sequence

from sqlmodel import Session

from fleet_server.answers import runs
from fleet_server.answers.book import MAX_AHEAD
from fleet_server.answers.desk import Desk, DeviceState, EpochState
from fleet_server.answers.ledger import LOST
from fleet_server.answers.placing import NOWHERE


def epochs_reported(
    session: Session, device_id: str, epochs: Sequence[Sequence[int]], *, now: int
) -> frozenset[int]:
    """Take in `epochs`: [[epoch, first seq held, next, pressed], …], oldest first, as a report names them.

    What is not booked of older epochs that are not named any more becomes lost. Returns the places whose counts
    changed (runs without a clock may lie between other neighbours now). Raises ValueError for an unknown device.
    """
    desk, device = _open(session, device_id, now)
    ages = {epoch.epoch: epoch.age for epoch in device.epochs.values()}
    named = [
        number for number, _, next_seq, pressed in epochs if _take(desk, device, number, next_seq, pressed)
    ]
    if named:
        _order(desk, device, named)
        newest = device.epochs[named[-1]].age
        for epoch in device.epochs.values():
            if epoch.epoch not in named and epoch.age < newest and not epoch.by_server:
                _close(desk, epoch)
    tally = runs.Tally()
    if any(ages.get(epoch.epoch, epoch.age) != epoch.age for epoch in device.epochs.values()):
        runs.settle(desk, device, tally)
    desk.flush()
    return frozenset(tally.places - {NOWHERE})


def close_epoch(session: Session, device_id: str, epoch: int, *, now: int) -> None:
    """A technician says that nothing more will come of this epoch; what arrives all the same is still received."""
    desk, device = _open(session, device_id, now)
    if epoch not in device.epochs:
        raise ValueError(f"device {device_id!r} has no epoch {epoch}")
    _close(desk, device.epochs[epoch])
    desk.flush()


def _open(session: Session, device_id: str, now: int) -> tuple[Desk, DeviceState]:
    desk = Desk(session, now)
    desk.open({device_id})
    if device_id not in desk.devices:
        raise ValueError(f"device {device_id!r} is not registered")
    return desk, desk.devices[device_id]


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


def _order(desk: Desk, device: DeviceState, named: Sequence[int]) -> None:
    """Number the epochs by age: the named ones in their order, the others where they stand in relation to them."""
    known = sorted(device.epochs.values(), key=lambda epoch: epoch.age)
    oldest_named = min(device.epochs[number].age for number in named)
    before = [epoch for epoch in known if epoch.epoch not in named and epoch.age < oldest_named]
    after = [epoch for epoch in known if epoch.epoch not in named and epoch.age > oldest_named]
    in_order = [device.epochs[number] for number in dict.fromkeys(named)]
    for age, epoch in enumerate((*before, *in_order, *after)):
        if epoch.age != age:
            epoch.age = age
            desk.touch(epoch)


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
