"""Schedules: which question set is asked when, at which places, on top of what was published to each kiosk."""

from sqlalchemy import BigInteger, Column, String
from sqlmodel import Field, SQLModel


class Schedule(SQLModel, table=True):
    """In [from_at, to_at), at the times of `weekly` (as opening hours, '' any time), these places ask this set.

    `choice`: JSON, see places/choosing.py. `holidays`: `any` (no difference), `not` (never on one), `only`.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    set_number: int = Field(foreign_key="question_set.number")
    choice: str = Field(sa_column=Column(String, nullable=False))
    from_at: int | None = Field(default=None, sa_type=BigInteger)
    to_at: int | None = Field(default=None, sa_type=BigInteger)
    weekly: str = Field(default="", max_length=2_000)
    holidays: str = Field(default="any", max_length=4)
    created_at: int = Field(sa_type=BigInteger)
    created_by: str = Field(max_length=200)
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
