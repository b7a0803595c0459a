"""A device, its epochs and the runs of its counter as they lie on the desk of a transaction (desk.py): data alone."""

from dataclasses import dataclass, field

from fleet_server.answers.ledger import Ledger
from fleet_server.answers.placing import Anchor, Interval, Stay
from fleet_server.devices.models import KIOSK
from fleet_server.places.hours import Hours


@dataclass(slots=True)
class RunState:
    """One run of an uptime counter, as in the table `clock_run`."""

    device_id: str
    epoch: int
    boot: int
    first_seq: int
    last_seq: int
    last_uptime: int
    anchor_seq: int | None = None
    anchor_uptime: int | None = None
    anchor_utc_ms: int | None = None
    anchor_uncertainty_ms: int | None = None
    began_before: int | None = None
    ended_after: int | None = None
    from_at: int | None = None
    to_at: int | None = None
    rules: int = 0
    press_seq: int | None = None
    press_uptime: int | None = None

    @property
    def newest_anchor(self) -> Anchor | None:
        """The usable anchor of the highest uptime; None: the run has met no clock yet."""
        if self.anchor_uptime is None:
            return None
        return Anchor(self.anchor_uptime, self.anchor_seq, self.anchor_utc_ms, self.anchor_uncertainty_ms)  # type: ignore[arg-type]

    @property
    def between(self) -> Interval | None:
        """For a run without a clock: from its earlier neighbour to its later one, if both are known."""
        return None if self.from_at is None or self.to_at is None else (self.from_at, self.to_at)


@dataclass(slots=True)
class EpochState:
    """One epoch of a device, as in the table `journal_epoch`, with the part of its ledger that is in use."""

    device_id: str
    epoch: int
    age: int
    next: int
    pressed: int
    waiting: int
    header_next: int
    through: int
    last_boot: int
    received_answers: int
    counted_answers: int
    filtered_answers: int
    refused_presses: int
    forks: int
    untold: str
    progress_at: int
    first_heard_at: int
    last_heard_at: int
    gone_at: int | None
    by_server: bool
    taken_in: int = 0
    coarse: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    runs: dict[int, RunState] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Something may still come of it: the device holds it, or it is gone and not all of it is booked."""
        return self.gone_at is None or self.through < self.next


@dataclass(slots=True)
class DeviceState:
    """A device with its open epochs, those that were named to the desk, and where it stood when.

    `highest_age` is that of all its epochs, -1 without any; `closed_runs`: runs of epochs that are not on the desk.
    `hours`: opening hours of the places where it stood, of those that have any.
    """

    id: str
    created_at: int
    virtual: bool = False
    channel: str = KIOSK
    epochs: dict[int, EpochState] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    hours: dict[int, Hours] = field(default_factory=dict)
    highest_age: int = -1
    closed_runs: dict[tuple[int, int], RunState] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What taking records in came to."""

    counted: int = 0
    filtered: int = 0
    places: set[int] = field(default_factory=set)
