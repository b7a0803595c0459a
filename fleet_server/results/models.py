"""What was answered, as far as it may be seen: answers that wait, the closed blocks, and the sums of whole blocks.

Nothing here says who answered. Invariant: the sums are the sums of the blocks, and a block never changes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, false
from sqlmodel import Field, SQLModel

# A scale has at most eleven steps, 0 to 10; a choice at most seven options.
MOST_VALUES = 11
VALUES = tuple(f"v{value}" for value in range(MOST_VALUES))

WEEK, MONTH = "week", "month"  # grains of a ScoreSpan

PLACE, UNIT, PUBLIC = "place", "unit", "public"  # scopes of a Score


class Series(SQLModel, table=True):
    """Answers that may be joined: one question in one wording of its source language with one scale.

    `body`: JSON, the question as in the set that asked it first, with that set's `languages`.
    """

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(index=True, max_length=40)
    type: str = Field(max_length=10)
    several: bool = Field(default=False)
    first_set: int = Field(foreign_key="question_set.number")
    body: str = Field(sa_column=Column(String, nullable=False))


class Asked(SQLModel, table=True):
    """Question `question` of a set belongs to this series."""

    set_number: int = Field(
        primary_key=True, foreign_key="question_set.number", sa_column_kwargs={"autoincrement": False}
    )
    question: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    series_id: int = Field(foreign_key="series.id", index=True)


class WaitingAnswer(SQLModel, table=True):
    """An answer that is in no block yet: too few of its kind, or its place, time or question is not known.

    The stream for which it waits: null as long as it has none. All of it is in the index: pages say how many wait.
    """

    __tablename__ = "waiting_answer"
    __table_args__ = (Index("ix_waiting_answer_stream", "place_id", "series_id", "filtered"),)

    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    epoch: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    place_id: int | None = Field(default=None)
    series_id: int | None = Field(default=None)
    filtered: bool | None = Field(default=None)


class Block(SQLModel, table=True):
    """At least k answers of one device at one place to one question, each of another visitor, released together.

    `counts`: JSON {value: answers}. `day`: the Finnish midnight for which it counts, that of its last answer.
    `public`: whether it is in the sums that everybody may see.
    """

    __table_args__ = (
        Index("ix_block_stream", "place_id", "series_id", "public"),
        Index("ix_block_series_day", "series_id", "day", "filtered", "place_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    place_id: int = Field(foreign_key="place.id")
    device_id: str = Field(foreign_key="device.id", max_length=12)
    series_id: int = Field(foreign_key="series.id")
    filtered: bool = Field(default=False, description="answers that a misuse rule left out of the figures")
    k: int = Field(sa_column=Column(SmallInteger, nullable=False), description="what held when it was closed")
    answers: int = Field(sa_column=Column(Integer, nullable=False))
    counts: str = Field(sa_column=Column(String, nullable=False))
    day: int = Field(sa_column=Column(BigInteger, nullable=False))
    since: int = Field(
        sa_column=Column(BigInteger, nullable=False),
        description="the Finnish midnight before its first answer",
    )
    closed_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    public: bool = Field(default=False)


class ReleasedText(SQLModel, table=True):
    """An open text of a block, without what names a person. Its neighbours say nothing of who came when."""

    __tablename__ = "released_text"
    # Of a unit by day, of a place by its own: both without a look at the block, of which each text has what it is
    # found by. What is counted is in the index.
    __table_args__ = (
        Index("ix_released_text_day", "day", "filtered", "place_id"),
        Index("ix_released_text_place", "place_id", "day", "filtered"),
    )

    id: int | None = Field(default=None, primary_key=True)
    block_id: int = Field(foreign_key="block.id", index=True)
    text: str = Field(sa_column=Column(String, nullable=False))
    folded: str = Field(
        sa_column=Column(String, nullable=False),
        description="in small letters, to be searched: SQLite knows no other case than ASCII's",
    )
    day: int = Field(
        default=0,
        sa_column=Column(BigInteger, nullable=False, server_default="0"),
        description="that of its block, as the next two",
    )
    place_id: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    filtered: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    may_name: bool = Field(
        default=False,
        sa_column=Column(Boolean, nullable=False, server_default=false()),
        description="a personal name is likely in it, see handling/naming.py",
    )


class Score(SQLModel, table=True):
    """The sum of whole blocks of a day: of a place by device, of a unit with all below it by channel, or public.

    `source`: device id (`place`), channel (`unit`) or nothing (`public`). `answers`: visitors, `cant_say` of them;
    `v0` to `v10`: how many chose each value, of a choice each option.
    """

    __table_args__ = {"sqlite_with_rowid": False}

    scope: str = Field(primary_key=True, max_length=6)
    scope_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    filtered: bool = Field(primary_key=True)
    day: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    series_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    source: str = Field(primary_key=True, max_length=12)
    answers: int = Field(default=0)
    cant_say: int = Field(default=0)
    v0: int = Field(default=0)
    v1: int = Field(default=0)
    v2: int = Field(default=0)
    v3: int = Field(default=0)
    v4: int = Field(default=0)
    v5: int = Field(default=0)
    v6: int = Field(default=0)
    v7: int = Field(default=0)
    v8: int = Field(default=0)
    v9: int = Field(default=0)
    v10: int = Field(default=0)


class ScoreSpan(SQLModel, table=True):
    """The sum of the scores of a whole week (from Monday) or month: the same figures, so that a year is a few rows.

    `start`: the Finnish midnight at which the week or month begins. All else as in Score.
    """

    __tablename__ = "score_span"
    __table_args__ = {"sqlite_with_rowid": False}

    scope: str = Field(primary_key=True, max_length=6)
    scope_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    filtered: bool = Field(primary_key=True)
    grain: str = Field(primary_key=True, max_length=5)
    start: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    series_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    source: str = Field(primary_key=True, max_length=12)
    answers: int = Field(default=0)
    cant_say: int = Field(default=0)
    v0: int = Field(default=0)
    v1: int = Field(default=0)
    v2: int = Field(default=0)
    v3: int = Field(default=0)
    v4: int = Field(default=0)
    v5: int = Field(default=0)
    v6: int = Field(default=0)
    v7: int = Field(default=0)
    v8: int = Field(default=0)
    v9: int = Field(default=0)
    v10: int = Field(default=0)
