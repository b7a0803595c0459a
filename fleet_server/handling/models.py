"""What people make of feedback: themes of texts, what was done about it, reading lists, and "You said, we did".

Invariant: when a text is forgotten, nothing here holds it or a way to it.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String
from sqlmodel import Field, SQLModel


def _of(key: str) -> Column:  # type: ignore[type-arg]
    """A part of a primary key that goes with the row it points to."""
    return Column(Integer, ForeignKey(key, ondelete="CASCADE"), primary_key=True, autoincrement=False)


def _from(key: str) -> Column:  # type: ignore[type-arg]
    """A pointer that is emptied when the row it points to goes."""
    return Column(Integer, ForeignKey(key, ondelete="SET NULL"), nullable=True)


class Theme(SQLModel, table=True):
    """What a text may be about. `words_…`: beginnings of words in this language, small letters, one a line."""

    id: int | None = Field(default=None, primary_key=True)
    name_fi: str = Field(max_length=60)
    name_sv: str = Field(max_length=60)
    name_en: str = Field(max_length=60)
    words_fi: str = Field(sa_column=Column(String, nullable=False))
    words_sv: str = Field(sa_column=Column(String, nullable=False))
    words_en: str = Field(sa_column=Column(String, nullable=False))


class TextTheme(SQLModel, table=True):
    """This text has a word of this theme. Made anew when either changes."""

    __tablename__ = "text_theme"
    __table_args__ = (Index("ix_text_theme_theme", "theme_id", "text_id"), {"sqlite_with_rowid": False})

    text_id: int = Field(sa_column=_of("released_text.id"))
    theme_id: int = Field(sa_column=_of("theme.id"))


class Handling(SQLModel, table=True):
    """How far feedback was handled: a text (`text_id`), or a question of a subject in a time (`series_id`).

    Of a text, `scope` and `scope_id` are its place's and [start, stop) its block's days, so that a note can be read
    when the text is forgotten: `text_id` is null then. `was_…`: what undoing brings back; no state: the row goes.
    """

    __table_args__ = (
        Index("ix_handling_subject", "scope", "scope_id", "series_id"),
        Index("uq_handling_text", "text_id", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    text_id: int | None = Field(default=None, sa_column=_from("released_text.id"))
    scope: str = Field(max_length=6)
    scope_id: int
    series_id: int | None = Field(default=None, foreign_key="series.id")
    start: int = Field(sa_type=BigInteger)
    stop: int = Field(sa_type=BigInteger)
    state: str = Field(max_length=10, description="`read`, `discussed` or `acted`")
    note: str = Field(default="", max_length=1_000)
    at: int = Field(sa_type=BigInteger)
    by: str = Field(max_length=200)
    was_state: str = Field(default="", max_length=10)
    was_note: str = Field(default="", max_length=1_000)
    was_at: int = Field(default=0, sa_type=BigInteger)
    was_by: str = Field(default="", max_length=200)


class ReadingListEntry(SQLModel, table=True):
    """A person chose this text for the next staff meeting."""

    __tablename__ = "reading_list_entry"
    __table_args__ = (Index("ix_reading_list_entry_text_id", "text_id"),)

    user_id: int = Field(sa_column=_of("user_account.id"))
    text_id: int = Field(sa_column=_of("released_text.id"))
    added_at: int = Field(sa_type=BigInteger)


class SaidAndDid(SQLModel, table=True):
    """What visitors said and what was done, of a place, or of a unit with all its places.

    Everybody may read it from `published_at` on, until `ends_at` if that is set; with `on_kiosks` the touch kiosks
    there show it on their resting screens, too. A language has both texts or none. `text_id`: the text from which it
    was written, if any, as long as that is kept.
    """

    __tablename__ = "said_and_did"
    __table_args__ = (
        Index("ix_said_and_did_subject", "scope", "scope_id"),
        Index("ix_said_and_did_text_id", "text_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    scope: str = Field(max_length=6)
    scope_id: int
    text_id: int | None = Field(default=None, sa_column=_from("released_text.id"))
    said_fi: str = Field(default="", max_length=300)
    said_sv: str = Field(default="", max_length=300)
    said_en: str = Field(default="", max_length=300)
    did_fi: str = Field(default="", max_length=300)
    did_sv: str = Field(default="", max_length=300)
    did_en: str = Field(default="", max_length=300)
    changed_at: int = Field(sa_type=BigInteger)
    changed_by: str = Field(max_length=200)
    published_at: int | None = Field(default=None, sa_type=BigInteger)
    on_kiosks: bool = Field(default=False)
    ends_at: int | None = Field(default=None, sa_type=BigInteger)
