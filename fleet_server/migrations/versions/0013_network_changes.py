"""network settings that kiosks try"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "network_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", text(length=12), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("ssid", text(length=32), nullable=True),
        sa.Column("key", text(length=63), nullable=True),
        sa.Column("has_key", sa.Boolean(), nullable=False),
        sa.Column("host", text(length=253), nullable=True),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("state", text(length=10), nullable=False),
        sa.Column("reason", text(length=160), nullable=False),
        sa.Column("by", text(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_network_change_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_change")),
    )
    op.create_index(op.f("ix_network_change_device_id"), "network_change", ["device_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_network_change_device_id"), "network_change")
    op.drop_table("network_change")
