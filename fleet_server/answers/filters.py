"""Applies the misuse rules to answers: to new ones as they come, and anew to those whose neighbours changed.

The first answer of a visit is the press that is judged; a repeat or a burst takes the whole visit with it. Opening
hours judge each answer by its own time. A corrected answer stays corrected, and one that was left unanswered is that
and nothing else. It places nothing and knows no messages.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update

from fleet_server.answers import bulk, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.fingerprints import COARSE
from fleet_server.answers.models import Record
from fleet_server.answers.placing import NOWHERE, Interval, bucket
from fleet_server.answers.rules import CORRECTED, HOURS, UNANSWERED, Press, Rules, misused, rules_of
from fleet_server.answers.states import DeviceState, EpochState, RunState
from fleet_server.devices.models import QR
from fleet_server.places.hours import outside

LONGEST_VISIT = wire.NO_VISIT - 1  # records after the first that still know where their visit began

_RECORDS = bulk.table_of(Record)
_FILTER = (
    update(_RECORDS)
    .where(
        _RECORDS.c.device_id == bindparam("d"),
        _RECORDS.c.epoch == bindparam("e"),
        _RECORDS.c.seq == bindparam("s"),
    )
    .values(filtered=bindparam("f"))
)


class Before(NamedTuple):
    """A run as it was before the records that come now."""

    last_seq: int
    press_uptime: int | None


def at_once(
    device: DeviceState, run: RunState, records: Sequence[wire.Record], before: Before | None
) -> dict[int, str] | None:
    """{seq: rule} for new `records` of a run; None when that cannot be said without looking at its other answers.

    `before` None: they are its first. Takes down the run's last press.
    """
    rules = _rules(device, run)
    reach = rules.reach
    newest, last = known = before or Before(-1, None)
    # The way of nearly every press: it is the newest of its run, and the one before is long ago.
    for record in records:
        if record.kind == wire.KIND_ANSWER and record.session != wire.NO_VISIT:
            if (
                record.session
                or record.seq <= newest
                or (last is not None and 0 <= record.uptime - last <= reach)
            ):
                break
            newest, last = record.seq, record.uptime
    else:
        if newest > known.last_seq:
            run.press_seq, run.press_uptime = newest, last
        return {}
    return _among_themselves(rules, run, records, before)


def _among_themselves(
    rules: Rules, run: RunState, records: Sequence[wire.Record], before: Before | None
) -> dict[int, str] | None:
    visits = [r for r in records if r.kind == wire.KIND_ANSWER and r.session != wire.NO_VISIT]
    presses = sorted(
        Press(r.seq, r.uptime, _face(r.seq, r.flags, r.set_number, r.question, r.value, len(r.body)))
        for r in visits
        if r.session == 0
    )
    if presses and (run.press_seq is None or presses[-1].seq > run.press_seq):
        run.press_seq, run.press_uptime = presses[-1].seq, presses[-1].uptime
    begun = {press.seq for press in presses}
    if before is not None:
        if not presses or min(r.seq for r in visits) <= before.last_seq:
            return None
        if before.press_uptime is not None and 0 <= presses[0].uptime - before.press_uptime <= rules.reach:
            return None
        if any(r.seq - r.session not in begun for r in visits):
            return None
    found = misused(rules, presses)
    return {r.seq: found[r.seq - r.session] for r in visits if r.seq - r.session in found}


def _rules(device: DeviceState, run: RunState) -> Rules:
    return rules_of(run.rules, virtual=device.virtual, phones=device.channel == QR)


def reach(desk: Desk, device: DeviceState, run: RunState, last: int) -> int:
    """The last seq on whose verdict an answer at `last` or before can bear."""
    if last < run.last_seq:
        later = desk.connection.execute(
            _presses(run, _RECORDS.c.seq)
            .where(_RECORDS.c.seq > last)
            .order_by(_RECORDS.c.seq)
            .limit(_rules(device, run).burst_presses)
        ).scalars()
        last = min(run.last_seq, max([last, *later]) + LONGEST_VISIT)
    return last


def judge(
    desk: Desk, device: DeviceState, run: RunState, first: int, last: int, places: set[int]
) -> dict[int, int]:
    """Decide anew on the stored answers of [first, last]; changed counts join the desk's, their places `places`.

    Returns {seq: 1 (filtered now) or -1 (counted now)} of those that changed sides; the sums of the epoch are left to
    the caller.
    """
    desk.flush_records()
    rules = _rules(device, run)
    visits_from = first - LONGEST_VISIT
    earlier = desk.connection.execute(
        _presses(run, *_PRESS_COLUMNS)
        .where(_RECORDS.c.seq < visits_from)
        .order_by(_RECORDS.c.seq.desc())
        .limit(rules.burst_presses)
    ).all()
    rows = desk.connection.execute(
        _answers(run, *_PRESS_COLUMNS, *_JUDGED_COLUMNS)
        .where(_RECORDS.c.seq.between(visits_from, last))
        .order_by(_RECORDS.c.seq)
    ).all()
    presses = [*reversed(earlier), *(row for row in rows if row.session == 0)]
    found = misused(rules, [Press(row.seq, row.uptime, _face_of(row)) for row in presses])
    changed: dict[int, int] = {}
    moves: list[dict[str, Any]] = []
    for row in rows:
        if row.seq < first or row.filtered == CORRECTED:
            continue
        rule = found.get(row.seq - row.session) if row.session != wire.NO_VISIT else None
        when = None if row.from_at is None else (row.from_at, row.to_at)
        if wire.unanswered(row.flags, row.value, row.text_bytes):
            rule = UNANSWERED
        else:
            rule = rule or by_hours(device, run, row.place_id, when)
        if rule != row.filtered:
            key = (row.place_id or NOWHERE, run.device_id, *bucket(when))
            count(desk, key, row.filtered, row.flags, -1)
            count(desk, key, rule, row.flags, 1)
            moves.append({"d": run.device_id, "e": run.epoch, "s": row.seq, "f": rule})
            places.add(key[0])
            if (rule is None) != (row.filtered is None):
                changed[row.seq] = 1 if row.filtered is None else -1
    if moves:
        desk.connection.execute(_FILTER, moves)
    return changed


def by_hours(device: DeviceState, run: RunState, place: int | None, when: Interval | None) -> str | None:
    """HOURS for what was given outside of its place's opening hours, in all of its interval; else None."""
    if place is None or when is None or place not in device.hours:
        return None
    grace = _rules(device, run).grace_ms
    return HOURS if grace is not None and outside(device.hours[place], *when, grace) else None


def label(desk: Desk, epoch: EpochState, seq: int, rule: str) -> None:
    """Write that a rule filters this stored answer; what that does to the counts is the caller's."""
    desk.connection.execute(_FILTER, {"d": epoch.device_id, "e": epoch.epoch, "s": seq, "f": rule})


def count(desk: Desk, key: tuple[int, str, str, int], rule: str | None, flags: int, sign: int) -> None:
    """Add one answer to a bucket (`sign` 1) or take it away (-1)."""
    simulated = sign if flags & wire.FLAG_SIMULATED else 0
    if rule is None:
        desk.count(key, sign, 0, simulated)
    else:
        desk.count(key, 0, sign, 0)
        desk.count_filtered(key, rule, sign, simulated)


_PRESS_COLUMNS = (
    _RECORDS.c.seq,
    _RECORDS.c.uptime,
    _RECORDS.c.flags,
    _RECORDS.c.set_number,
    _RECORDS.c.question,
    _RECORDS.c.value,
    func.length(_RECORDS.c.body).label("text_bytes"),
)
_JUDGED_COLUMNS = (
    _RECORDS.c.session,
    _RECORDS.c.place_id,
    _RECORDS.c.from_at,
    _RECORDS.c.to_at,
    _RECORDS.c.filtered,
)


def _answers(run: RunState, *columns: Any) -> Any:
    return select(*columns).where(
        _RECORDS.c.device_id == run.device_id,
        _RECORDS.c.epoch == run.epoch,
        _RECORDS.c.seq.between(run.first_seq, run.last_seq),
        _RECORDS.c.boot == run.boot,
        _RECORDS.c.kind == wire.KIND_ANSWER,
        _RECORDS.c.crc < COARSE,  # with coarse times the verdict is final, and says nothing of its neighbours
    )


def _presses(run: RunState, *columns: Any) -> Any:
    return _answers(run, *columns).where(_RECORDS.c.session == 0)


def _face_of(row: Any) -> tuple[int, ...]:
    return _face(row.seq, row.flags, row.set_number, row.question, row.value, row.text_bytes)


def _face(
    seq: int, flags: int, set_number: int, question: int, value: int, text_bytes: int
) -> tuple[int, ...]:
    """Equal for the same face; what was skipped, timed out or written is no face and equals nothing."""
    if flags & wire.FLAG_OUTCOME or text_bytes:
        return (seq,)
    return set_number, question, value
