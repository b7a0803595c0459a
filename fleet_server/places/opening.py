"""Opening hours of a place as somebody keeps them: read, and saved with an audit entry.

What they mean for a press is in places/hours.py and answers/filters.py.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.instants import HOUR_MS, local
from fleet_server.places.hours import week_text
from fleet_server.places.models import OpeningHours, Place

# A booking that began before hours were saved does not know them, and nobody sees it before its commit. It has ended
# after this time: a transaction takes seconds at the very most.
SETTLED_MS = 60_000


def tables_of(session: Session, place_id: int) -> Sequence[OpeningHours]:
    """Every table of hours that a place has or had, the newest date first."""
    return session.exec(
        select(OpeningHours)
        .where(OpeningHours.place_id == place_id)
        .order_by(col(OpeningHours.from_at).desc())
    ).all()


def save_hours(
    session: Session, actor: Person | str, place: Place, *, from_at: int, weekly: str, now: int
) -> OpeningHours:
    """From the Finnish midnight `from_at` on these hours hold (read_week's form); those of the same date are replaced.

    Where presses of that time may be booked already the table is pending until the rules have been run over them.
    """
    key = {"place_id": place.id, "from_at": from_at}
    row = session.get(OpeningHours, key)
    before = None if row is None else _told(row)
    if row is None:
        row = OpeningHours(place_id=place.id or 0, from_at=from_at)
    elif row.weekly == weekly:
        return row
    row.weekly = weekly
    if (
        row.pending or from_at - HOUR_MS <= now
    ):  # the rules are lenient half an hour before opening: the day before
        row.pending_since = now
    session.add(row)
    session.flush()
    audit.record(
        session, actor, "change opening hours", "place", place.id, before=before, after=_told(row), now=now
    )
    return row


def pending_places(session: Session, *, now: int) -> list[int]:
    """Places whose older presses are to be judged by hours that were saved later, and can be: see SETTLED_MS."""
    settled = col(OpeningHours.pending_since) <= now - SETTLED_MS
    return sorted(set(session.exec(select(OpeningHours.place_id).where(settled))))


def _told(row: OpeningHours) -> dict[str, Any]:
    week = {day: text for day, text in week_text(row.weekly).items() if text}
    return {"from": f"{local(row.from_at):%Y-%m-%d}", "hours": ", ".join(f"{d} {t}" for d, t in week.items())}
