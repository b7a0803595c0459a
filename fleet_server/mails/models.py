"""What is sent by e-mail: who wants the weekly mail of what, and each mail with what became of it.

No row holds what a mail says: it is written when it is sent, from what may be seen then.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# States of a Mail. Only `waiting` and `claimed` are surely not sent yet.
WAITING = "waiting"
CLAIMED = "claimed"  # somebody writes it and talks to the mail server; after LEASE_MS it waits again
HANDED = "handed"  # its text is being handed over: from here on it may have arrived
SENT = "sent"  # the mail server took it
UNSURE = "unsure"  # handed over, and no word came back: never sent again by itself
FAILED = "failed"  # refused for good, or tried for too long
DROPPED = "dropped"  # there was nothing that this person may see any more

_OPEN = text("state IN ('waiting', 'claimed', 'handed')")


class MailRule(SQLModel, table=True):
    """One row: when the weekly mail goes out (Finland's time), and the key that signs links in mails."""

    __tablename__ = "mail_rule"

    id: int = Field(default=1, primary_key=True)
    weekday: int = Field(default=0, description="0 is Monday")
    hour: int = Field(default=7)
    key: str = Field(max_length=64)


class WeeklyMail(SQLModel, table=True):
    """A person wants the weekly mail of a unit or place; `span` as on its page: the weeks it is about."""

    __tablename__ = "weekly_mail"
    __table_args__ = (UniqueConstraint("user_id", "scope", "scope_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(
        sa_column=Column(Integer, ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False)
    )
    scope: str = Field(max_length=6, description="`unit` or `place`")
    scope_id: int
    span: str = Field(max_length=8, description="`month` or `quarter`")
    created_at: int = Field(sa_type=BigInteger, description="since when it goes on")
    paused_at: int | None = Field(default=None, sa_type=BigInteger)


class Mail(SQLModel, table=True):
    """One mail to one person. `key`: `weekly:2026-W10:7` or `alert:12`; there is never a second one of it.

    `due_at`: when it is tried (again); of a claimed or handed one, until when its sender has it.
    """

    __table_args__ = (Index("ix_mail_open", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=60)
    user_id: int = Field(
        sa_column=Column(
            Integer, ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False, index=True
        )
    )
    state: str = Field(default=WAITING, max_length=8)
    attempts: int = Field(default=0)
    created_at: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    fault: str = Field(
        default="", max_length=300, description="what the mail server or the network said last"
    )
