"""What a place's page says of the misuse rules: how many presses each left out here. It knows no words."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.answers.rerun import outdated
from fleet_server.answers.rules import CURRENT, VERSIONS
from fleet_server.instants import MINUTE_MS
from fleet_server.places.hours import week_text
from fleet_server.places.models import Installation, OpeningHours
from fleet_server.places.opening import tables_of
from fleet_server.places.periods import day_start
from fleet_server.places.volumes import filtered_by_rule

SHORT_DAYS, LONG_DAYS = 7, 30


@dataclass(frozen=True)
class Misuse:
    """`week`, `month`: {rule: presses filtered} in 7 and 30 days, today included. Seconds and minutes are the rules'.

    `hours`: {day: text} of the table that holds now, None without one; `pending`: tables whose older presses are still
    to be judged by them; `outdated`: clock runs of the devices here that an older version of the rules judged.
    """

    version: int
    repeat_s: float
    burst_presses: int
    burst_s: float
    grace_minutes: int
    week: dict[str, int]
    month: dict[str, int]
    hours: dict[str, str] | None
    pending: tuple[OpeningHours, ...]
    outdated: int


def misuse_at(session: Session, place_id: int, *, now: int) -> Misuse:
    """The rules in force, as they bear on one place."""
    rules = VERSIONS[CURRENT]
    tables = tables_of(session, place_id)
    in_force = next((row.weekly for row in tables if row.from_at <= now), "")
    devices = session.exec(
        select(col(Installation.device_id)).where(Installation.place_id == place_id).distinct()
    ).all()
    tomorrow = day_start(now, 1)
    return Misuse(
        version=CURRENT,
        repeat_s=(rules.repeat_tenths or 0) / 10,
        burst_presses=rules.burst_presses,
        burst_s=(rules.burst_tenths or 0) / 10,
        grace_minutes=(rules.grace_ms or 0) // MINUTE_MS,
        week=filtered_by_rule(session, place_id, day_start(now, 1 - SHORT_DAYS), tomorrow),
        month=filtered_by_rule(session, place_id, day_start(now, 1 - LONG_DAYS), tomorrow),
        hours=week_text(in_force) if in_force else None,
        pending=tuple(row for row in tables if row.pending),
        outdated=outdated(session, devices),
    )
