"""How far feedback was handled: read, discussed with the staff, acted on, with a note; a text, or a question in a time.

It knows no page, and reads no text. Invariant: what the last change replaced can be brought back by who made it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, not_
from sqlalchemy import select as columns_of
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.answers import bulk
from fleet_server.handling.models import Handling
from fleet_server.refusals import N_, Faults
from fleet_server.results.models import PLACE, Block, ReleasedText
from fleet_server.results.scores import Where

READ, DISCUSSED, ACTED = "read", "discussed", "acted"
STATES = {READ: N_("Read"), DISCUSSED: N_("Discussed"), ACTED: N_("Acted on")}
UNREAD = "unread"  # no row
LONGEST_NOTE = 1_000
_HANDLED, _TEXTS, _BLOCKS = bulk.table_of(Handling), bulk.table_of(ReleasedText), bulk.table_of(Block)


@dataclass(frozen=True)
class Time:
    """[start, stop), two Finnish midnights, of a question's answers."""

    start: int
    stop: int


def condition(state: str) -> ColumnElement[bool]:
    """On `released_text`: those in this state; UNREAD: in none yet."""
    of_text = _HANDLED.c.text_id == _TEXTS.c.id
    if state == UNREAD:
        return not_(exists().where(of_text))
    return exists().where(of_text, _HANDLED.c.state == state)


def handled() -> ColumnElement[bool]:
    """On `released_text`: those in any state. Found from the states, which are fewer than the texts."""
    return _TEXTS.c.id.in_(columns_of(_HANDLED.c.text_id).where(_HANDLED.c.text_id.is_not(None)))


def of_texts(session: Session, text_ids: Collection[int]) -> dict[int, Handling]:
    """{text: how far it was handled}, of those that were."""
    rows = session.exec(select(Handling).where(col(Handling.text_id).in_(text_ids)))
    return {row.text_id: row for row in rows if row.text_id is not None}


def of_questions(session: Session, where: Where, *, limit: int = 100) -> Sequence[Handling]:
    """What was noted of a subject's questions, newest times first."""
    mine = (col(Handling.scope) == where.scope, col(Handling.scope_id) == where.id)
    found = select(Handling).where(*mine, col(Handling.series_id).is_not(None))
    newest = found.order_by(col(Handling.stop).desc(), col(Handling.id).desc()).limit(limit)
    return session.exec(newest).all()


def of_forgotten(session: Session, place_ids: Any, *, limit: int = 50) -> Sequence[Handling]:
    """Notes on texts of these places (a select of ids) that are forgotten by now, newest first."""
    mine = (col(Handling.scope) == PLACE, col(Handling.scope_id).in_(place_ids))
    gone = (col(Handling.series_id).is_(None), col(Handling.text_id).is_(None))
    newest = select(Handling).where(*mine, *gone).order_by(col(Handling.stop).desc()).limit(limit)
    return session.exec(newest).all()


def mark_text(session: Session, actor: Person, row: ReleasedText, state: str, note: str, *, now: int) -> None:
    """Put a text into a state (UNREAD: into none) with a note. Raises Refused."""
    note = _checked(state, note)
    handled = session.exec(select(Handling).where(col(Handling.text_id) == row.id)).first()
    if handled is None:
        handled = _new_of_text(session, row)
    _put(session, actor, handled, "released text", row.id, state, note, now)


def mark_all_read(session: Session, actor: Person, rows: Collection[ReleasedText], *, now: int) -> int:
    """Mark those as read that nobody read yet; how many that were."""
    there = of_texts(session, [row.id or 0 for row in rows])
    fresh = [row for row in rows if row.id not in there]
    for row in fresh:
        session.add(_taken(_new_of_text(session, row), actor, READ, "", now))
    if fresh:
        ids = sorted(row.id or 0 for row in fresh)
        after = {"state": READ, "texts": len(ids)}
        audit.record(session, actor, "mark feedback", "released text", ids[0], after=after, now=now)
    session.flush()
    return len(fresh)


def mark_question(
    session: Session,
    actor: Person,
    where: Where,
    series_id: int,
    time: Time,
    state: str,
    note: str,
    *,
    now: int,
) -> None:
    """Put a question's answers of a subject in a time into a state with a note. Raises Refused."""
    note = _checked(state, note)
    subject: dict[str, Any] = {"scope": where.scope, "scope_id": where.id, "series_id": series_id}
    same = [col(getattr(Handling, name)) == value for name, value in subject.items()]
    same += [col(Handling.start) == time.start, col(Handling.stop) == time.stop]
    handled = session.exec(select(Handling).where(*same)).first()
    if handled is None:
        handled = Handling(**subject, start=time.start, stop=time.stop, state="", at=0, by="")
    _put(session, actor, handled, where.scope, where.id, state, note, now)


def undo(session: Session, actor: Person, *, at: int, now: int) -> int:
    """Take back what this person changed at this instant, unless it was changed again since; how many that were."""
    mine = (col(Handling.at) == at, col(Handling.by) == actor.actor)
    rows = session.exec(select(Handling).where(*mine)).all()
    for row in rows:
        if row.was_state:
            row.state, row.note, row.at, row.by = row.was_state, row.was_note, row.was_at, row.was_by
            row.was_state = row.was_note = row.was_by = ""
            session.add(row)
        else:
            session.delete(row)
    if rows:
        first = rows[0].text_id if rows[0].series_id is None else rows[0].scope_id
        kind = "released text" if rows[0].series_id is None else rows[0].scope
        after = {"texts": len(rows)}
        audit.record(session, actor, "take back mark", kind, first, after=after, now=now)
    session.flush()
    return len(rows)


def forget(session: Session) -> None:
    """Of texts that are gone only what somebody wrote stays."""
    gone = (_HANDLED.c.text_id.is_(None), _HANDLED.c.series_id.is_(None))
    session.connection().execute(delete(_HANDLED).where(*gone, _HANDLED.c.note == ""))


def _new_of_text(session: Session, row: ReleasedText) -> Handling:
    block = session.get_one(Block, row.block_id)
    return Handling(
        text_id=row.id,
        scope=PLACE,
        scope_id=block.place_id,
        start=block.since,
        stop=block.day,
        state="",
        at=0,
        by="",
    )


def _checked(state: str, note: str) -> str:
    faults = Faults()
    if state not in STATES and state != UNREAD:
        faults.add(
            "state",
            N_("“%(value)s” is no state, must be one of %(known)s."),
            value=state,
            known=", ".join((UNREAD, *STATES)),
        )
    note = note.replace("\r\n", "\n").strip()
    if len(note) > LONGEST_NOTE:
        faults.add(
            "note",
            N_("This is too long: %(length)s characters, at most %(longest)s."),
            length=len(note),
            longest=LONGEST_NOTE,
        )
    elif any(not (one.isprintable() or one == "\n") for one in note):
        faults.add("note", N_("“%(value)s” has a character that cannot be shown. Type it again."), value=note)
    elif note and state == UNREAD:
        faults.add("note", N_("A note goes with what was read, discussed or acted on. Choose one of them."))
    faults.check()
    return note


def _put(
    session: Session, actor: Person, row: Handling, kind: str, object_id: Any, state: str, note: str, now: int
) -> None:
    was = {"state": row.state or UNREAD}
    if (row.state or UNREAD, row.note) == (state, note):
        return
    # The log stays for ever, a text does not: what a note quotes is not to be found there.
    after = {"state": state} | ({"note": "changed"} if note != row.note else {})
    audit.record(session, actor, "mark feedback", kind, object_id, before=was, after=after, now=now)
    if state == UNREAD:
        session.delete(row)
    else:
        session.add(_taken(row, actor, state, note, now))
    session.flush()


def _taken(row: Handling, actor: Person, state: str, note: str, now: int) -> Handling:
    row.was_state, row.was_note, row.was_at, row.was_by = row.state, row.note, row.at, row.by
    row.state, row.note, row.at, row.by = state, note, now, actor.actor
    return row
