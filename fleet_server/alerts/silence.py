"""Places where nobody has pressed in opening hours although usually somebody would have. Volumes alone, no content.

Two things have to be so: N opening hours went by since the last press, and in those hours of the week at least USUAL
presses came on average in the four weeks before it. So a place with two presses a day is silent only after days, and
nights of a place without opening hours are no silence. A kiosk that is not heard of is said to be so: its presses may
be waiting in it.
"""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from fleet_server.alerts.judging import Facts, Judged
from fleet_server.answers.models import PressCount
from fleet_server.devices.models import KIOSK, Device
from fleet_server.instants import DAY_MS, HOUR_MS, local
from fleet_server.places.hours import Hours, outside
from fleet_server.places.models import Installation, OpeningHours, Place, Unit
from fleet_server.places.periods import day_start
from fleet_server.results.subjects import Subject

USUAL = 4.0  # presses: none comes then by chance once in 55 times
WEEKS = 4
_LONGEST_MS = 42 * DAY_MS  # who has not pressed for so long has no usual
_AWAY = ("new", "late", "lost")


def places_of(session: Session, subject: Subject) -> list[int]:
    """The places that a watch of this subject looks at: itself, or all real ones below the unit."""
    if subject.place is not None:
        return [subject.place.id or 0]
    below = select(Unit.id).where(col(Unit.path).startswith(subject.unit.path))
    query = select(Place.id).where(col(Place.unit_id).in_(below), col(Place.demo).is_(False))
    return sorted(number for number in session.exec(query) if number is not None)


class Silences:
    """What one look at volumes and kiosks finds, for any number of watches; each place is looked at once."""

    def __init__(self, session: Session, place_ids: Sequence[int], *, now: int) -> None:
        self._session = session
        self._now = now
        hour, day = "hour", "day"
        kiosks = select(Device.id).where(Device.channel == KIOSK)
        self._presses = (
            col(PressCount.grain).in_((hour, day)),
            col(PressCount.start_at) >= now - _LONGEST_MS,
            PressCount.counted + PressCount.filtered > 0,
            col(PressCount.device_id).in_(kiosks),
        )
        self._last: dict[int, int] = {}
        for place, grain, start in session.exec(
            select(PressCount.place_id, PressCount.grain, func.max(PressCount.start_at))
            .where(col(PressCount.place_id).in_(place_ids), *self._presses)
            .group_by(col(PressCount.place_id), col(PressCount.grain))
        ):
            end = start + HOUR_MS if grain == hour else day_start(start, 1)
            self._last[place] = max(self._last.get(place, 0), min(end, now))
        self._kiosks: dict[int, list[tuple[str, int | None]]] = {}
        for place, status, contact in session.exec(
            select(Installation.place_id, Device.status, Device.contact_at)
            .join(Device, col(Device.id) == col(Installation.device_id))
            .where(col(Installation.to_at).is_(None), Device.channel == KIOSK)
            .where(col(Device.revoked_at).is_(None), col(Installation.place_id).in_(place_ids))
        ):
            self._kiosks.setdefault(place, []).append((status, contact))
        tables: dict[int, list[tuple[int, str]]] = {}
        for row in session.exec(
            select(OpeningHours)
            .where(col(OpeningHours.place_id).in_(place_ids))
            .order_by(col(OpeningHours.from_at))
        ):
            tables.setdefault(row.place_id, []).append((row.from_at, row.weekly))
        self._hours: dict[int, Hours] = {place: tuple(rows) for place, rows in tables.items()}
        self._open: dict[int, list[int]] = {}
        self._usual: dict[int, float] = {}

    def judge(self, place_ids: Sequence[int], hours: int) -> Judged:
        """Which of these places are silent since `hours` opening hours. Where no kiosk stands nothing can be said."""
        found: dict[int, Facts] = {}
        unknown = set()
        for place in place_ids:
            if place not in self._kiosks or place not in self._last:
                unknown.add(place)
                continue
            went_by = len(self._since(place))
            if went_by >= hours and (usual := self._expected(place)) >= USUAL:
                found[place] = {"last": self._last[place], "hours": went_by, "usual": round(usual)}
                found[place] |= self._state(place)
        return Judged(found, frozenset(unknown))

    def _since(self, place: int) -> list[int]:
        """The opening hours that went by since the last press."""
        if place not in self._open:
            first, stop = -(-self._last[place] // HOUR_MS) * HOUR_MS, self._now // HOUR_MS * HOUR_MS
            held = self._hours.get(place, ())
            self._open[place] = [
                at for at in range(first, stop, HOUR_MS) if not outside(held, at, at + HOUR_MS - 1, 0)
            ]
        return self._open[place]

    def _expected(self, place: int) -> float:
        """How many presses came on average in these hours of the week, in the four weeks before the last press."""
        if place not in self._usual:
            last = self._last[place]
            usual: dict[tuple[int, int], float] = {}
            for start, presses in self._session.exec(
                select(PressCount.start_at, func.sum(PressCount.counted + PressCount.filtered))
                .where(PressCount.place_id == place, PressCount.grain == "hour", *self._presses)
                .where(col(PressCount.start_at) >= last - WEEKS * 7 * DAY_MS)
                .group_by(col(PressCount.start_at))
            ):
                moment = local(start)
                hour = (moment.weekday(), moment.hour)
                usual[hour] = usual.get(hour, 0.0) + int(presses) / WEEKS
            self._usual[place] = sum(
                usual.get((moment.weekday(), moment.hour), 0.0) for moment in map(local, self._since(place))
            )
        return self._usual[place]

    def _state(self, place: int) -> Facts:
        kiosks = self._kiosks[place]
        away = [contact for status, contact in kiosks if status in _AWAY]
        if len(away) < len(kiosks):
            return {"offline": False}
        return {"offline": True, "contact": max(contact or 0 for contact in away) or None}
