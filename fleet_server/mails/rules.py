"""When the weekly mail goes out, for which week, and the signed links in mails. It knows no mail server.

Invariant: a link says who signed it up and what it stops; nobody can make one up.
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.db import insert_for
from fleet_server.instants import DAY_MS, HELSINKI, local, to_ms
from fleet_server.mails.models import MailRule
from fleet_server.refusals import N_, Faults

WEEKDAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip
LATEST_MS = 2 * DAY_MS  # a server that was down that long sends no mail of that week any more
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_TOKEN = re.compile(r"(weekly|watch)-(\d{1,10})-([0-9a-f]{32})")
_SIGNATURE = 32  # hex digits: 128 bits


def rule(session: Session) -> MailRule:
    """When it goes out; Monday at seven before anybody decides. Without a key: see `keep`."""
    return session.get(MailRule, 1) or MailRule(key="")


def keep(session: Session) -> None:
    """Make the key, once; at each start of the server."""
    insert = insert_for(session, MailRule).values(id=1, weekday=0, hour=7, key=secrets.token_hex(32))
    session.connection().execute(insert.on_conflict_do_nothing())


def change(session: Session, actor: Person, *, weekday: str, hour: str, now: int) -> None:
    """Decide anew when it goes out. Raises Refused with what was typed."""
    faults = Faults()
    if weekday not in {str(number) for number in range(7)}:
        faults.add("weekday", N_("“%(value)s” is no day of the week."), value=weekday)
    if not (hour.isascii() and hour.isdecimal() and int(hour) <= 23):
        faults.add("hour", N_("“%(value)s” is no hour, must be 0 to 23."), value=hour)
    faults.check()
    keep(session)
    row = session.get_one(MailRule, 1)
    before, after = [
        {"weekday": d, "hour": h} for d, h in ((row.weekday, row.hour), (int(weekday), int(hour)))
    ]
    if before == after:
        return
    row.weekday, row.hour = int(weekday), int(hour)
    session.add(row)
    audit.record(
        session, actor, "change time of the weekly mail", "county", "weekly_mail", before, after, now=now
    )


def due_week(held: MailRule, now: int) -> tuple[str, int] | None:
    """The week whose mail is to go out now, with the instant from which on; None between times."""
    week, at = _of_week(held, now, 0)
    return (week, at) if at <= now < at + LATEST_MS else None


def next_at(held: MailRule, now: int) -> int:
    """When the next one goes out."""
    return next(at for shift in (0, 1) if (at := _of_week(held, now, shift)[1]) > now)


def last_instant(week: str) -> int:
    """The end of the whole weeks that the mail of a week is about: the last instant before its Monday."""
    found = _WEEK.fullmatch(week)
    if found is None:
        raise ValueError(f"{week!r} is no week such as 2026-W10")
    monday = datetime.fromisocalendar(int(found[1]), int(found[2]), 1).replace(tzinfo=HELSINKI)
    return to_ms(monday) - 1


def _of_week(held: MailRule, now: int, shift: int) -> tuple[str, int]:
    day = local(now).date()
    day += timedelta(days=7 * shift + held.weekday - day.weekday())
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}", to_ms(datetime(day.year, day.month, day.day, held.hour, tzinfo=HELSINKI))


def stop_token(key: str, kind: str, number: int) -> str:
    """What stops the weekly mails of a person (`weekly`, her id) or the mails of a watch (`watch`, its id)."""
    return f"{kind}-{number}-{sign(key, f'{kind}-{number}')}"


def read_token(key: str, token: str) -> tuple[str, int] | None:
    """(kind, number) of a token that we signed."""
    found = _TOKEN.fullmatch(token)
    if found is None or not key:
        return None
    kind, number = found[1], int(found[2])
    return (kind, number) if hmac.compare_digest(found[3], sign(key, f"{kind}-{number}")) else None


def sign(key: str, text: str) -> str:
    """Our signature of a text."""
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()[:_SIGNATURE]
