"""A mail is handed over encrypted or not at all, and whoever sends it knows how far it got."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from fleet_server.mails.smtp import Connection, Refusal, Trouble, Unsure
from fleet_server.settings import Settings
from tests.fleet_server.mails.post_office import (
    PASSWORD,
    Box,
    certificate,
    hanging_up,
    post_office,
    settings_for,
)

TEXT = "one line\n.one that begins with a dot\n..and two\n"


def message(to: str = "alice@example.org") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Päivää", "hymio@county.example", to
    made.set_content(TEXT)
    return made


def test_over_starttls_with_our_ca_and_a_password_it_arrives_as_written(tmp_path: Path) -> None:
    box, pem, password = Box(), certificate(tmp_path), tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    with post_office(box, pem) as port:
        known = {"smtp_security": "starttls", "smtp_username": "hymio", "smtp_password_file": password}
        with Connection(settings_for(port, **known, smtp_ca_file=pem)) as connection:
            assert connection.send(message(), lambda: True)
        with pytest.raises(Trouble, match="certificate verify failed"):  # a CA that nobody trusts
            Connection(settings_for(port, **known))
        password.write_text("another")
        with pytest.raises(Trouble, match="535"):
            Connection(settings_for(port, **known, smtp_ca_file=pem))
    (mail,) = box.arrived
    assert (mail["Subject"], mail.get_content().replace("\r\n", "\n")) == ("Päivää", TEXT)
    assert box.encrypted == [True]


def test_what_the_server_says_decides_between_never_later_and_perhaps() -> None:
    box = Box(to_recipient={"gone@example.org": "550 no such user", "full@example.org": "451 later"})
    with post_office(box) as port:
        with pytest.raises(Trouble, match="STARTTLS"):  # never in the clear instead
            Connection(settings_for(port, smtp_security="starttls"))
        with Connection(settings_for(port)) as connection:
            with pytest.raises(Refusal, match="550 no such user"):
                connection.send(message("gone@example.org"), lambda: True)
            with pytest.raises(Trouble, match="451 later") as later:
                connection.send(message("full@example.org"), lambda: True)
            assert not later.value.gone
            assert connection.send(message(), lambda: True), "the connection goes on"
            box.to_text = "554 looks like spam"
            with pytest.raises(Refusal, match="554"):
                connection.send(message(), lambda: True)
            box.to_text = ""
            assert not connection.send(message(), lambda: False), "nobody wants it sent any more"
    assert len(box.arrived) == 1
    with pytest.raises(Trouble):  # nobody listens
        Connection(settings_for(port))


def test_a_server_that_hangs_up_before_the_text_has_no_mail_and_after_it_perhaps() -> None:
    handed: list[int] = []
    for after, expected in (("RCPT", Trouble), ("text", Unsure)):
        with hanging_up(after) as port, Connection(settings_for(port)) as connection, pytest.raises(expected):
            connection.send(message(), lambda: not handed.append(1))
    assert len(handed) == 1


def test_settings_that_cannot_work_are_refused_with_what_to_do() -> None:
    for more, said in (
        ({"smtp_sender": ""}, "needs SMTP_SENDER"),
        ({"smtp_username": "hymio"}, "belong together"),
        ({"smtp_username": "hymio", "smtp_password_file": "p"}, "unencrypted"),
    ):
        with pytest.raises(ValueError, match=said):
            settings_for(25, **more)
    assert Settings().smtp_host == ""
