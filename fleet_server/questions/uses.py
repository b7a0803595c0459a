"""What needs a question set: kiosks of which it is wished, rollouts and schedules that lead to it.

The one answer to whether a set can be put away, for the pages and the API; it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from fleet_server.devices.models import KIOSK, Device
from fleet_server.questions.models import Publication
from fleet_server.refusals import N_, Fault
from fleet_server.rollouts.models import OPEN, Rollout, RolloutDevice
from fleet_server.schedules.models import Schedule

_MOST_NAMED = 5  # of each kind; the rest is a number


@dataclass(frozen=True)
class Uses:
    """`back`: rollouts that may still take kiosks back to the set."""

    devices: list[Device]
    rollouts: list[int]
    back: list[int]
    schedules: list[Schedule]

    def __bool__(self) -> bool:
        return bool(self.devices or self.rollouts or self.back or self.schedules)

    def faults(self, number: int) -> dict[str, Fault]:
        """Each kind of use as what stands in the way of putting set `number` away, naming them."""
        kinds: tuple[tuple[str, str, Sequence[str]], ...] = (
            (
                "archive",
                N_("Set %(number)s is wished of these kiosks: %(names)s. Give them another set first."),
                [device.name for device in self.devices],
            ),
            (
                "rollouts",
                N_(
                    "Set %(number)s is on its way in rollout %(names)s. Roll it back, or wait until it is done."
                ),
                [str(one) for one in self.rollouts],
            ),
            (
                "back",
                N_("Rollout %(names)s may still go back to set %(number)s. Wait until it is done."),
                [str(one) for one in self.back],
            ),
            (
                "schedules",
                N_("Set %(number)s is asked by schedule %(names)s. End it first."),
                [schedule.name for schedule in self.schedules],
            ),
        )
        return {
            name: (text, {"value": number, "number": number, "names": _named(names)})
            for name, text, names in kinds
            if names
        }


def uses_of(session: Session, number: int, *, now: int) -> Uses:
    """All that needs this set at this instant."""
    going = select(Rollout.id).where(col(Rollout.state).in_(OPEN)).order_by(col(Rollout.id))
    back = going.where(
        col(Rollout.id).in_(select(RolloutDevice.rollout_id).where(RolloutDevice.before_set == number))
    )
    schedules = select(Schedule).where(
        Schedule.set_number == number,
        col(Schedule.ended_at).is_(None),
        or_(col(Schedule.to_at).is_(None), col(Schedule.to_at) > now),
    )
    return Uses(
        wished_of(session, number),
        [one or 0 for one in session.exec(going.where(Rollout.set_number == number))],
        [one or 0 for one in session.exec(back)],
        list(session.exec(schedules.order_by(col(Schedule.id)))),
    )


def wished_of(session: Session, number: int) -> list[Device]:
    """The devices in use of which this set is wished now."""
    newest = select(func.max(Publication.id)).group_by(col(Publication.device_id))
    query = (
        select(Device)
        .join(Publication, col(Publication.device_id) == col(Device.id))
        .where(
            col(Publication.id).in_(newest),
            Publication.set_number == number,
            Device.channel == KIOSK,
            col(Device.revoked_at).is_(None),
        )
        .order_by(col(Device.name))
    )
    return list(session.exec(query))


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" (+ {more})" if more > 0 else "")
