"""A mail is claimed by one sender, on both databases; and `fleet mail test` says what the mail server said."""

import pytest
from sqlmodel import select

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.db import Database
from fleet_server.mails import outbox
from fleet_server.mails.models import Mail
from tests.conftest import MONDAY_10
from tests.fleet_server.commands.test_fleet_commands import fleet
from tests.fleet_server.mails.post_office import Box, post_office

__all__ = ["fleet"]


def test_a_mail_has_one_sender_at_a_time_and_whoever_lost_it_changes_nothing(
    shared_database: Database,
) -> None:
    database, now = shared_database, MONDAY_10
    with database.write() as session:
        user = accounts.create_user(
            session, email="a@example.org", name="A", language="fi", roles=[(Role.OPERATOR, None)], now=now
        )
        for _ in range(2):
            outbox.add(session, "weekly:2026-W10:1", user.id or 0, now=now)
    with database.read() as session:
        (number,) = outbox.due(session, now=now, most=9)
    with database.write() as session:
        first = outbox.claim(session, number, now=now)
    with database.write() as session:
        assert outbox.claim(session, number, now=now) is None
        assert outbox.due(session, now=now, most=9) == []
    later = now + outbox.LEASE_MS
    with database.write() as session:
        second = outbox.claim(session, number, now=later)
    assert first is not None
    assert second is not None
    with database.write() as session:
        assert not outbox.hand_over(session, first, now=later), "it is another's by now"
        outbox.later(session, first, "slow", now=later)
        assert outbox.hand_over(session, second, now=later)
        outbox.sent(session, second, now=later)
        outbox.unsure(session, second, "too late to say", now=later)
    with database.read() as session:
        row = session.exec(select(Mail)).one()
        assert (row.state, row.attempts, row.fault) == ("sent", 2, "")
    with database.write() as session:
        outbox.add(session, "weekly:2026-W10:1", row.user_id, now=later)
        assert outbox.due(session, now=later, most=9) == []


def test_fleet_mail_test_says_what_the_mail_server_said(fleet) -> None:
    box = Box(to_recipient={"nobody@example.org": "550 no such user"})
    with post_office(box) as port:
        known = {
            "SMTP_HOST": "localhost", "SMTP_PORT": str(port), "SMTP_SECURITY": "none",
            "SMTP_SENDER": "hymio@county.example",
        }  # fmt: skip
        done = fleet("mail", "test", "anna@example.org", **known)
        assert done.stdout.endswith("took it; look into the mailbox of anna@example.org\n"), done.stderr
        done = fleet("mail", "test", "nobody@example.org", **known)
        assert (done.returncode, done.stderr) == (
            1, f"fleet: localhost:{port} (none) refused the mail: 550 no such user\n",
        )  # fmt: skip
    assert [str(mail["To"]) for mail in box.arrived] == ["anna@example.org"]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "SMTP_HOST is not set: no mail is sent; see docs/operations.md"),
        ({"SMTP_HOST": "mail.example"}, "SMTP_HOST=mail.example needs SMTP_SENDER"),
    ],
)
def test_without_settings_one_line_says_which(fleet, environment: dict[str, str], said: str) -> None:
    done = fleet("mail", "test", "anna@example.org", **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
