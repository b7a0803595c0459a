"""sums of whole weeks and months, and the presses of units"""

from collections import Counter

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

_FIGURES = ('answers', 'cant_say', *(f'v{value}' for value in range(11)))


def upgrade() -> None:
    op.create_table('score_span',
    sa.Column('scope', sqlmodel.sql.sqltypes.AutoString(length=6), nullable=False),
    sa.Column('scope_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('filtered', sa.Boolean(), nullable=False),
    sa.Column('grain', sqlmodel.sql.sqltypes.AutoString(length=5), nullable=False),
    sa.Column('start', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('series_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
    *(sa.Column(name, sa.Integer(), nullable=False) for name in _FIGURES),
    sa.PrimaryKeyConstraint('scope', 'scope_id', 'filtered', 'grain', 'start', 'series_id', 'source', name=op.f('pk_score_span')),
    sqlite_with_rowid=False
    )
    op.create_table('unit_press_count',
    sa.Column('unit_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('start_at', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('grain', sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
    sa.Column('channel', sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
    sa.Column('counted', sa.Integer(), nullable=False),
    sa.Column('filtered', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('unit_id', 'start_at', 'grain', 'channel', name=op.f('pk_unit_press_count')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('block', schema=None) as batch_op:
        batch_op.create_index('ix_block_series_day', ['series_id', 'day', 'filtered', 'place_id'], unique=False)

    _add_up(op.get_bind())
    _count_units(op.get_bind())


def _count_units(connection: sa.Connection) -> None:
    """The presses that were booked before, summed by the units above their place."""
    rows = connection.execute(sa.text(
        "SELECT unit.path, device.channel, press_count.grain, press_count.start_at, press_count.counted, press_count.filtered"
        " FROM press_count JOIN place ON place.id = press_count.place_id JOIN unit ON unit.id = place.unit_id"
        " JOIN device ON device.id = press_count.device_id WHERE NOT place.demo AND press_count.grain <> 'unknown'"
    ))
    sums: dict[tuple, list[int]] = {}
    for path, channel, grain, start_at, counted, filtered in rows:
        for unit in path.split('/'):
            if unit:
                sum_ = sums.setdefault((int(unit), start_at, grain, channel), [0, 0])
                sum_[0] += counted
                sum_[1] += filtered
    if sums:
        table = sa.table('unit_press_count', *(sa.column(name) for name in ('unit_id', 'start_at', 'grain', 'channel', 'counted', 'filtered')))
        connection.execute(sa.insert(table), [
            {'unit_id': unit, 'start_at': start_at, 'grain': grain, 'channel': channel, 'counted': counted, 'filtered': filtered}
            for (unit, start_at, grain, channel), (counted, filtered) in sums.items()
        ])


def _add_up(connection: sa.Connection) -> None:
    """What was released before. Weeks and months begin by Finland's clock, which the database does not know."""
    from fleet_server.places.periods import day_start, month_start
    from fleet_server.instants import local

    scores = sa.table('score', *(sa.column(name) for name in ('scope', 'scope_id', 'filtered', 'day', 'series_id', 'source', *_FIGURES)))
    spans = sa.table('score_span', *(sa.column(name) for name in ('scope', 'scope_id', 'filtered', 'grain', 'start', 'series_id', 'source', *_FIGURES)))
    subjects = connection.execute(sa.select(scores.c.scope, scores.c.scope_id).distinct()).all()
    for scope, scope_id in subjects:
        sums: dict[tuple, Counter] = {}
        for row in connection.execute(sa.select(scores).where(scores.c.scope == scope, scores.c.scope_id == scope_id)):
            for grain, start in (('week', day_start(row.day, -local(row.day).weekday())), ('month', month_start(row.day))):
                figures = sums.setdefault((row.filtered, grain, start, row.series_id, row.source), Counter())
                for name in _FIGURES:
                    figures[name] += getattr(row, name)
        if sums:
            connection.execute(sa.insert(spans), [
                {'scope': scope, 'scope_id': scope_id, 'filtered': filtered, 'grain': grain, 'start': start,
                 'series_id': series, 'source': source, **{name: figures[name] for name in _FIGURES}}
                for (filtered, grain, start, series, source), figures in sums.items()
            ])


def downgrade() -> None:
    with op.batch_alter_table('block', schema=None) as batch_op:
        batch_op.drop_index('ix_block_series_day')

    op.drop_table('unit_press_count')
    op.drop_table('score_span')
