"""The server's settings, from the environment alone; `fleet check-settings` and docs/operations.md list the same names.

A value that cannot be right stops the start with the name and the value.
"""

from email.utils import parseaddr
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_PUBLIC_ADDRESS = (
    80  # a longer one makes a QR code whose modules are too fine for an old phone at arm's length
)


class Settings(BaseSettings):
    """One field per environment variable, named alike in capitals."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore")

    data_dir: Path = Field(
        default=Path("data"), description="Database, flash images and the first sign-in live here."
    )
    database_url: str = Field(
        default="", description="Empty: SQLite in DATA_DIR. postgresql+psycopg://… for PostgreSQL."
    )
    http_host: str = Field(default="127.0.0.1", description="Address the pages listen on.")
    http_port: int = Field(default=8000, ge=1, le=65535, description="Port of the pages and of the API.")
    mqtt_port: int = Field(
        default=1883, ge=1, le=65535, description="Port of the embedded broker, or of MQTT_HOST."
    )
    mqtt_host: str = Field(
        default="", description="Empty: embedded broker on 127.0.0.1. Else an MQTT 3.1.1 broker."
    )
    mqtt_username: str = Field(default="", description="The server's own name at MQTT_HOST.")
    mqtt_password_file: Path | None = Field(
        default=None, description="File with the server's password at MQTT_HOST."
    )
    mqtt_ca_file: Path | None = Field(
        default=None, description="CA (PEM) of MQTT_HOST; given: TLS, verified."
    )
    kiosk_mqtt_host: str = Field(
        default="",
        description="The broker as kiosks see it. Empty: MQTT_HOST, or 127.0.0.1 for the embedded one.",
    )
    kiosk_mqtt_port: int = Field(default=0, ge=0, le=65535, description="Its port. 0: MQTT_PORT.")
    kiosk_mqtt_ca_file: Path | None = Field(
        default=None,
        description="CA (PEM) of the broker for kiosks; given: they use TLS. None: MQTT_CA_FILE.",
    )
    public_url: str = Field(
        default="",
        description="Address of the pages as people type it (https://hymio.county.example), for links that are sent.",
    )
    public_address: str = Field(
        default="",
        description="Address at which phones reach /p/ (https://palaute.county.example). Empty: no QR codes.",
    )
    secure_cookies: bool = Field(default=False, description="True behind HTTPS: cookies are marked Secure.")
    trusted_proxy: str = Field(
        default="",
        description="Address of the proxy before the pages, whose X-Forwarded-For is believed. Empty: nobody's.",
    )
    smtp_host: str = Field(default="", description="Mail server that takes our mail. Empty: no mail is sent.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of SMTP_HOST.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="starttls: encrypted after the greeting (587); tls: from the start (465); none: not at all (25).",
    )
    smtp_username: str = Field(
        default="", description="The server's own name at SMTP_HOST, if it asks for one."
    )
    smtp_password_file: Path | None = Field(
        default=None, description="File with the server's password at SMTP_HOST."
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="CA (PEM) of SMTP_HOST; default: those that the system trusts."
    )
    smtp_sender: str = Field(
        default="", description="Sender of our mail, name and address: Hymiö <hymio@county.example>."
    )
    demo: bool = Field(
        default=False, description="True under `make run`: 'Try a kiosk' and simulated patients exist."
    )

    @field_validator("trusted_proxy")
    @classmethod
    def _proxy_is_an_address(cls, value: str) -> str:
        for address in value.split(",") if value else ():
            ip_network(address.strip())  # its ValueError names the address
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (
            parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
        ):
            raise ValueError("must begin with https:// or http:// and a host name")
        return value.rstrip("/")

    @field_validator("public_address")
    @classmethod
    def _public_address_is_for_phones(cls, value: str) -> str:
        """It is printed: https, short, and nothing behind the host, since links and style sheets begin at /."""
        value = value.rstrip("/")
        if not value:
            return value
        parts = urlsplit(value)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("must begin with https:// (http:// is for localhost alone)")
        if not parts.hostname or value != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
            raise ValueError("must be https:// and a host name, with a port if need be and nothing behind it")
        if len(value) > MAX_PUBLIC_ADDRESS or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError(f"must have at most {MAX_PUBLIC_ADDRESS} characters, all of ASCII")
        parts.port  # noqa: B018  (its ValueError names the port)
        return value.lower()

    @model_validator(mode="after")
    def _password_needs_a_name(self) -> "Settings":
        if self.mqtt_host and not (self.mqtt_username and self.mqtt_password_file):
            raise ValueError(f"MQTT_HOST={self.mqtt_host} needs MQTT_USERNAME and MQTT_PASSWORD_FILE")
        return self

    @model_validator(mode="after")
    def _mail_needs_a_sender(self) -> "Settings":
        if self.smtp_host and "@" not in parseaddr(self.smtp_sender)[1]:
            raise ValueError(
                f"SMTP_HOST={self.smtp_host} needs SMTP_SENDER, an address such as hymio@county.example"
            )
        if bool(self.smtp_username) != bool(self.smtp_password_file):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD_FILE belong together: one of them is not set")
        if self.smtp_username and self.smtp_security == "none":
            raise ValueError("SMTP_SECURITY=none would send the password of SMTP_USERNAME unencrypted")
        return self

    @cached_property
    def address(self) -> str:
        """Where people find the pages, without a slash at its end: PUBLIC_URL, else as the server itself listens."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.http_host, self.http_host)  # noqa: S104
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.http_port}"

    def address_for(self, host: str) -> str:
        """The address for a link that is shown to whoever asked for `host` (its header): theirs only when it is this
        machine by name. Another could be made up, and the link would lead a new person's password astray."""
        name = urlsplit(f"//{host}").hostname
        ours = name in {"localhost", "127.0.0.1", "::1", self.http_host}
        return f"http://{host}" if ours and not self.public_url else self.address

    @cached_property
    def database(self) -> str:
        """SQLAlchemy address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'hymio.db'}"
