"""Places records in time and place anew, when a clock record, a neighbour of their run or an installation says more.

A run is one life of a kiosk's uptime counter, (device, epoch, boot).
Invariant: what stands in the counts is what the records' own columns say.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import bindparam, or_, select, update

from fleet_server.answers import bulk, clock_anchors, filters, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.fingerprints import COARSE
from fleet_server.answers.models import Record
from fleet_server.answers.placing import NOWHERE, Anchor, Interval, best, bucket, interval, place_in, usable
from fleet_server.answers.rules import HOURS
from fleet_server.answers.states import DeviceState, RunState, Tally

_RECORDS = bulk.table_of(Record)
_MOVE = (
    update(_RECORDS)
    .where(
        _RECORDS.c.device_id == bindparam("d"),
        _RECORDS.c.epoch == bindparam("e"),
        _RECORDS.c.seq == bindparam("s"),
    )
    .values(
        place_id=bindparam("p"),
        from_at=bindparam("f"),
        to_at=bindparam("t"),
        grain=bindparam("g"),
        filtered=bindparam("r"),
    )
)


def clocks_moved(desk: Desk, device: DeviceState, run: RunState, below: int, tally: Tally) -> None:
    """Clock records of this run, and its last uptime, are others now; records of an uptime `below` are placed anew."""
    anchors = usable(clock_anchors.stored(desk, run))
    if anchors:
        run.anchor_uptime, run.anchor_seq, run.anchor_utc_ms, run.anchor_uncertainty_ms = anchors[-1]
        run.began_before = interval(best(anchors, 0), 0)[1]
        run.ended_after = interval(best(anchors, run.last_uptime), run.last_uptime)[0]
    if below:
        replace(desk, device, run, anchors, tally, high=below)


def settle(desk: Desk, device: DeviceState, tally: Tally) -> None:
    """Give every run without a clock the interval between its neighbours, and place anew those whose interval changed.

    A kiosk is not pressed under its name before it has one: the device's creation bounds what came before any clock.
    """
    for run, between in between_neighbours(desk.all_runs(device), device.created_at):
        if run.anchor_uptime is None and run.between != between:
            run.from_at, run.to_at = between or (None, None)
            desk.touch_run(run)
            replace(desk, device, run, [], tally)


def between_neighbours(
    runs: Sequence[RunState], created_at: int
) -> Iterator[tuple[RunState, Interval | None]]:
    """Each of these runs (oldest first) with the interval in which it must lie by its neighbours' clocks; None for
    one that has a clock itself, or of which that is not known."""
    after = created_at
    lows: list[int] = []
    for run in runs:
        lows.append(after)
        if run.ended_after is not None:
            after = max(after, run.ended_after)
    before: int | None = None
    highs: list[int | None] = []
    for run in reversed(runs):
        highs.append(before)
        if run.began_before is not None:
            before = run.began_before if before is None else min(before, run.began_before)
    for run, low, high in zip(runs, lows, reversed(highs), strict=True):
        if run.anchor_uptime is not None or high is None or low > high:
            yield run, None
        else:
            yield run, (low, high)


def reinstalled(desk: Desk, device: DeviceState, since: int) -> set[int]:
    """Find the place anew of everything that was, or may have been, given after `since`; returns the places touched."""
    tally = Tally()
    for run in desk.all_runs(device):
        replace(desk, device, run, usable(clock_anchors.stored(desk, run)), tally, since=since)
    return tally.places


def replace(
    desk: Desk,
    device: DeviceState,
    run: RunState,
    anchors: Sequence[Anchor],
    tally: Tally,
    *,
    low: int = -1,
    high: int = 1 << 32,
    since: int | None = None,
) -> None:
    """Place the records of a run anew whose uptime lies between `low` and `high` (both excluded).

    With `since`: only those that may have been given after that instant.
    """
    desk.flush_records()
    table = _RECORDS.c
    more = 0
    rows = desk.connection.execute(
        select(
            table.seq,
            table.kind,
            table.flags,
            table.uptime,
            table.place_id,
            table.from_at,
            table.to_at,
            table.filtered,
        ).where(
            table.device_id == run.device_id,
            table.epoch == run.epoch,
            table.seq.between(run.first_seq, run.last_seq),
            table.boot == run.boot,
            table.crc < COARSE,
            table.uptime > low,
            table.uptime < high,
            *(() if since is None else (or_(table.to_at.is_(None), table.to_at >= since),)),
        )
    ).all()
    moves = []
    for seq, kind, flags, uptime, old_place, from_at, to_at, filtered in rows:
        when = clock_anchors.when(anchors, uptime) if anchors else run.between
        place = place_in(device.stays, when)
        old = None if from_at is None else (from_at, to_at)
        if (when, place) == (old, old_place):
            continue
        grain, start = bucket(when)
        rule = filtered
        if kind == wire.KIND_ANSWER and filtered in (None, HOURS):
            rule = filters.by_hours(device, run, place, when)
            more += (filtered is None) - (rule is None)
        moves.append(
            {
                "d": run.device_id,
                "e": run.epoch,
                "s": seq,
                "p": place,
                "f": when[0] if when else None,
                "t": when[1] if when else None,
                "g": grain,
                "r": rule,
            }
        )
        if kind == wire.KIND_ANSWER:
            old_key = (old_place or NOWHERE, run.device_id, *bucket(old))
            filters.count(desk, old_key, filtered, flags, -1)
            filters.count(desk, (place or NOWHERE, run.device_id, grain, start), rule, flags, 1)
            tally.places |= {old_place or NOWHERE, place or NOWHERE}
    if moves:
        desk.connection.execute(_MOVE, moves)
    if more:
        desk.refilter(run, more)
