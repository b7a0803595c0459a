"""Clock records of a run (a life of a kiosk's uptime counter) as its anchors: kept, found, how far each reaches."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, func, select

from fleet_server.answers import bulk, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.fingerprints import COARSE
from fleet_server.answers.models import ClockAnchor, Record
from fleet_server.answers.placing import Anchor, Interval, best, interval, usable
from fleet_server.answers.states import RunState

_RECORDS = bulk.table_of(Record)
_ANCHORS = bulk.table_of(ClockAnchor)
_COLUMNS = tuple(_ANCHORS.columns.keys())


def keep(desk: Desk, run: RunState, clocks: Sequence[Anchor]) -> None:
    """Write new anchors of a run."""
    key = (run.device_id, run.epoch, run.boot)
    rows = [(*key, clock.seq, clock.uptime, clock.utc_ms, clock.uncertainty_ms) for clock in clocks]
    bulk.insert(desk.connection, _ANCHORS, _COLUMNS, rows)


def highest_uptime() -> Any:
    """The highest uptime of records, for a query; a coarse clock record stands later than it was."""
    coarse_clock = (_RECORDS.c.kind == wire.KIND_CLOCK) & (_RECORDS.c.crc >= COARSE)
    return func.max(case((coarse_clock, 0), else_=_RECORDS.c.uptime))


def reach(anchors: Sequence[Anchor], clocks: Sequence[Anchor]) -> tuple[int, int]:
    """The open interval of uptimes for which one of the new `clocks` may be the best of all usable `anchors`."""
    places = [place for place, anchor in enumerate(anchors) if anchor in clocks]
    if not places:
        return 0, 0
    low = anchors[places[0] - 1].uptime if places[0] > 0 else -1
    high = anchors[places[-1] + 1].uptime if places[-1] + 1 < len(anchors) else 1 << 32
    return low, high


def needed(desk: Desk, run: RunState, lowest_uptime: int) -> list[Anchor]:
    """The anchors needed to place uptimes from `lowest_uptime` on; empty for a run without a clock."""
    newest = run.newest_anchor
    if newest is None:
        return []
    if lowest_uptime >= newest.uptime:
        return [newest]
    return usable(stored(desk, run))


def stored(desk: Desk, run: RunState) -> list[Anchor]:
    columns = (_ANCHORS.c.uptime, _ANCHORS.c.seq, _ANCHORS.c.utc_ms, _ANCHORS.c.uncertainty_ms)
    rows = desk.connection.execute(
        select(*columns).where(
            _ANCHORS.c.device_id == run.device_id, _ANCHORS.c.epoch == run.epoch, _ANCHORS.c.boot == run.boot
        )
    )
    return [Anchor(*row) for row in rows]


def when(anchors: Sequence[Anchor], uptime: int) -> Interval:
    return interval(best(anchors, uptime), uptime)
