"""Takes received records in and places them in time; places a run anew when a clock record or a neighbour says more.

A run is one life of a kiosk's uptime counter, (device, epoch, boot). It knows no messages and no ledger.
Invariant: what stands in the counts is what the records' own columns say.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, case, func, or_, select, update

from fleet_server.answers import bulk, filters, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.fingerprints import COARSE
from fleet_server.answers.models import ClockAnchor, Record
from fleet_server.answers.placing import (
    HOUR,
    NOWHERE,
    Anchor,
    Interval,
    Stay,
    best,
    bucket,
    interval,
    place_in,
    usable,
)
from fleet_server.answers.rules import CORRECTED, CURRENT, HOURS, UNANSWERED
from fleet_server.answers.states import DeviceState, EpochState, RunState
from fleet_server.instants import HOUR_MS

_NEVER = (None, None)

_RECORDS = bulk.table_of(Record)
_ANCHORS = bulk.table_of(ClockAnchor)
_ANCHOR_COLUMNS = tuple(_ANCHORS.columns.keys())
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


@dataclass(slots=True)
class Tally:
    """What taking records in came to."""

    counted: int = 0
    filtered: int = 0
    places: set[int] = field(default_factory=set)


def take_in(
    desk: Desk, device: DeviceState, epoch: EpochState, fresh: Sequence[wire.Record], corrected: set[int]
) -> Tally:
    """Give records that are received for the first time to the desk, placed and counted."""
    tally = Tally()
    by_boot: dict[int, Sequence[wire.Record]] = {
        boot: [record for record in fresh if record.boot == boot]
        for boot in sorted({record.boot for record in fresh})
    }
    newest_epoch = epoch.age == device.highest_age
    unsettled = False
    for boot, records in by_boot.items():
        known = desk.run(epoch, boot)
        run = known or RunState(device.id, epoch.epoch, boot, records[0].seq, 0, 0, rules=CURRENT)
        before = filters.Before(known.last_seq, known.press_uptime) if known else None
        bounds = run.began_before, run.ended_after
        clocks = _extend(desk, epoch, run, records)
        if clocks:
            anchors = _learn(desk, device, run, clocks, tally, is_new=known is None)
        else:
            anchors = _anchors(desk, run, min([record.uptime for record in records]))
        if anchors:
            run.began_before = interval(best(anchors, 0), 0)[1] if clocks else run.began_before
            run.ended_after = interval(best(anchors, run.last_uptime), run.last_uptime)[0]
        judged = filters.at_once(device, run, records, before)
        unanswered = [
            r.seq
            for r in records
            if r.flags & wire.FLAG_OUTCOME and wire.unanswered(r.flags, r.value, len(r.body))
        ]
        filtered = judged or {}
        if corrected or unanswered:
            filtered |= dict.fromkeys(corrected, CORRECTED) | dict.fromkeys(unanswered, UNANSWERED)
        _put(desk, device, run, anchors, records, filtered, tally)
        if judged is None:
            _judge(desk, device, run, records, tally)
        newest = newest_epoch and boot == epoch.last_boot
        moved = (run.began_before, run.ended_after) != bounds
        unsettled = unsettled or known is None or bool(clocks) or (moved and not newest)
    if unsettled:
        settle(desk, device, tally)
    epoch.received_answers += tally.counted + tally.filtered
    epoch.counted_answers += tally.counted
    epoch.filtered_answers += tally.filtered
    return tally


def _judge(
    desk: Desk, device: DeviceState, run: RunState, records: Sequence[wire.Record], tally: Tally
) -> None:
    """Judge new records that lie among others of their run, and those others too."""
    seqs = {record.seq for record in records}
    desk.flush_records()
    last = filters.reach(desk, device, run, max(seqs))
    changed = filters.judge(desk, device, run, min(seqs), last, tally.places)
    new = sum(more for seq, more in changed.items() if seq in seqs)
    tally.counted -= new
    tally.filtered += new
    if others := sum(changed.values()) - new:
        desk.refilter(run, others)


def _extend(desk: Desk, epoch: EpochState, run: RunState, records: Sequence[wire.Record]) -> list[Anchor]:
    """Let the run reach over these records; returns the anchors among them."""
    seqs = [record.seq for record in records]
    run.first_seq = min(run.first_seq, *seqs)
    run.last_seq = max(run.last_seq, *seqs)
    run.last_uptime = max(run.last_uptime, *[record.uptime for record in records])
    epoch.runs[run.boot] = run
    epoch.last_boot = max(epoch.last_boot, run.boot)
    desk.touch_run(run)
    return [
        Anchor(record.uptime, record.seq, *wire.clock(record))
        for record in records
        if record.kind == wire.KIND_CLOCK
    ]


def _learn(
    desk: Desk, device: DeviceState, run: RunState, clocks: Sequence[Anchor], tally: Tally, *, is_new: bool
) -> list[Anchor]:
    """Keep new anchors; what was received of the run before and is better placed by them is placed anew."""
    known = [] if is_new else _stored_anchors(desk, run)
    key = (run.device_id, run.epoch, run.boot)
    rows = [(*key, clock.seq, clock.uptime, clock.utc_ms, clock.uncertainty_ms) for clock in clocks]
    bulk.insert(desk.connection, _ANCHORS, _ANCHOR_COLUMNS, rows)
    anchors = usable([*known, *clocks])
    newest = anchors[-1]
    run.anchor_uptime, run.anchor_seq, run.anchor_utc_ms, run.anchor_uncertainty_ms = newest
    run.from_at = run.to_at = None
    if not is_new:
        low, high = _reach(anchors, clocks)
        _replace(desk, device, run, anchors, tally, low=low, high=high)
    return anchors


def clocks_moved(desk: Desk, device: DeviceState, run: RunState, below: int, tally: Tally) -> None:
    """Clock records of this run, and its last uptime, are others now; records of an uptime `below` are placed anew."""
    anchors = usable(_stored_anchors(desk, run))
    if anchors:
        run.anchor_uptime, run.anchor_seq, run.anchor_utc_ms, run.anchor_uncertainty_ms = anchors[-1]
        run.began_before = interval(best(anchors, 0), 0)[1]
        run.ended_after = interval(best(anchors, run.last_uptime), run.last_uptime)[0]
    if below:
        _replace(desk, device, run, anchors, tally, high=below)


def highest_uptime() -> Any:
    """The highest uptime of records, for a query; a coarse clock record stands later than it was."""
    coarse_clock = (_RECORDS.c.kind == wire.KIND_CLOCK) & (_RECORDS.c.crc >= COARSE)
    return func.max(case((coarse_clock, 0), else_=_RECORDS.c.uptime))


def _reach(anchors: Sequence[Anchor], clocks: Sequence[Anchor]) -> tuple[int, int]:
    """The open interval of uptimes for which one of the new `clocks` may be the best of all usable `anchors`."""
    places = [place for place, anchor in enumerate(anchors) if anchor in clocks]
    if not places:
        return 0, 0
    low = anchors[places[0] - 1].uptime if places[0] > 0 else -1
    high = anchors[places[-1] + 1].uptime if places[-1] + 1 < len(anchors) else 1 << 32
    return low, high


def _anchors(desk: Desk, run: RunState, lowest_uptime: int) -> list[Anchor]:
    """The anchors needed to place uptimes from `lowest_uptime` on; empty for a run without a clock."""
    newest = run.newest_anchor
    if newest is None:
        return []
    if lowest_uptime >= newest.uptime:
        return [newest]
    return usable(_stored_anchors(desk, run))


def _stored_anchors(desk: Desk, run: RunState) -> list[Anchor]:
    columns = (_ANCHORS.c.uptime, _ANCHORS.c.seq, _ANCHORS.c.utc_ms, _ANCHORS.c.uncertainty_ms)
    rows = desk.connection.execute(
        select(*columns).where(
            _ANCHORS.c.device_id == run.device_id, _ANCHORS.c.epoch == run.epoch, _ANCHORS.c.boot == run.boot
        )
    )
    return [Anchor(*row) for row in rows]


def _when(anchors: Sequence[Anchor], uptime: int) -> Interval:
    return interval(best(anchors, uptime), uptime)


def _put(
    desk: Desk,
    device: DeviceState,
    run: RunState,
    anchors: Sequence[Anchor],
    records: Iterable[wire.Record],
    rules: dict[int, str],
    tally: Tally,
) -> None:
    """The way of every answer. Most lie in the same hour and stay as the one before: `low` to `high`.

    `rules`: by seq, what filters an answer whatever its time.
    """
    key, now, stays, between = (run.device_id, run.epoch), desk.now, device.stays, run.between
    sums: dict[tuple[int | None, str, int], list[int]] = {}
    filters_of: dict[tuple[int | None, str, int], list[tuple[str, int]]] = {}
    put = desk.records.append
    only = anchors[0] if len(anchors) == 1 else None
    low = high = 0
    closed = None
    for record in records:
        filtered = None
        if only is not None:
            when: Interval | None = interval(only, record.uptime)
        else:
            when = _when(anchors, record.uptime) if anchors else between
        from_at, to_at = when or _NEVER
        if from_at is None or to_at is None or from_at < low or to_at >= high:
            grain, start = bucket(when)
            place = place_in(stays, when)
            closed = None if place not in device.hours else filters.by_hours(device, run, place, when)
            low, high = (0, 0) if place in device.hours else _alike(stays, grain, start, place)
            amounts = sums.setdefault((place, grain, start), [0, 0, 0])
        if record.kind == wire.KIND_ANSWER:
            if (filtered := rules.get(record.seq) or closed) is not None:
                filters_of.setdefault((place, grain, start), []).append((filtered, record.flags))
                amounts[1] += 1
            else:
                amounts[0] += 1
                if record.flags & wire.FLAG_SIMULATED:
                    amounts[2] += 1
        put(key + record[:13] + (now, place, from_at, to_at, grain, filtered))
    for (place, grain, start), (counted, filtered_answers, simulated) in sums.items():
        if counted or filtered_answers:
            desk.count((place or NOWHERE, run.device_id, grain, start), counted, filtered_answers, simulated)
            tally.counted += counted
            tally.filtered += filtered_answers
            tally.places.add(place or NOWHERE)
    for (place, grain, start), found in filters_of.items():
        for rule, flags in found:
            simulated = 1 if flags & wire.FLAG_SIMULATED else 0
            desk.count_filtered((place or NOWHERE, run.device_id, grain, start), rule, 1, simulated)


def _alike(stays: Sequence[Stay], grain: str, start: int, place: int | None) -> Interval:
    """[low, high): every interval within it has this hour and this place; (0, 0) when there is no such rule."""
    if grain != HOUR or place is None:
        return 0, 0
    low, high = start, start + HOUR_MS
    for stay_from, stay_to, stay_place in stays:
        if stay_place == place and stay_from < high and (stay_to is None or stay_to > low):
            low, high = max(low, stay_from), high if stay_to is None else min(high, stay_to)
    return low, high


def settle(desk: Desk, device: DeviceState, tally: Tally) -> None:
    """Give every run without a clock the interval between its neighbours, and place anew those whose interval changed.

    A kiosk is not pressed under its name before it has one: the device's creation bounds what came before any clock.
    """
    for run, between in between_neighbours(desk.all_runs(device), device.created_at):
        if run.anchor_uptime is None and run.between != between:
            run.from_at, run.to_at = between or _NEVER
            desk.touch_run(run)
            _replace(desk, device, run, [], tally)


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
        _replace(desk, device, run, usable(_stored_anchors(desk, run)), tally, since=since)
    return tally.places


def _replace(
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
        when = _when(anchors, uptime) if anchors else run.between
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
