"""“You said, we did”: what visitors of a place or unit said, and what was done about it, for everybody to read.

It knows no page. Invariants: nothing is public before a person published it; the audit log has no word of it, so that
what was withdrawn is nowhere kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.handling import kiosk_screen
from fleet_server.handling.models import SaidAndDid
from fleet_server.handling.naming import may_name
from fleet_server.instants import HELSINKI, local, to_ms
from fleet_server.places.models import Place, Unit
from fleet_server.refusals import N_, Faults
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.scores import Where

LANGUAGES = ("fi", "sv", "en")
LONGEST = 300  # read standing up
MOST_SHOWN = 5
FIELDS = tuple(f"{side}_{language}" for language in LANGUAGES for side in ("said", "did"))


@dataclass(frozen=True)
class Note:
    """One of them in one language (`language`: its code, which may not be the one that was asked for)."""

    said: str
    did: str
    language: str
    published_at: int


def published(session: Session, place_id: int, language: str, *, now: int) -> list[Note]:
    """What everybody may read of a place: its own and those of the units around it, newest first, MOST_SHOWN at most.

    In `language` (fi, sv, en), or else in the first of these that it has.
    """
    return [in_language(row, language) for row in published_rows(session, place_id, now=now)]


def published_rows(
    session: Session, place_id: int, *, now: int, on_kiosks: bool = False
) -> Sequence[SaidAndDid]:
    """The same as rows. `on_kiosks`: of those alone that kiosks are to show."""
    place = session.get(Place, place_id)
    if place is None:
        return []
    path = session.get_one(Unit, place.unit_id).path
    units = [int(part) for part in path.split("/") if part]
    here = or_(
        (col(SaidAndDid.scope) == PLACE) & (col(SaidAndDid.scope_id) == place_id),
        (col(SaidAndDid.scope) == UNIT) & col(SaidAndDid.scope_id).in_([] if place.demo else units),
    )
    found = select(SaidAndDid).where(
        here,
        col(SaidAndDid.published_at).is_not(None),
        or_(col(SaidAndDid.ends_at).is_(None), col(SaidAndDid.ends_at) > now),
    )
    if on_kiosks:
        found = found.where(col(SaidAndDid.on_kiosks).is_(True))
    newest = found.order_by(col(SaidAndDid.published_at).desc(), col(SaidAndDid.id).desc())
    return session.exec(newest.limit(MOST_SHOWN)).all()


def in_language(row: SaidAndDid, language: str) -> Note:
    """It in this language, or else in the first that it has."""
    has = languages_of(row)
    shown = language if language in has else has[0]
    said, did = (str(getattr(row, f"{side}_{shown}")) for side in ("said", "did"))
    return Note(said, did, shown, row.published_at or 0)


def languages_of(row: SaidAndDid) -> list[str]:
    """The languages in which it is written: one at least."""
    return [language for language in LANGUAGES if getattr(row, f"did_{language}")]


def names_somebody(row: SaidAndDid) -> bool:
    """Whether a personal name is likely in it: who publishes it is to look again."""
    return any(may_name(getattr(row, field)) for field in FIELDS)


def of_subject(session: Session, where: Where) -> Sequence[SaidAndDid]:
    """All of a place or unit itself, those that were changed last first."""
    mine = (col(SaidAndDid.scope) == where.scope, col(SaidAndDid.scope_id) == where.id)
    return session.exec(select(SaidAndDid).where(*mine).order_by(col(SaidAndDid.changed_at).desc())).all()


def save(
    session: Session,
    actor: Person,
    where: Where,
    row: SaidAndDid | None,
    typed: dict[str, str],
    *,
    text_id: int | None = None,
    now: int,
) -> SaidAndDid:
    """Write one, or change one; what is published stays so, with the new words. Raises Refused.

    typed: FIELDS; `on_kiosks`, anything but '' when touch kiosks are to show it, which its texts must have room for;
    `last_day` (2026-03-02), '' for no end.
    """
    faults = Faults()
    kept: dict[str, str] = {}
    for language in LANGUAGES:
        said, did = (" ".join(typed.get(f"{side}_{language}", "").split()) for side in ("said", "did"))
        for side, value in (("said", said), ("did", did)):
            name = f"{side}_{language}"
            # A language has both or none: half of it would be a complaint without an answer.
            kept[name] = faults.text(name, value, LONGEST) if said or did else ""
    if not any(kept.values()):
        faults.add("said_fi", N_("Nothing is written yet. Write in one language at least."))
    for_kiosks = bool(typed.get("on_kiosks"))
    if for_kiosks and not faults.found:
        kiosk_screen.look(faults, kept)
    ends_at = _end_of(faults, typed.get("last_day", ""), now)
    faults.check()
    new = row is None
    if row is None:
        row = SaidAndDid(scope=where.scope, scope_id=where.id, text_id=text_id, changed_at=now, changed_by="")
    row.changed_at, row.changed_by = now, actor.actor
    row.on_kiosks, row.ends_at = for_kiosks, ends_at
    for name, value in kept.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    _audit(session, actor, "write said and did" if new else "change said and did", row, now)
    return row


def publish(session: Session, actor: Person, row: SaidAndDid, *, now: int) -> None:
    """Let everybody read it. Raises Refused when kiosks are to show it and its texts have no room there."""
    if row.published_at is None:
        faults = Faults()
        if row.on_kiosks:  # the kiosks' letters and layout may be others by now
            kiosk_screen.look(faults, {name: str(getattr(row, name)) for name in FIELDS})
        if row.ends_at is not None and row.ends_at <= now:
            faults.add("last_day", N_("“%(value)s” is over."), value=last_day_of(row))
        faults.check()
        row.published_at = now
        session.add(row)
        _audit(session, actor, "publish said and did", row, now)


def withdraw(session: Session, actor: Person, row: SaidAndDid, *, now: int) -> None:
    """Nobody else reads it any more; it stays a draft."""
    if row.published_at is not None:
        row.published_at = None
        session.add(row)
        _audit(session, actor, "withdraw said and did", row, now)


def remove(session: Session, actor: Person, row: SaidAndDid, *, now: int) -> None:
    """Take it away."""
    _audit(session, actor, "delete said and did", row, now)
    session.delete(row)


def last_day_of(row: SaidAndDid) -> str:
    """Its last day as it is typed, '' without one."""
    return f"{local(row.ends_at) - timedelta(hours=12):%Y-%m-%d}" if row.ends_at is not None else ""


def _end_of(faults: Faults, typed: str, now: int) -> int | None:
    """The midnight after the last day."""
    if not typed.strip():
        return None
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        day = date.min
    if not 2020 <= day.year < 2100:
        faults.add("last_day", N_("“%(value)s” is not a date from 2020 on."), value=typed.strip())
        return None
    after = day + timedelta(days=1)
    ends_at = to_ms(datetime(after.year, after.month, after.day, tzinfo=HELSINKI))
    if ends_at <= now:
        faults.add("last_day", N_("“%(value)s” is over."), value=typed.strip())
    return ends_at


def _audit(session: Session, actor: Person, action: str, row: SaidAndDid, now: int) -> None:
    after: dict[str, Any] = {"languages": languages_of(row), "kiosks": row.on_kiosks}
    audit.record(session, actor, action, row.scope, row.scope_id, after=after, now=now)
