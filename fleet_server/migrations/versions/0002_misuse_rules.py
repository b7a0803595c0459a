"""misuse rules (opening hours, counts by rule, the version that decided on a clock run) and alarms of the books"""

from collections import Counter

import sqlalchemy as sa
import sqlmodel
from alembic import op

from fleet_server.answers.placing import NOWHERE, bucket
from fleet_server.answers.wire import FLAG_SIMULATED

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "filter_count",
        sa.Column("place_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
        sa.Column("grain", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("simulated", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_filter_count_device_id_device")),
        sa.PrimaryKeyConstraint(
            "place_id", "device_id", "grain", "start_at", "rule", name=op.f("pk_filter_count")
        ),
    )
    op.create_index("ix_filter_count_place", "filter_count", ["place_id", "grain", "start_at"])
    op.create_table(
        "opening_hours",
        sa.Column("place_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("weekly", sqlmodel.sql.sqltypes.AutoString(length=2_000), nullable=False),
        sa.Column("pending_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_opening_hours_place_id_place")),
        sa.PrimaryKeyConstraint("place_id", "from_at", name=op.f("pk_opening_hours")),
    )
    op.create_table(
        "book_alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("faults", sa.String(), nullable=False),
        sa.Column("processed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_book_alarm_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_alarm")),
    )
    op.create_index(op.f("ix_book_alarm_device_id"), "book_alarm", ["device_id"])
    # What is booked already was judged by no rule: version 0, until somebody runs the rules over it.
    op.add_column("clock_run", sa.Column("rules", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("clock_run", sa.Column("press_seq", sa.BigInteger(), nullable=True))
    op.add_column("clock_run", sa.Column("press_uptime", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE clock_run SET press_seq = (SELECT max(seq) FROM record r WHERE r.device_id = clock_run.device_id"
        " AND r.epoch = clock_run.epoch AND r.boot = clock_run.boot AND r.kind = 1 AND r.session = 0"
        " AND r.seq BETWEEN clock_run.first_seq AND clock_run.last_seq)"
    )
    op.execute(
        "UPDATE clock_run SET press_uptime = (SELECT uptime FROM record r WHERE r.device_id = clock_run.device_id"
        " AND r.epoch = clock_run.epoch AND r.seq = clock_run.press_seq) WHERE press_seq IS NOT NULL"
    )
    _count_corrected()


def _count_corrected() -> None:
    """Until now one rule filtered: an answer that its giver corrected."""
    connection = op.get_bind()
    sums: Counter[tuple[int, str, str, int]] = Counter()
    simulated: Counter[tuple[int, str, str, int]] = Counter()
    rows = connection.execute(
        sa.text("SELECT device_id, place_id, from_at, to_at, flags FROM record WHERE filtered IS NOT NULL")
    )
    for device_id, place_id, from_at, to_at, flags in rows:
        key = (place_id or NOWHERE, device_id, *bucket(None if from_at is None else (from_at, to_at)))
        sums[key] += 1
        simulated[key] += bool(flags & FLAG_SIMULATED)
    insert = sa.text(
        "INSERT INTO filter_count (place_id, device_id, grain, start_at, rule, answers, simulated)"
        " VALUES (:place, :device, :grain, :start, 'corrected', :answers, :simulated)"
    )
    for key, answers in sums.items():
        place, device, grain, start = key
        values = {"place": place, "device": device, "grain": grain, "start": start}
        connection.execute(insert, values | {"answers": answers, "simulated": simulated[key]})


def downgrade() -> None:
    op.drop_column("clock_run", "press_uptime")
    op.drop_column("clock_run", "press_seq")
    op.drop_column("clock_run", "rules")
    op.drop_index(op.f("ix_book_alarm_device_id"), table_name="book_alarm")
    op.drop_table("book_alarm")
    op.drop_table("opening_hours")
    op.drop_index("ix_filter_count_place", table_name="filter_count")
    op.drop_table("filter_count")
