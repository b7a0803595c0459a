"""What a technician did with a device: asked for it, found it good, put it in the place of another."""

from sqlalchemy import BigInteger, Column, String
from sqlmodel import Field, SQLModel


class DeviceOrder(SQLModel, table=True):
    """A device that the station tool asked for: the same key gives the same device, however often it is sent."""

    __tablename__ = "device_order"

    device_id: str = Field(foreign_key="device.id", primary_key=True, max_length=12)
    key: str = Field(unique=True, max_length=64)
    serial: str | None = Field(
        default=None,
        max_length=60,
        index=True,
        description="what is printed on or read from the board: its MAC",
    )
    by: str = Field(max_length=200)
    at: int = Field(sa_type=BigInteger)
    identity_at: int = Field(sa_type=BigInteger, description="when its secret was last made and given out")


class Acceptance(SQLModel, table=True):
    """A report of tests of one device, never changed. `key` of the tool: sent twice, it is kept once."""

    __tablename__ = "acceptance"

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    key: str = Field(unique=True, max_length=64)
    at: int = Field(sa_type=BigInteger, description="when it came")
    tested_at: int = Field(sa_type=BigInteger, description="when the tool says that the tests ended")
    by: str = Field(max_length=200, description="the technician's name")
    verdict: str = Field(max_length=10, description="`passed`, `partial` (steps were skipped) or `failed`")
    body: str = Field(sa_column=Column(String, nullable=False), description="JSON, see reports.Report")


class Swap(SQLModel, table=True):
    """A device took over another's place. The old one is out of service until it stands somewhere again."""

    __tablename__ = "swap"

    id: int | None = Field(default=None, primary_key=True)
    old_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    new_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    place_id: int = Field(foreign_key="place.id")
    at: int = Field(sa_type=BigInteger)
    by: str = Field(max_length=200)
