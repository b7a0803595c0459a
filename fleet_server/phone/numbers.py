"""The number of a form: what makes a form that is sent twice count once. It knows no place, no person and no answer.

The hour at which the form was given out and 96 random bits, 32 hex digits. Who makes one up gains nothing: asking for
the form gives one as well. Invariant: of equal numbers no more than one is ever claimed, and what is too old to be
remembered is refused before.
"""

import re
import secrets

from sqlmodel import Session, col, delete

from fleet_server.db import insert_for
from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.phone.models import SentForm

OPEN_MS = 7 * DAY_MS  # begun at the exit, finished at home, sent when there is a network again
_KEPT_MS = OPEN_MS + DAY_MS
_NUMBER = re.compile("[0-9a-f]{32}")


def new_number(now: int) -> str:
    """The number of a form that is given out at `now` (UTC ms)."""
    return f"{_hour(now)}{secrets.token_hex(12)}"


def is_open(number: str, now: int) -> bool:
    """Whether a form with this number may be sent at `now`; False, too, for what is no number."""
    if not _NUMBER.fullmatch(number):
        return False
    # An hour to come: the clock was set back since. What is further off was made up, and would be kept too long.
    return now - OPEN_MS <= int(number[:8], 16) * HOUR_MS <= now + HOUR_MS


def claim(session: Session, number: str, now: int) -> bool:
    """Whether this form is sent for the first time; from now on it is not any more."""
    session.exec(delete(SentForm).where(col(SentForm.number) < _hour(now - _KEPT_MS)))
    insert = insert_for(session, SentForm).values(number=number).on_conflict_do_nothing()
    # By what came back: a count of rows is not given by every driver.
    return session.connection().execute(insert.returning(col(SentForm.number))).first() is not None


def _hour(instant: int) -> str:
    return f"{instant // HOUR_MS:08x}"
