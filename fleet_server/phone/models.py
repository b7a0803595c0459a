"""What phones need kept: which forms were sent already, and the public address as kiosks are told it."""

from sqlmodel import Field, SQLModel


class SentForm(SQLModel, table=True):
    """A form that was booked: its number alone, not where, when or with what answers. See phone/numbers.py."""

    __tablename__ = "sent_form"

    number: str = Field(primary_key=True, max_length=32)


class PublicAddress(SQLModel, table=True):
    """One row: PUBLIC_ADDRESS as the server was last started with it, so that each command tells kiosks the same."""

    __tablename__ = "public_address"

    id: int = Field(default=1, primary_key=True)
    address: str = Field(default="", max_length=200)
