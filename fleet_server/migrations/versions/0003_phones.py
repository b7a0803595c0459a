"""phones: the code of each place, the channel of a device, forms that were sent, the public address"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from fleet_server.places.codes import new_code

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_form",
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sent_form")),
    )
    op.create_table(
        "public_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_address")),
    )
    op.add_column(
        "device",
        sa.Column("channel", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False, server_default="kiosk"),
    )
    op.add_column("place", sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=True))
    connection = op.get_bind()
    for (place_id,) in connection.execute(sa.text("SELECT id FROM place")).all():
        values = {"code": new_code(), "id": place_id}
        connection.execute(sa.text("UPDATE place SET code = :code WHERE id = :id"), values)
    with op.batch_alter_table("place") as batch:
        batch.alter_column("code", existing_type=sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False)
    op.create_index(op.f("ix_place_code"), "place", ["code"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_place_code"), table_name="place")
    op.drop_column("place", "code")
    op.drop_column("device", "channel")
    op.drop_table("public_address")
    op.drop_table("sent_form")
