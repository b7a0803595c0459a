"""The server's settings, from the environment alone; `fleet check-settings` and docs/operations.md list the same names.

A value that cannot be right stops the start with the name and the value.
"""

from functools import cached_property
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    secure_cookies: bool = Field(default=False, description="True behind HTTPS: cookies are marked Secure.")
    trusted_proxy: str = Field(
        default="",
        description="Address of the proxy before the pages, whose X-Forwarded-For is believed. Empty: nobody's.",
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

    @model_validator(mode="after")
    def _password_needs_a_name(self) -> "Settings":
        if self.mqtt_host and not (self.mqtt_username and self.mqtt_password_file):
            raise ValueError(f"MQTT_HOST={self.mqtt_host} needs MQTT_USERNAME and MQTT_PASSWORD_FILE")
        return self

    @cached_property
    def database(self) -> str:
        """SQLAlchemy address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'hymio.db'}"
