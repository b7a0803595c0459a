"""To which question, of which set, the newest booked answer of a kiosk was given; never what it was.

Its time does not grow with the number of answers: it reads one record, from the end of one epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.answers import wire
from fleet_server.answers.books import EpochBooks
from fleet_server.answers.models import Record
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet


@dataclass(frozen=True)
class NewestAnswer:
    """The set that the answer names and will name for ever; `code`: the question's, '' when the set is not known."""

    number: int
    name: str
    code: str


def newest_answer(session: Session, device_id: str, epochs: Sequence[EpochBooks]) -> NewestAnswer | None:
    """Of a device with these epochs, oldest first; None when nothing was received."""
    epoch = next((one.epoch for one in reversed(epochs) if one.received), None)
    if epoch is None:
        return None
    row = session.exec(
        select(Record.set_number, Record.question)
        .where(Record.device_id == device_id, Record.epoch == epoch, Record.kind == wire.KIND_ANSWER)
        .order_by(col(Record.seq).desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    number, position = row
    known = session.get(QuestionSet, number)
    if known is None:
        return NewestAnswer(number, "", "")
    asked = questions.body_of(known).get("questions", [])
    code = asked[position].get("code") if position < len(asked) else None
    return NewestAnswer(number, known.name, code if isinstance(code, str) else "")
