"""The command `fleet mail`: whether mail gets out."""

from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Annotated

import typer

from fleet_server.instants import now_ms, utc
from fleet_server.mails.smtp import Connection, Refusal, Trouble, Unsure
from fleet_server.serving import CannotStart, read_settings

mail_app = typer.Typer(no_args_is_help=True, help="E-mail that the server sends.")


@mail_app.callback()
def _mail() -> None:
    """E-mail that the server sends."""


@mail_app.command("test")
def send_test(address: Annotated[str, typer.Argument(help="Where to send a line to.")]) -> None:
    """Send one line to ADDRESS, by the settings of the server; says what the mail server said."""
    settings = read_settings()
    if not settings.smtp_host:
        raise CannotStart("SMTP_HOST is not set: no mail is sent; see docs/operations.md")
    if "@" not in parseaddr(address)[1]:
        raise CannotStart(f"{address!r} is no e-mail address")
    message = EmailMessage()
    message["Subject"] = "Hymiö: test"
    message["From"] = settings.smtp_sender
    message["To"] = parseaddr(address)[1]
    message["Date"] = format_datetime(utc(now_ms()))
    message["Message-ID"] = make_msgid(domain=parseaddr(settings.smtp_sender)[1].rpartition("@")[2])
    message.set_content(f"Mail from {settings.address} gets here.\n")
    server = f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
    try:
        with Connection(settings) as connection:
            connection.send(message, lambda: True)
    except Refusal as fault:
        raise CannotStart(f"{server} refused the mail: {fault}") from None
    except (Trouble, Unsure) as fault:
        raise CannotStart(f"{server}: {fault}") from None
    typer.echo(f"{server} took it; look into the mailbox of {address}")
