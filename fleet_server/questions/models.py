"""Question sets as they are kept, which of them was published to which device, and the national items loaded."""

from sqlalchemy import BigInteger, Column, String
from sqlmodel import Field, SQLModel


class QuestionSet(SQLModel, table=True):
    """One immutable question set; `number` (u16) goes into every record, so an answer names its wording for ever."""

    __tablename__ = "question_set"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(max_length=200)
    version: str = Field(max_length=20)
    body: str = Field(sa_column=Column(String, nullable=False), description="JSON, see questions/schema.py")
    hash: str = Field(max_length=64, unique=True, description="SHA-256 of the body, hex")
    source: str = Field(default="", max_length=200)
    created_at: int = Field(sa_type=BigInteger)
    family: int = Field(
        index=True, description="number of the first of its versions; its own when it is that"
    )
    previous: int | None = Field(default=None, description="number of the version that it was made from")
    label: str = Field(default="", max_length=40)
    change: str = Field(
        default="",
        max_length=100,
        description="against `previous`, see questions/compare.py: `wording,order`",
    )
    archived_at: int | None = Field(default=None, sa_type=BigInteger)
    made_by: str = Field(default="", max_length=200)
    approved_by: str = Field(default="", max_length=200)


class Publication(SQLModel, table=True):
    """A question set was published to a device; the newest row of a device is what is wished of it."""

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    set_number: int = Field(foreign_key="question_set.number")
    published_at: int = Field(sa_type=BigInteger)
    published_by: str = Field(max_length=200)
    rollout_id: int | None = Field(default=None, foreign_key="rollout.id")


class NationalItem(SQLModel, table=True):
    """A version of a ready question that was loaded from a file (questions/loading.py). None ever changes or goes.

    `body`: JSON, one entry of `items` as in data/items.json. The version is ours: one more for each other wording.
    """

    __tablename__ = "national_item"

    code: str = Field(primary_key=True, max_length=20)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    body: str = Field(sa_column=Column(String, nullable=False))
    source: str = Field(max_length=200, description="name of the file")
    loaded_at: int = Field(sa_type=BigInteger)
    loaded_by: str = Field(max_length=200)
