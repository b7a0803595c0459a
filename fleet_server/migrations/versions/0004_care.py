"""cleaning from the server, and the confirmed printed card"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "device", sa.Column("card_confirmed", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True)
    )
    op.add_column("device", sa.Column("cleaning_until", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("device", "cleaning_until")
    op.drop_column("device", "card_confirmed")
