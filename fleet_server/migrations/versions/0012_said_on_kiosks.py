"""“You said, we did” on the kiosks' resting screens, and until which day"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was published before goes to no kiosk: nobody has looked whether it has room there.
    op.add_column(
        "said_and_did", sa.Column("on_kiosks", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("said_and_did", sa.Column("ends_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("said_and_did") as batch:
        batch.drop_column("ends_at")
        batch.drop_column("on_kiosks")
