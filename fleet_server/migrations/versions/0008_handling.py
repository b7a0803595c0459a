"""handling of feedback: themes, states and notes, reading lists, what was said and done; texts by day and record"""

import json
from importlib.resources import files

import sqlalchemy as sa
import sqlmodel
from alembic import op

from fleet_server.handling.naming import may_name
from fleet_server.handling.themes import finder

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_HAS_TEXT = sa.text("kind = 1 AND length(body) > 0")
_STRING = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        "theme",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(f"name_{code}", _STRING(length=60), nullable=False) for code in ("fi", "sv", "en")),
        *(sa.Column(f"words_{code}", sa.String(), nullable=False) for code in ("fi", "sv", "en")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme")),
    )
    op.create_table(
        "text_theme",
        sa.Column("text_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("theme_id", sa.Integer(), autoincrement=False, nullable=False),
        _gone_with("text_theme", "text_id", "released_text"),
        _gone_with("text_theme", "theme_id", "theme"),
        sa.PrimaryKeyConstraint("text_id", "theme_id", name=op.f("pk_text_theme")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_text_theme_theme", "text_theme", ["theme_id", "text_id"])
    op.create_table(
        "handling",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=True),
        sa.Column("scope", _STRING(length=6), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=True),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("stop", sa.BigInteger(), nullable=False),
        sa.Column("state", _STRING(length=10), nullable=False),
        sa.Column("note", _STRING(length=1_000), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", _STRING(length=200), nullable=False),
        sa.Column("was_state", _STRING(length=10), nullable=False),
        sa.Column("was_note", _STRING(length=1_000), nullable=False),
        sa.Column("was_at", sa.BigInteger(), nullable=False),
        sa.Column("was_by", _STRING(length=200), nullable=False),
        _emptied_with("handling", "text_id", "released_text"),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_handling_series_id_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handling")),
    )
    op.create_index("ix_handling_subject", "handling", ["scope", "scope_id", "series_id"])
    op.create_index("uq_handling_text", "handling", ["text_id"], unique=True)
    op.create_table(
        "reading_list_entry",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        _gone_with("reading_list_entry", "user_id", "user_account"),
        _gone_with("reading_list_entry", "text_id", "released_text"),
        sa.PrimaryKeyConstraint("user_id", "text_id", name=op.f("pk_reading_list_entry")),
    )
    op.create_index("ix_reading_list_entry_text_id", "reading_list_entry", ["text_id"])
    op.create_table(
        "said_and_did",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", _STRING(length=6), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=True),
        *(
            sa.Column(f"{side}_{code}", _STRING(length=300), nullable=False)
            for side in ("said", "did")
            for code in ("fi", "sv", "en")
        ),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", _STRING(length=200), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        _emptied_with("said_and_did", "text_id", "released_text"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_said_and_did")),
    )
    op.create_index("ix_said_and_did_subject", "said_and_did", ["scope", "scope_id"])
    op.create_index("ix_said_and_did_text_id", "said_and_did", ["text_id"])

    op.add_column("released_text", sa.Column("day", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("released_text", sa.Column("may_name", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("released_text", sa.Column("place_id", sa.Integer(), server_default="0", nullable=False))
    op.add_column("released_text", sa.Column("filtered", sa.Boolean(), server_default=sa.false(), nullable=False))
    for column in ("day", "place_id", "filtered"):
        op.execute(
            f"UPDATE released_text SET {column} ="  # noqa: S608  (three names)
            f" (SELECT block.{column} FROM block WHERE block.id = released_text.block_id)"
        )
    op.create_index("ix_released_text_day", "released_text", ["day", "filtered", "place_id"])
    op.create_index("ix_released_text_place", "released_text", ["place_id", "day", "filtered"])
    op.create_index(
        "ix_record_text", "record", ["block_id"], sqlite_where=_HAS_TEXT, postgresql_where=_HAS_TEXT
    )
    _look_over_texts()


def _gone_with(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")


def _emptied_with(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="SET NULL")


def _look_over_texts() -> None:
    """The first themes, and what they and the names make of the texts that are released already."""
    run = op.get_bind().execute
    listed = json.loads(files("fleet_server.handling").joinpath("data/themes.json").read_text("utf-8"))
    theme = sa.table("theme", *(sa.column(f"{kind}_{code}") for kind in ("name", "words") for code in ("fi", "sv", "en")))
    finders = []
    for number, one in enumerate(listed["themes"], 1):
        values = {f"name_{code}": one[code] for code in ("fi", "sv", "en")}
        values |= {f"words_{code}": "\n".join(one["words"][code]) for code in ("fi", "sv", "en")}
        run(sa.insert(theme).values(values))
        finders.append((number, finder([word for words in one["words"].values() for word in words])))
    pairs = sa.table("text_theme", sa.column("text_id"), sa.column("theme_id"))
    texts = sa.table("released_text", sa.column("id"), sa.column("text"), sa.column("folded"), sa.column("may_name"))
    for row in run(sa.select(texts.c.id, texts.c.text, texts.c.folded)).all():
        if may_name(row.text):
            run(sa.update(texts).where(texts.c.id == row.id).values(may_name=sa.true()))
        for number, found in finders:
            if found.search(row.folded):
                run(sa.insert(pairs).values(text_id=row.id, theme_id=number))


def downgrade() -> None:
    op.drop_index("ix_record_text", table_name="record", sqlite_where=_HAS_TEXT, postgresql_where=_HAS_TEXT)
    for index in ("ix_released_text_place", "ix_released_text_day"):
        op.drop_index(index, table_name="released_text")
    for column in ("filtered", "place_id", "may_name", "day"):
        op.drop_column("released_text", column)
    for table in ("said_and_did", "reading_list_entry", "handling", "text_theme", "theme"):
        op.drop_table(table)
