"""What a person has watched: chosen, changed, paused, removed by herself; and her alerts, acknowledged by her.

It judges nothing. Invariant: every change is in the audit log, and nobody's watch is changed by another.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.accounts.models import User
from fleet_server.accounts.sessions import person_from
from fleet_server.alerts.models import FALL, LOW, SILENCE, Alert, Watch
from fleet_server.alerts.watching import subject_of
from fleet_server.instants import DAY_MS
from fleet_server.places.models import Place, Unit
from fleet_server.refusals import N_, Faults
from fleet_server.results import subjects
from fleet_server.results.items import HEADLINES
from fleet_server.results.models import PLACE, UNIT, Series
from fleet_server.results.subjects import Subject

WEEKS = (1, 4)
MOST_HOURS = 100
MOST = 100  # watches of one person
PAST_MS = 180 * DAY_MS
MOST_OF_COLLEAGUES = 50
_NPS = (-100, 100)
_PERCENT = (0, 100)


@dataclass(frozen=True)
class Watched:
    """A watch with what it is about, and the newest wording of its question (None for a silence)."""

    watch: Watch
    subject: Subject
    series: Series | None


@dataclass(frozen=True)
class Told:
    """An alert. `place`: the place that is silent; `series`: the question that its figures are of."""

    alert: Alert
    watched: Watched
    facts: dict[str, Any]
    place: Place | None
    series: Series | None


def watched_by(session: Session, person: Person) -> list[Watched]:
    """Her watches of what she may still read, in the order of their making."""
    rows = session.exec(
        select(Watch)
        .where(Watch.user_id == person.id, col(Watch.removed_at).is_(None))
        .order_by(col(Watch.id))
    ).all()
    return [one for row in rows if (one := _watched(session, person, row)) is not None]


def watch_of(session: Session, person: Person, watch_id: int) -> Watched | None:
    """One of hers, removed ones too; None for another's."""
    row = session.get(Watch, watch_id)
    return _watched(session, person, row) if row is not None and row.user_id == person.id else None


def alerts_of(session: Session, person: Person, *, now: int) -> list[Told]:
    """Her alerts, newest first: all that go on, and those of the last half year."""
    watched = {one.watch.id: one for one in watched_by(session, person)}
    rows = session.exec(
        select(Alert)
        .where(col(Alert.watch_id).in_(watched))
        .where(col(Alert.cleared_at).is_(None) | (col(Alert.began_at) > now - PAST_MS))
        .order_by(col(Alert.id).desc())
    ).all()
    return [told(session, row, watched[row.watch_id]) for row in rows]


def of_colleagues(session: Session, person: Person) -> list[tuple[Told, str]]:
    """(alert, who has it watched) of what goes on in others' watches of what this person may read, newest first.

    They are told no more than she finds on the pages herself: figures of released blocks, volumes; and the comment.
    """
    rows = session.exec(
        select(Alert, Watch, User)
        .join(Watch, col(Watch.id) == col(Alert.watch_id))
        .join(User, col(User.id) == col(Watch.user_id))
        .where(col(Alert.cleared_at).is_(None), col(User.disabled_at).is_(None))
        .where(col(Watch.removed_at).is_(None), col(Watch.paused_at).is_(None))
        .order_by(col(Alert.id).desc())
    )
    own = person.id if person.kind == "user" else None
    found: list[tuple[Told, str]] = []
    for alert, watch, user in rows:
        watched = _watched(session, person, watch) if watch.user_id != own else None
        # Who may no longer read it is told of it no more, so there is nothing of hers to be seen either.
        if watched is not None and subjects.reads(person_from(session, user), watched.subject.unit.path):
            found.append((told(session, alert, watched), user.name))
            if len(found) == MOST_OF_COLLEAGUES:
                break
    return found


def told(session: Session, alert: Alert, watched: Watched) -> Told:
    """An alert with what its words need."""
    facts = json.loads(alert.facts)
    place = session.get(Place, alert.place_id) if alert.place_id else None
    series = session.get(Series, facts["series"]) if "series" in facts else None
    return Told(alert, watched, facts, place, series)


def open_count(session: Session, person: Person) -> int:
    """How many of her alerts go on and are not acknowledged; for the menu of every page."""
    rows = session.exec(
        select(Unit.path)
        .select_from(Alert)
        .join(Watch, col(Watch.id) == col(Alert.watch_id))
        .join(Place, (col(Watch.scope) == PLACE) & (col(Place.id) == col(Watch.scope_id)), isouter=True)
        .join(
            Unit,
            ((col(Watch.scope) == UNIT) & (col(Unit.id) == col(Watch.scope_id)))
            | (col(Unit.id) == col(Place.unit_id)),
        )
        .where(Watch.user_id == person.id, col(Watch.removed_at).is_(None))
        .where(col(Alert.cleared_at).is_(None), col(Alert.acknowledged_at).is_(None))
    )
    return sum(subjects.reads(person, path) for path in rows)


def acknowledge(session: Session, person: Person, alert: Alert, comment: str, *, now: int) -> None:
    """She has seen to it. Raises Refused for a comment that cannot be kept; an empty one can."""
    faults = Faults()
    comment = faults.text("comment", comment, 500) if comment.strip() else ""
    faults.check()
    before = {"comment": alert.comment} if alert.acknowledged_at else None
    alert.acknowledged_at, alert.acknowledged_by, alert.comment = now, person.actor, comment
    session.add(alert)
    audit.record(
        session, person, "acknowledge alert", "alert", alert.id, before, {"comment": comment}, now=now
    )


def questions(session: Session, codes: Iterable[str]) -> dict[str, Series]:
    """{code: newest wording} of the questions with a headline among these codes."""
    rows = session.exec(select(Series).where(col(Series.code).in_(list(codes))).order_by(col(Series.id)))
    return {row.code: row for row in rows if row.type in HEADLINES}


def save(
    session: Session,
    person: Person,
    subject: Subject,
    row: Watch | None,
    kind: str,
    typed: dict[str, str],
    *,
    now: int,
) -> Watch:
    """Make or change a watch from what was typed: `code`, `threshold`, `sure`, `weeks`, `hours`, `mail`.

    Raises Refused with all faults; a watch like it that she has already is one.
    """
    faults = Faults()
    where = subject.where
    kept: dict[str, Any] = {"mail": bool(typed.get("mail"))}
    if kind == SILENCE:
        kept["hours"] = _number(faults, "hours", typed, (1, MOST_HOURS))
    else:
        code = typed.get("code", "")
        series = questions(session, [code]).get(code)
        if series is None:
            faults.add("code", N_("“%(value)s” is no question that has a score."), value=code)
        kept["code"] = code
        kept["weeks"] = _number(faults, "weeks", typed, (WEEKS[0], WEEKS[-1]))
        if kept["weeks"] not in WEEKS:
            faults.add(
                "weeks", N_("“%(value)s” is none of the times that can be chosen."), value=typed.get("weeks")
            )
    if kind == LOW:
        ends = _NPS if series is not None and series.type == "nps" else _PERCENT
        kept["threshold"] = _number(faults, "threshold", typed, ends)
        kept["sure"] = bool(typed.get("sure"))
    others = [
        one
        for one in session.exec(
            select(Watch).where(Watch.user_id == person.id, col(Watch.removed_at).is_(None))
        )
        if row is None or one.id != row.id
    ]
    same = {"scope": where.scope, "scope_id": where.id, "kind": kind, "code": kept.get("code", "")}
    if any(all(getattr(one, name) == value for name, value in same.items()) for one in others):
        faults.add("kind", N_("You have this watched already. Change that one instead."))
    if row is None and len(others) >= MOST:
        faults.add("kind", N_("You have %(most)s already. End one of them first."), most=MOST)
    faults.check()
    before = None if row is None else _values(row)
    row = row or Watch(user_id=person.id, scope=where.scope, scope_id=where.id, kind=kind, created_at=now)
    for name, value in kept.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    if before != _values(row):
        action = "create watch" if before is None else "change watch"
        audit.record(session, person, action, "watch", row.id, before, _values(row), now=now)
    return row


def pause(session: Session, person: Person, row: Watch, paused: bool, *, now: int) -> None:
    """Watch it no more until she wants it again."""
    if paused != (row.paused_at is not None):
        row.paused_at = now if paused else None
        session.add(row)
        action = "pause watch" if paused else "resume watch"
        audit.record(session, person, action, "watch", row.id, None, None, now=now)


def remove(session: Session, person: Person, row: Watch, *, now: int) -> None:
    """Remove it; its alerts are over. `restore` takes all of that back."""
    if row.removed_at is None:
        row.removed_at = now
        session.add(row)
        for alert in session.exec(
            select(Alert).where(Alert.watch_id == row.id, col(Alert.cleared_at).is_(None))
        ):
            alert.cleared_at = now
            session.add(alert)
        audit.record(session, person, "remove watch", "watch", row.id, _values(row), None, now=now)


def restore(session: Session, person: Person, row: Watch, *, now: int) -> None:
    """Watch again what was removed."""
    if row.removed_at is not None:
        for alert in session.exec(
            select(Alert).where(Alert.watch_id == row.id, Alert.cleared_at == row.removed_at)
        ):
            alert.cleared_at = None
            session.add(alert)
        row.removed_at = None
        session.add(row)
        audit.record(session, person, "restore watch", "watch", row.id, None, _values(row), now=now)


def mail_no_more(session: Session, actor: str, row: Watch, *, now: int) -> None:
    """By the link in a mail: alerts of this watch are on the page alone."""
    if row.mail:
        row.mail = False
        session.add(row)
        audit.record(
            session, actor, "change watch", "watch", row.id, {"mail": True}, {"mail": False}, now=now
        )


def _watched(session: Session, person: Person, row: Watch) -> Watched | None:
    subject = subject_of(session, row)
    if subject is None or not subjects.reads(person, subject.unit.path):
        return None
    return Watched(
        row, subject, questions(session, [row.code]).get(row.code) if row.kind in (LOW, FALL) else None
    )


def _number(faults: Faults, name: str, typed: dict[str, str], ends: tuple[int, int]) -> int:
    value = typed.get(name, "").strip().replace("−", "-")  # noqa: RUF001
    least, most = ends
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 4 and least <= int(value) <= most):
        faults.add(
            name,
            N_("“%(value)s” is no whole number from %(least)s to %(most)s."),
            value=value,
            least=least,
            most=most,
        )
        return least
    return int(value)


def _values(row: Watch) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in ("scope", "scope_id", "kind", "mail")}
    if row.kind == SILENCE:
        return values | {"hours": row.hours}
    values |= {"code": row.code, "weeks": row.weeks}
    return values if row.kind == FALL else values | {"threshold": row.threshold, "sure": row.sure}
