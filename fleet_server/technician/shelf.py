"""What waits for a technician: devices without a place, and devices that another one has taken the place of.

It reads and decides nothing, and knows no page.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, visible_devices, visible_places
from fleet_server.devices.lines import DeviceLine, device_lines
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, Place
from fleet_server.technician import placing, reports
from fleet_server.technician.models import Swap


@dataclass(frozen=True)
class OnShelf:
    """A device that stands nowhere. `verdict`: of its newest acceptance report, '' without one.

    `swap`: what took it out of service, with the name of its `place`, '' when the reader may not see that."""

    line: DeviceLine
    verdict: str
    swap: Swap | None
    place: str

    @property
    def waiting(self) -> int:
        """Records that it is known to hold."""
        return self.line.books.waiting if self.line.books else 0


def on_shelf(session: Session, person: Person) -> tuple[list[OnShelf], list[OnShelf]]:
    """(waiting for a place, out of service), each by name; the reader sees devices in store."""
    stands = select(Installation.device_id).where(col(Installation.to_at).is_(None))
    rows = session.exec(
        select(Device).where(
            col(Device.id).in_(visible_devices(person)),
            col(Device.revoked_at).is_(None),
            col(Device.id).not_in(stands),
        )
    ).all()
    verdicts = reports.newest_of(session, [row.id for row in rows])
    names = dict(
        session.exec(select(Place.id, Place.name).where(col(Place.id).in_(visible_places(person)))).all()
    )
    found = []
    for line in device_lines(session, rows):
        swap = placing.swap_of(session, line.id)
        place = names.get(swap.place_id, "") if swap else ""
        found.append(OnShelf(line, verdicts.get(line.id, ""), swap, place))
    found.sort(key=lambda one: (one.line.name.casefold(), one.line.id))
    return [one for one in found if one.swap is None], [one for one in found if one.swap is not None]
