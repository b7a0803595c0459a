"""Plans the weekly mails: once for each week and person, whatever stops the server in between.

It writes no mail. Invariant: the key names week and person, so a second one cannot be planned.
"""

from sqlmodel import Session, col, select

from fleet_server.accounts.models import User
from fleet_server.mails import outbox, rules
from fleet_server.mails.models import Mail, WeeklyMail

KIND = "weekly"


def key_of(week: str, user_id: int) -> str:
    """The key of a person's mail of a week (`2026-W10`)."""
    return f"{KIND}:{week}:{user_id}"


def plan(session: Session, *, now: int) -> int:
    """Plan the mails that are due now; who subscribed after that instant waits for the next. How many there are."""
    due = rules.due_week(rules.rule(session), now)
    if due is None:
        return 0
    week, since = due
    planned = select(Mail.user_id).where(col(Mail.key).startswith(f"{KIND}:{week}:"))
    users = session.exec(
        select(WeeklyMail.user_id)
        .join(User, col(User.id) == col(WeeklyMail.user_id))
        .where(col(WeeklyMail.paused_at).is_(None), WeeklyMail.created_at <= since)
        .where(col(User.disabled_at).is_(None), col(WeeklyMail.user_id).not_in(planned))
        .distinct()
        .order_by(col(WeeklyMail.user_id))
    ).all()
    for user_id in users:
        outbox.add(session, key_of(week, user_id), user_id, now=now)
    return len(users)
