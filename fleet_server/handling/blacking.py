"""Blacks out words of a released text for good: a name that nobody should have to read twice.

As when a text arrives (answers/masking.py), only what is left is kept: in the text, in what is searched, and in the
record that it came in, whose CRC goes too, since words could be computed back from it. Copies made before (print,
export, backup) are out of its reach. Invariant: the audit log says that and by whom, never what.
"""

import hashlib
import re
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.answers import bulk
from fleet_server.answers.masking import MASK
from fleet_server.answers.models import HAS_TEXT, Record
from fleet_server.handling import themes
from fleet_server.handling.naming import may_name
from fleet_server.refusals import N_, Faults
from fleet_server.results.models import ReleasedText
from fleet_server.results.texts import NOT_AS_IT_CAME, as_read

_RECORDS = bulk.table_of(Record)
_PARTS = re.compile(r"\w+(?:[-’'.]\w+)*|\W+?")


class Part(NamedTuple):
    """A piece of a text: a word with its number, which can be blacked out, or what stands between words (None)."""

    text: str
    word: int | None


def parts(text: str) -> list[Part]:
    """The whole text in pieces."""
    found: list[Part] = []
    words = 0
    for piece in _PARTS.findall(text):
        if piece[0].isalnum() or piece[0] == "_":
            found.append(Part(piece, words))
            words += 1
        elif found and found[-1].word is None:
            found[-1] = Part(found[-1].text + piece, None)
        else:
            found.append(Part(piece, None))
    return found


def mark(text: str) -> str:
    """By which a form knows that it shows the text as it is now. Nothing can be read from it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def black_out(
    session: Session,
    actor: Person | str,
    row: ReleasedText,
    words: Collection[int],
    *,
    seen: str,
    confirmed: bool,
    now: int,
) -> None:
    """Replace these words by MASK; `seen`: the `mark` of the text that was looked at.

    Raises Refused when nothing was chosen or confirmed, or the text is not the one that was looked at any more.
    """
    faults, pieces = Faults(), parts(row.text)
    known = {piece.word for piece in pieces if piece.word is not None}
    if seen != mark(row.text):
        faults.add("words", N_("Words of this text were blacked out meanwhile. Choose again."))
    elif not words:
        faults.add("words", N_("No word is chosen. Choose those that are to be blacked out."))
    elif stray := sorted(set(words) - known):
        faults.add("words", N_("The text has no word number %(value)s."), value=stray[0] + 1)
    if not confirmed:
        faults.add("confirmed", N_("Confirm it: what is blacked out cannot be brought back."))
    faults.check()
    before, after = row.text, "".join(MASK if one.word in words else one.text for one in pieces)
    _of_record(session, row.block_id, before, after)
    row.text, row.folded, row.may_name = after, after.casefold(), may_name(after)
    session.add(row)
    session.flush()
    themes.sort(session, [row.id or 0])
    audit.record(
        session, actor, "black out words", "released text", row.id, after={"words": len(set(words))}, now=now
    )


def _of_record(session: Session, block_id: int, before: str, after: str) -> None:
    """The record with this text in the block; of several with the same one: they cannot be told apart, and need not."""
    run = session.connection().execute
    columns: Any = _RECORDS.c
    for row in run(
        select(columns.device_id, columns.epoch, columns.seq, columns.body)
        .where(HAS_TEXT, columns.block_id == block_id)
        .order_by(columns.device_id, columns.epoch, columns.seq)
    ):
        if as_read(bytes(row.body).decode()) == before:
            run(
                update(_RECORDS)
                .where(columns.device_id == row.device_id, columns.epoch == row.epoch, columns.seq == row.seq)
                .values(body=after.encode(), crc=NOT_AS_IT_CAME)
            )
            return
