"""Drafts: question sets while they are made, every edit of them, and who has seen which content on a screen."""

from sqlalchemy import BigInteger, Column, String
from sqlmodel import Field, SQLModel


class Draft(SQLModel, table=True):
    """A question set while it is made. `body` is a set's (questions/schema.py) without a number.

    `state`: `open`; `asked` (waits for a second person); `approved`; `published`; `dropped`. An edit of an asked or
    approved draft opens it again: what is approved is a revision, not a draft.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    family: int | None = Field(default=None, description="number of the first version; null: a new set")
    previous: int | None = Field(default=None, foreign_key="question_set.number")
    body: str = Field(sa_column=Column(String, nullable=False))
    revision: int = Field(default=0, description="of its newest edit, from 1")
    state: str = Field(default="open", max_length=10, index=True)
    created_at: int = Field(sa_type=BigInteger)
    created_by: str = Field(max_length=200)
    edited_at: int = Field(sa_type=BigInteger)
    edited_by: str = Field(max_length=200)
    asked_at: int | None = Field(default=None, sa_type=BigInteger)
    asked_by: str | None = Field(default=None, max_length=200)
    approved_at: int | None = Field(default=None, sa_type=BigInteger)
    approved_by: str | None = Field(default=None, max_length=200)
    published_number: int | None = Field(default=None, foreign_key="question_set.number")


class DraftEdit(SQLModel, table=True):
    """One edit: what it did and what undoes it, both as operations (drafts/ops.py). None ever goes.

    `undoes`: the revision that this edit took back.
    """

    __tablename__ = "draft_edit"

    draft_id: int = Field(primary_key=True, foreign_key="draft.id", sa_column_kwargs={"autoincrement": False})
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_type=BigInteger)
    by: str = Field(max_length=200)
    op: str = Field(sa_column=Column(String, nullable=False), description="JSON")
    inverse: str = Field(sa_column=Column(String, nullable=False), description="JSON")
    undoes: int | None = Field(default=None)


class Preview(SQLModel, table=True):
    """Somebody looked at all screens of exactly this content as a model draws them, or walked through its flow."""

    id: int | None = Field(default=None, primary_key=True)
    content_hash: str = Field(index=True, max_length=64)
    model: str = Field(max_length=20)
    walked: bool = Field(default=False)
    at: int = Field(sa_type=BigInteger)
    by: str = Field(max_length=200)
