"""closed blocks of answers and their sums"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('score',
    sa.Column('scope', sqlmodel.sql.sqltypes.AutoString(length=6), nullable=False),
    sa.Column('scope_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('filtered', sa.Boolean(), nullable=False),
    sa.Column('day', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('series_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
    sa.Column('answers', sa.Integer(), nullable=False),
    sa.Column('cant_say', sa.Integer(), nullable=False),
    sa.Column('v0', sa.Integer(), nullable=False),
    sa.Column('v1', sa.Integer(), nullable=False),
    sa.Column('v2', sa.Integer(), nullable=False),
    sa.Column('v3', sa.Integer(), nullable=False),
    sa.Column('v4', sa.Integer(), nullable=False),
    sa.Column('v5', sa.Integer(), nullable=False),
    sa.Column('v6', sa.Integer(), nullable=False),
    sa.Column('v7', sa.Integer(), nullable=False),
    sa.Column('v8', sa.Integer(), nullable=False),
    sa.Column('v9', sa.Integer(), nullable=False),
    sa.Column('v10', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('scope', 'scope_id', 'filtered', 'day', 'series_id', 'source', name=op.f('pk_score')),
    sqlite_with_rowid=False
    )
    op.create_table('series',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('type', sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
    sa.Column('several', sa.Boolean(), nullable=False),
    sa.Column('first_set', sa.Integer(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['first_set'], ['question_set.number'], name=op.f('fk_series_first_set_question_set')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_series'))
    )
    with op.batch_alter_table('series', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_series_code'), ['code'], unique=False)

    op.create_table('waiting_answer',
    sa.Column('device_id', sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
    sa.Column('epoch', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('place_id', sa.Integer(), nullable=True),
    sa.Column('series_id', sa.Integer(), nullable=True),
    sa.Column('filtered', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_waiting_answer_device_id_device')),
    sa.PrimaryKeyConstraint('device_id', 'epoch', 'seq', name=op.f('pk_waiting_answer'))
    )
    with op.batch_alter_table('waiting_answer', schema=None) as batch_op:
        batch_op.create_index('ix_waiting_answer_stream', ['place_id', 'series_id'], unique=False)

    op.create_table('asked',
    sa.Column('set_number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('question', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('series_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['series_id'], ['series.id'], name=op.f('fk_asked_series_id_series')),
    sa.ForeignKeyConstraint(['set_number'], ['question_set.number'], name=op.f('fk_asked_set_number_question_set')),
    sa.PrimaryKeyConstraint('set_number', 'question', name=op.f('pk_asked'))
    )
    with op.batch_alter_table('asked', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_asked_series_id'), ['series_id'], unique=False)

    op.create_table('block',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('place_id', sa.Integer(), nullable=False),
    sa.Column('device_id', sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
    sa.Column('series_id', sa.Integer(), nullable=False),
    sa.Column('filtered', sa.Boolean(), nullable=False),
    sa.Column('k', sa.SmallInteger(), nullable=False),
    sa.Column('answers', sa.Integer(), nullable=False),
    sa.Column('counts', sa.String(), nullable=False),
    sa.Column('day', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_block_device_id_device')),
    sa.ForeignKeyConstraint(['place_id'], ['place.id'], name=op.f('fk_block_place_id_place')),
    sa.ForeignKeyConstraint(['series_id'], ['series.id'], name=op.f('fk_block_series_id_series')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_block'))
    )
    with op.batch_alter_table('block', schema=None) as batch_op:
        batch_op.create_index('ix_block_stream', ['place_id', 'series_id', 'public'], unique=False)

    op.create_table('released_text',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('block_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('folded', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['block_id'], ['block.id'], name=op.f('fk_released_text_block_id_block')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_released_text'))
    )
    with op.batch_alter_table('released_text', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_released_text_block_id'), ['block_id'], unique=False)

    op.add_column('journal_epoch', sa.Column('taken_in', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('record', sa.Column('block_id', sa.BigInteger(), nullable=True))



def downgrade() -> None:
    op.drop_column('record', 'block_id')
    op.drop_column('journal_epoch', 'taken_in')

    op.drop_table('released_text')
    with op.batch_alter_table('block', schema=None) as batch_op:
        batch_op.drop_index('ix_block_stream')

    op.drop_table('block')
    with op.batch_alter_table('asked', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_asked_series_id'))

    op.drop_table('asked')
    with op.batch_alter_table('waiting_answer', schema=None) as batch_op:
        batch_op.drop_index('ix_waiting_answer_stream')

    op.drop_table('waiting_answer')
    with op.batch_alter_table('series', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_series_code'))

    op.drop_table('series')
    op.drop_table('score')
