"""Takes received records in: places them in time, filters them, counts them. What they say of others, see replacing.py.

It knows no messages and no ledger. Invariant: what stands in the counts is what the records' own columns say.
"""

from collections.abc import Iterable, Sequence

from fleet_server.answers import clock_anchors, filters, replacing, wire
from fleet_server.answers.desk import Desk
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
from fleet_server.answers.rules import CORRECTED, CURRENT, UNANSWERED
from fleet_server.answers.states import DeviceState, EpochState, RunState, Tally
from fleet_server.instants import HOUR_MS

_NEVER = (None, None)


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
            anchors = clock_anchors.needed(desk, run, min([record.uptime for record in records]))
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
        replacing.settle(desk, device, tally)
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
    known = [] if is_new else clock_anchors.stored(desk, run)
    clock_anchors.keep(desk, run, clocks)
    anchors = usable([*known, *clocks])
    newest = anchors[-1]
    run.anchor_uptime, run.anchor_seq, run.anchor_utc_ms, run.anchor_uncertainty_ms = newest
    run.from_at = run.to_at = None
    if not is_new:
        low, high = clock_anchors.reach(anchors, clocks)
        replacing.replace(desk, device, run, anchors, tally, low=low, high=high)
    return anchors


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
            when = clock_anchors.when(anchors, record.uptime) if anchors else between
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
