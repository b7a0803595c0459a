"""what technicians do: orders of devices, acceptance reports, swaps, and tokens for the station tool alone"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "device_order",
        sa.Column("device_id", text(length=12), nullable=False),
        sa.Column("key", text(length=64), nullable=False),
        sa.Column("serial", text(length=60), nullable=True),
        sa.Column("by", text(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("identity_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_order_device_id_device")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_order")),
        sa.UniqueConstraint("key", name=op.f("uq_device_order_key")),
    )
    op.create_index(op.f("ix_device_order_serial"), "device_order", ["serial"])
    op.create_table(
        "acceptance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", text(length=12), nullable=False),
        sa.Column("key", text(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tested_at", sa.BigInteger(), nullable=False),
        sa.Column("by", text(length=200), nullable=False),
        sa.Column("verdict", text(length=10), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_acceptance_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint("key", name=op.f("uq_acceptance_key")),
    )
    op.create_index(op.f("ix_acceptance_device_id"), "acceptance", ["device_id"])
    op.create_table(
        "swap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("old_id", text(length=12), nullable=False),
        sa.Column("new_id", text(length=12), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", text(length=200), nullable=False),
        sa.ForeignKeyConstraint(["old_id"], ["device.id"], name=op.f("fk_swap_old_id_device")),
        sa.ForeignKeyConstraint(["new_id"], ["device.id"], name=op.f("fk_swap_new_id_device")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_swap_place_id_place")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swap")),
    )
    op.create_index(op.f("ix_swap_old_id"), "swap", ["old_id"])
    op.create_index(op.f("ix_swap_new_id"), "swap", ["new_id"])
    with op.batch_alter_table("apitoken") as batch:
        batch.add_column(sa.Column("scope", text(length=20), nullable=True))
        batch.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(op.f("fk_apitoken_user_id_user_account"), "user_account", ["user_id"], ["id"])


def downgrade() -> None:
    # A schema without scopes would take a technician's token for one without limits.
    op.execute("DELETE FROM apitoken WHERE scope IS NOT NULL")
    with op.batch_alter_table("apitoken") as batch:
        batch.drop_constraint(op.f("fk_apitoken_user_id_user_account"), type_="foreignkey")
        batch.drop_column("user_id")
        batch.drop_column("scope")
    op.drop_table("swap")
    op.drop_table("acceptance")
    op.drop_table("device_order")
