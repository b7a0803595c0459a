"""drafts, previews, rollouts, schedules, labels of places, what the county decided; versions of a set belong together"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('county_setting',
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('value', sa.String(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_county_setting'))
    )
    op.create_table('national_item',
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('loaded_at', sa.BigInteger(), nullable=False),
    sa.Column('loaded_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.PrimaryKeyConstraint('code', 'version', name=op.f('pk_national_item'))
    )
    op.create_table('preview',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('content_hash', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('model', sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
    sa.Column('walked', sa.Boolean(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_preview'))
    )
    with op.batch_alter_table('preview', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_preview_content_hash'), ['content_hash'], unique=False)

    op.create_table('draft',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('family', sa.Integer(), nullable=True),
    sa.Column('previous', sa.Integer(), nullable=True),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('edited_at', sa.BigInteger(), nullable=False),
    sa.Column('edited_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('asked_at', sa.BigInteger(), nullable=True),
    sa.Column('asked_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
    sa.Column('approved_at', sa.BigInteger(), nullable=True),
    sa.Column('approved_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
    sa.Column('published_number', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['previous'], ['question_set.number'], name=op.f('fk_draft_previous_question_set')),
    sa.ForeignKeyConstraint(['published_number'], ['question_set.number'], name=op.f('fk_draft_published_number_question_set')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft'))
    )
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draft_state'), ['state'], unique=False)

    op.create_table('rollout',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('set_number', sa.Integer(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
    sa.Column('choice', sa.String(), nullable=False),
    sa.Column('stages', sa.String(), nullable=False),
    sa.Column('stop_rule', sa.String(), nullable=False),
    sa.Column('go_back', sa.Boolean(), nullable=False),
    sa.Column('stage', sa.Integer(), nullable=False),
    sa.Column('stage_at', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.ForeignKeyConstraint(['set_number'], ['question_set.number'], name=op.f('fk_rollout_set_number_question_set')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rollout'))
    )
    with op.batch_alter_table('rollout', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rollout_set_number'), ['set_number'], unique=False)
        batch_op.create_index(batch_op.f('ix_rollout_state'), ['state'], unique=False)

    op.create_table('schedule',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('set_number', sa.Integer(), nullable=False),
    sa.Column('choice', sa.String(), nullable=False),
    sa.Column('from_at', sa.BigInteger(), nullable=True),
    sa.Column('to_at', sa.BigInteger(), nullable=True),
    sa.Column('weekly', sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=False),
    sa.Column('holidays', sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['set_number'], ['question_set.number'], name=op.f('fk_schedule_set_number_question_set')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedule'))
    )
    op.create_table('draft_edit',
    sa.Column('draft_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('revision', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('op', sa.String(), nullable=False),
    sa.Column('inverse', sa.String(), nullable=False),
    sa.Column('undoes', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_draft_edit_draft_id_draft')),
    sa.PrimaryKeyConstraint('draft_id', 'revision', name=op.f('pk_draft_edit'))
    )
    op.create_table('place_label',
    sa.Column('place_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('label', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.ForeignKeyConstraint(['place_id'], ['place.id'], name=op.f('fk_place_label_place_id_place')),
    sa.PrimaryKeyConstraint('place_id', 'label', name=op.f('pk_place_label'))
    )
    with op.batch_alter_table('place_label', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_place_label_label'), ['label'], unique=False)

    op.create_table('rollout_device',
    sa.Column('rollout_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('device_id', sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
    sa.Column('stage', sa.Integer(), nullable=False),
    sa.Column('before_set', sa.Integer(), nullable=True),
    sa.Column('wished_at', sa.BigInteger(), nullable=True),
    sa.Column('reported_at', sa.BigInteger(), nullable=True),
    sa.Column('refused', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.ForeignKeyConstraint(['before_set'], ['question_set.number'], name=op.f('fk_rollout_device_before_set_question_set')),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_rollout_device_device_id_device')),
    sa.ForeignKeyConstraint(['rollout_id'], ['rollout.id'], name=op.f('fk_rollout_device_rollout_id_rollout')),
    sa.PrimaryKeyConstraint('rollout_id', 'device_id', name=op.f('pk_rollout_device'))
    )
    with op.batch_alter_table('rollout_device', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rollout_device_device_id'), ['device_id'], unique=False)

    op.create_table('rollout_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('rollout_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.ForeignKeyConstraint(['rollout_id'], ['rollout.id'], name=op.f('fk_rollout_event_rollout_id_rollout')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rollout_event'))
    )
    with op.batch_alter_table('rollout_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rollout_event_rollout_id'), ['rollout_id'], unique=False)

    with op.batch_alter_table('publication', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rollout_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_publication_rollout_id_rollout'), 'rollout', ['rollout_id'], ['id'])

    with op.batch_alter_table('question_set', schema=None) as batch_op:
        batch_op.add_column(sa.Column('family', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('previous', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('label', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('change', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('archived_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('made_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('approved_by', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False, server_default=''))
        batch_op.create_index(batch_op.f('ix_question_set_family'), ['family'], unique=False)
    op.execute("UPDATE question_set SET family = number")


def downgrade() -> None:
    with op.batch_alter_table('question_set', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_question_set_family'))
        batch_op.drop_column('approved_by')
        batch_op.drop_column('made_by')
        batch_op.drop_column('archived_at')
        batch_op.drop_column('change')
        batch_op.drop_column('label')
        batch_op.drop_column('previous')
        batch_op.drop_column('family')

    with op.batch_alter_table('publication', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_publication_rollout_id_rollout'), type_='foreignkey')
        batch_op.drop_column('rollout_id')

    with op.batch_alter_table('rollout_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rollout_event_rollout_id'))

    op.drop_table('rollout_event')
    with op.batch_alter_table('rollout_device', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rollout_device_device_id'))

    op.drop_table('rollout_device')
    with op.batch_alter_table('place_label', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_place_label_label'))

    op.drop_table('place_label')
    op.drop_table('draft_edit')
    op.drop_table('schedule')
    with op.batch_alter_table('rollout', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rollout_state'))
        batch_op.drop_index(batch_op.f('ix_rollout_set_number'))

    op.drop_table('rollout')
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_draft_state'))

    op.drop_table('draft')
    with op.batch_alter_table('preview', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_preview_content_hash'))

    op.drop_table('preview')
    op.drop_table('national_item')
    op.drop_table('county_setting')
