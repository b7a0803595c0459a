"""Network settings that somebody has wished of a kiosk, and what became of each."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class NetworkChange(SQLModel, table=True):
    """One wish. None in a field of the network: it stays as it is.

    `key` is the only secret of a network that this server ever holds: it is wiped when the kiosk has it, and when the
    wish ends in another way.
    """

    __tablename__ = "network_change"

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    version: int = Field(sa_type=BigInteger, description="UTC ms; the kiosk takes a higher one only")
    ssid: str | None = Field(default=None, max_length=32, description="'': by cable")
    key: str | None = Field(default=None, max_length=63)
    has_key: bool = Field(default=False, description="whether a key was wished; stays when it is wiped")
    host: str | None = Field(default=None, max_length=253)
    port: int | None = None
    state: str = Field(max_length=10, description="see network.py")
    reason: str = Field(default="", max_length=160)
    by: str = Field(max_length=200)
    at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)
