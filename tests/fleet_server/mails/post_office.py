"""Mail servers on this machine: a real one over TLS, whose mood a test sets; one that hangs up when it is told to."""

import asyncio
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fleet_server.settings import Settings

PASSWORD = "mail password"


@dataclass
class Box:
    """What arrived; and what the server says instead of 250 to a recipient or a text, while it says that."""

    arrived: list[EmailMessage] = field(default_factory=list)
    to_recipient: dict[str, str] = field(default_factory=dict)
    to_text: str = ""
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Envelope, to: str, _options: Any
    ) -> str:  # noqa: N802
        if to in self.to_recipient:
            return self.to_recipient[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.to_text:
            return self.to_text
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.arrived.append(message)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"


def certificate(folder: Path) -> Path:
    """A certificate for localhost that signs itself, with its key: one file, also the CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def post_office(box: Box, pem: Path | None = None) -> Iterator[int]:
    """The server's port; with `pem` it offers STARTTLS and takes mail of nobody but user `hymio` with PASSWORD."""
    options: dict[str, Any] = {}
    if pem is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)

        def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            right = (data.login, data.password) == (b"hymio", PASSWORD.encode())
            return AuthResult(success=right, handled=right)

        options = {
            "tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": known,
        }  # fmt: skip
    loop = asyncio.new_event_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    server = loop.run_until_complete(
        loop.create_server(lambda: SMTP(box, hostname="localhost", loop=loop, **options), sock=listening)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def hanging_up(after: str) -> Iterator[int]:
    """A server that says what it should and hangs up `after` RCPT, or after it has read the whole text (`text`)."""
    listening = socket.create_server(("localhost", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rwb") as lines:

            def say(line: bytes) -> None:
                lines.write(line + b"\r\n")
                lines.flush()

            say(b"220 here")
            for line in lines:
                if line.upper().startswith(b"RCPT") and after == "RCPT":
                    return
                if line.upper().startswith(b"DATA"):
                    say(b"354 go on")
                    for text in lines:
                        if text == b".\r\n":
                            return
                say(b"250 OK")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(10)


def settings_for(port: int, **more: Any) -> Settings:
    """Settings of a server that sends over this port, in the clear unless they say otherwise."""
    known = {"smtp_host": "localhost", "smtp_port": port, "smtp_security": "none"}
    known |= {"smtp_sender": "Hymiö <hymio@county.example>", "public_url": "https://hymio.county.example"}
    return Settings(**(known | more))
