"""how far an epoch's times are coarse"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('journal_epoch', schema=None) as batch_op:
        batch_op.add_column(sa.Column('coarse', sa.BigInteger(), server_default='0', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('journal_epoch', schema=None) as batch_op:
        batch_op.drop_column('coarse')
