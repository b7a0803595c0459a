"""Which question sets a place asks its visitors' phones: what is wished of the device that stands there, else the last.

It knows publications and installations, no form. A set that was asked there earlier stays good for a form that was
opened then: an answer names the set whose words its giver read.
"""

from sqlmodel import Session, col, select

from fleet_server.devices.models import KIOSK, Device
from fleet_server.places.models import Installation
from fleet_server.questions.models import Publication


def sets_at(session: Session, place_id: int) -> list[int]:
    """Numbers of the sets that this place ever asked, the present one first; empty: it never asked anything."""
    rows = session.exec(
        select(Installation, Publication.set_number, Publication.published_at)
        .join(Publication, col(Publication.device_id) == col(Installation.device_id))
        .join(Device, col(Device.id) == col(Installation.device_id))
        .where(Installation.place_id == place_id, Device.channel == KIOSK)
        .order_by(
            col(Installation.to_at).is_(None).desc(),
            col(Installation.to_at).desc(),
            col(Installation.from_at).desc(),
            col(Installation.id),
            col(Publication.id).desc(),
        )
    ).all()
    numbers: list[int] = []
    done: set[int | None] = set()
    for stay, number, published_at in rows:
        if stay.id in done or (stay.to_at is not None and published_at >= stay.to_at):
            continue  # wished of the device before it came here and replaced by then, or after it had left
        if published_at <= stay.from_at:
            done.add(stay.id)
        numbers.append(number)
    return list(dict.fromkeys(numbers))
