"""Hands one mail over to the mail server, and says exactly how far it got. It knows no table and no content.

The dialogue is smtplib's, but for the last step: whoever wants a mail to arrive once must know whether the text was
handed over at all, and smtplib's `sendmail` says the same for "not yet" and "perhaps". By RFC 5321 a server has a mail
only after the line with a single dot; that is the last thing we write.
"""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr
from types import TracebackType

from fleet_server.settings import Settings

TIMEOUT_S = 30
CLOSING = 421


class Refusal(Exception):
    """The mail server will never take this mail."""


class Trouble(Exception):
    """It was surely not taken now, and may be later. `gone`: the connection is of no more use."""

    def __init__(self, fault: object, *, gone: bool = True) -> None:
        super().__init__(str(fault))
        self.gone = gone


class Unsure(Exception):
    """It was handed over, and the connection broke before a word came back."""


class Connection:
    """A connection to the mail server of the settings; raises Trouble when there is none."""

    def __init__(self, settings: Settings) -> None:  # smtplib's exceptions are all kinds of OSError
        self._sender = parseaddr(settings.smtp_sender)[1]
        try:
            self._smtp = _connect(settings)
        except OSError as fault:
            raise Trouble(_said(fault)) from None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Take leave, if the server still listens."""
        with suppress(OSError):
            self._smtp.quit()
        self._smtp.close()

    def send(self, message: EmailMessage, hand_over: Callable[[], bool]) -> bool:
        """Send to the one address in `To`. Raises Refusal, Trouble or Unsure.

        `hand_over` is called just before the text is written: when it says False, nothing is, and this returns False.
        """
        recipient = parseaddr(str(message["To"]))[1]
        try:
            recipient.encode("ascii")
        except UnicodeEncodeError:
            raise Refusal(f"{recipient!r} is no address that every mail server knows") from None
        try:
            self._expect(250, *self._smtp.mail(self._sender))
            self._expect(250, *self._smtp.rcpt(recipient))
            self._expect(354, *self._smtp.docmd("DATA"))
        except OSError as fault:
            raise Trouble(_said(fault)) from None
        if not hand_over():
            self._smtp.close()  # after DATA there is no other way to take it back
            return False
        try:
            self._smtp.send(_quoted(message))
        except OSError as fault:  # the dot is still here
            raise Trouble(_said(fault)) from None
        try:
            reply = self._smtp.getreply()
        except OSError as fault:
            raise Unsure(_said(fault)) from None
        self._expect(250, *reply)
        return True

    def _expect(self, wanted: int, code: int, text: bytes) -> None:
        if code == wanted or (wanted == 250 and code == 251):
            return
        fault = f"{code} {text.decode('utf-8', 'replace')}"
        if code == CLOSING:
            raise Trouble(fault)
        with suppress(OSError):  # a connection that broke is found at its next use
            self._smtp.rset()
        if code >= 500:
            raise Refusal(fault)
        raise Trouble(fault, gone=False)


def _connect(settings: Settings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=settings.smtp_ca_file)
    address = (settings.smtp_host, settings.smtp_port)
    if settings.smtp_security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(*address, timeout=TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(*address, timeout=TIMEOUT_S)
    try:
        if settings.smtp_security == "starttls":
            smtp.starttls(context=context)  # raises when the server has none: never in the clear instead
        if settings.smtp_password_file is not None:
            smtp.login(settings.smtp_username, settings.smtp_password_file.read_text("utf-8").strip())
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _quoted(message: EmailMessage) -> bytes:
    """The message as it goes over the wire: CRLF, lines that begin with a dot get another one, and the last dot."""
    text = message.as_bytes(policy=SMTP_POLICY)
    if not text.endswith(b"\r\n"):
        text += b"\r\n"
    return (
        b"\r\n".join(b"." + line if line.startswith(b".") else line for line in text.split(b"\r\n"))
        + b".\r\n"
    )


def _said(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        said = fault.smtp_error
        return f"{fault.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return f"{type(fault).__name__}: {fault}"
