"""Which question sets a place asks its visitors' phones: what its kiosk is to ask now, by schedule or as published.

It knows schedules, publications and installations, no form. Without a kiosk a place asks what its last one was wished.
A set that was asked there earlier stays good for a form that was opened then: an answer names the set whose words its
giver read.
"""

from sqlmodel import Session, col, select

from fleet_server.devices.models import KIOSK, Device
from fleet_server.phone.numbers import OPEN_MS
from fleet_server.places.models import Installation
from fleet_server.questions.models import Publication
from fleet_server.schedules import planning as schedules
from fleet_server.schedules.models import Schedule


def sets_at(session: Session, place_id: int, *, now: int) -> list[int]:
    """Numbers of the sets that this place asks or ever asked, the present one first; empty: it never asked anything."""
    published = _published_at(session, place_id)
    if not published:
        return []
    due, others = _scheduled_at(session, place_id, now=now)
    return list(dict.fromkeys([*due, *published, *others]))


def _scheduled_at(session: Session, place_id: int, *, now: int) -> tuple[list[int], list[int]]:
    """The scheduled set that the kiosk standing here is to ask now, if any, and those of the schedules by which a form
    that is still open may have been given out."""
    kiosk = session.exec(
        select(Device)
        .join(Installation, col(Installation.device_id) == col(Device.id))
        .where(
            Installation.place_id == place_id,
            col(Installation.to_at).is_(None),
            Device.channel == KIOSK,
            col(Device.revoked_at).is_(None),
        )
        .order_by(col(Installation.from_at).desc(), col(Installation.id))
    ).first()
    if kiosk is None:
        return [], []
    due = schedules.due_now(session, kiosk, now=now)
    earliest = now - OPEN_MS
    lately = select(Schedule).where(
        col(Schedule.ended_at).is_(None) | (col(Schedule.ended_at) > earliest),
        col(Schedule.from_at).is_(None) | (col(Schedule.from_at) <= now),
        col(Schedule.to_at).is_(None) | (col(Schedule.to_at) > earliest),
    )
    others = [row.set_number for row in session.exec(lately) if schedules.covers(session, row, kiosk)]
    return [] if due is None else [due.set_number], others


def _published_at(session: Session, place_id: int) -> list[int]:
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
    return numbers
