"""How many visits the kiosks of a rollout had since they ask the set, beside what their places usually have.

It decides nothing and knows no set. A visit on buttons is a press; on a touchscreen it is what one visitor answered in
one go, so that a set with more questions makes no more visits. Usual is the mean of the same hours of the same weekdays
(Finland's clock) in the four weeks before, at the same place, on the same model.
"""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from fleet_server.answers import wire
from fleet_server.answers.models import PressCount, Record
from fleet_server.devices.models import KIOSK, Device
from fleet_server.instants import HOUR_MS
from fleet_server.places.models import Installation
from fleet_server.places.periods import same_hours
from fleet_server.rollouts.models import Rollout, RolloutDevice

WEEKS = 4
MOST_HOURS = 7 * 24  # the newest week says how it is now, however long the rollout takes
ENOUGH = 50  # visits expected, or had: by chance alone half of so many is missing once in ten thousand times
TOUCH = "touch"

Hours = dict[int, tuple[int, int]]  # start of the hour, UTC ms: visits, those that somebody walked away from


@dataclass
class Activity:
    """Of one model's kiosks: visits since, and what was usual. `left`: visits that somebody walked away from."""

    visits: int = 0
    left: int = 0
    expected: float = 0.0
    usual_visits: int = 0
    usual_left: int = 0

    @property
    def enough_expected(self) -> bool:
        """Whether so many were expected that a fall means something."""
        return self.expected >= ENOUGH

    @property
    def enough_visits(self) -> bool:
        """Whether there were so many, before and since, that their shares can be compared."""
        return min(self.visits, self.usual_visits) >= ENOUGH

    @property
    def share(self) -> float:
        """How much of the visits was answered to the end, 0 to 1."""
        return 1 - self.left / self.visits if self.visits else 0.0

    @property
    def usual_share(self) -> float:
        """The same in the weeks before."""
        return 1 - self.usual_left / self.usual_visits if self.usual_visits else 0.0


def activity(session: Session, rollout: Rollout, *, now: int) -> dict[str, Activity]:
    """By model. Only whole hours count, and only kiosks that are here: what another one has waiting is not known."""
    found: dict[str, Activity] = defaultdict(Activity)
    standing = session.exec(
        select(Device.id, Device.model, Installation.place_id, RolloutDevice.reported_at)
        .join(RolloutDevice, col(RolloutDevice.device_id) == col(Device.id))
        .join(Installation, col(Installation.device_id) == col(Device.id))
        .where(
            RolloutDevice.rollout_id == rollout.id,
            col(RolloutDevice.reported_at).is_not(None),
            col(Installation.to_at).is_(None),
            col(Device.status).in_(("here", "sleeping")),
            Device.channel == KIOSK,
        )
    ).all()
    for device_id, model, place_id, since in standing:
        since = since or now
        stop = now - now % HOUR_MS
        start = max(since + HOUR_MS - 1, stop - MOST_HOURS * HOUR_MS)
        hours = range(start - start % HOUR_MS, stop, HOUR_MS)
        if not hours:
            continue
        earlier = {hour: same_hours(hour, before=since, weeks=WEEKS) for hour in hours}
        seen = _visits(session, model, place_id, hours[0], stop, [device_id])
        first = min(min(each) for each in earlier.values())
        usual = _visits(session, model, place_id, first, since, _stood(session, place_id, model))
        of_model = found[model]
        for hour in hours:
            visits, left = seen.get(hour, (0, 0))
            of_model.visits += visits
            of_model.left += left
            before = [usual.get(each, (0, 0)) for each in earlier[hour]]
            of_model.expected += sum(pair[0] for pair in before) / WEEKS
            of_model.usual_visits += sum(pair[0] for pair in before)
            of_model.usual_left += sum(pair[1] for pair in before)
    return dict(found)


def _stood(session: Session, place_id: int, model: str) -> list[str]:
    """Kiosks of this model that ever stood there: the profile is the place's, whichever kiosk it has."""
    ever = (
        select(Installation.device_id)
        .join(Device, col(Device.id) == col(Installation.device_id))
        .where(Installation.place_id == place_id, Device.model == model, Device.channel == KIOSK)
    )
    return list(set(session.exec(ever)))


def _visits(
    session: Session, model: str, place_id: int, start: int, stop: int, device_ids: list[str]
) -> Hours:
    if model == TOUCH:
        return _touch_visits(session, place_id, start, stop, device_ids)
    at = col(PressCount.start_at)
    rows = session.exec(
        select(at, func.sum(PressCount.counted))
        .where(
            PressCount.place_id == place_id,
            PressCount.grain == "hour",
            col(PressCount.device_id).in_(device_ids),
            at >= start,
            at < stop,
        )
        .group_by(at)
    )
    return {int(start_at): (int(counted), 0) for start_at, counted in rows}


def _touch_visits(session: Session, place_id: int, start: int, stop: int, device_ids: list[str]) -> Hours:
    """A visit is counted where it began; one with a question that nobody answered in time was left."""
    at = col(Record.from_at)
    hour = at - at % HOUR_MS
    timed_out = (col(Record.flags).op("&")(wire.FLAG_OUTCOME)) == wire.TIMED_OUT
    rows = session.exec(
        select(
            hour,
            func.sum(case((col(Record.session) == 0, 1), else_=0)),
            func.sum(case((timed_out, 1), else_=0)),
        )
        .where(
            col(Record.device_id).in_(device_ids),
            Record.place_id == place_id,
            Record.kind == wire.KIND_ANSWER,
            Record.session != wire.NO_VISIT,
            at >= start,
            at < stop,
        )
        .group_by(hour)
    )
    # One question of a visit times out, its last; the most that can be left is what began.
    return {int(start_at or 0): (int(begun), min(int(left), int(begun))) for start_at, begun, left in rows}
