"""Takes the exact times out of records two weeks old: only the hour stays, so nobody can match a press to a visit.

What is known of an answer (place, hour or day, verdict of the misuse rules) is final then: it is kept as it stands, and
nothing places or judges it anew. Invariants: no count changes; later records of the same clock run are placed as if
nothing had been coarsened; `fleet check` balances before, between and after the steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlmodel import Session

from fleet_server.answers import bulk, clock_anchors, replacing, wire
from fleet_server.answers.desk import Desk
from fleet_server.answers.fingerprints import COARSE
from fleet_server.answers.models import ClockAnchor, JournalEpoch, Record
from fleet_server.answers.placing import NOWHERE, TENTH_MS
from fleet_server.answers.states import DeviceState, EpochState, RunState, Tally
from fleet_server.instants import DAY_MS, HOUR_MS

KEPT_MS = (
    14 * DAY_MS
)  # exact times serve the misuse rules, late clock records and corrections of a visit until then
STEP_RECORDS = 2_000

_HOUR_TENTHS = HOUR_MS // TENTH_MS
# Clocks drift by 100 ppm: along this many tenths of a second by a whole millisecond, see placing.interval.
_STRIDE_TENTHS = 100

_EPOCHS, _RECORDS, _ANCHORS = (bulk.table_of(model) for model in (JournalEpoch, Record, ClockAnchor))
_COARSEN = (
    update(_RECORDS)
    .where(
        _RECORDS.c.device_id == bindparam("d"),
        _RECORDS.c.epoch == bindparam("e"),
        _RECORDS.c.seq == bindparam("s"),
    )
    .values(
        uptime=bindparam("u"),
        body=bindparam("b"),
        crc=bindparam("c"),
        from_at=bindparam("f"),
        to_at=bindparam("t"),
        received_at=bindparam("r"),
    )
)
_MOVE_ANCHOR = (
    update(_ANCHORS)
    .where(
        _ANCHORS.c.device_id == bindparam("d"),
        _ANCHORS.c.epoch == bindparam("e"),
        _ANCHORS.c.boot == bindparam("o"),
        _ANCHORS.c.seq == bindparam("s"),
    )
    .values(uptime=bindparam("u"), utc_ms=bindparam("w"), uncertainty_ms=bindparam("y"))
)


@dataclass(frozen=True)
class Coarsened:
    """What a step came to. `more`: there may be more to do at once. `places`: whose counts changed."""

    records: int
    more: bool
    places: frozenset[int]


def step(session: Session, *, now: int) -> Coarsened:
    """Coarsen some records of one epoch. To be called again, in a transaction of its own, as long as it says `more`."""
    found = _behind(session, now)
    if found is None:
        return Coarsened(0, more=False, places=frozenset())
    device_id, number = found
    desk = Desk(session, now)
    desk.open({device_id}, {(device_id, number)})
    device = desk.devices[device_id]
    epoch = device.epochs[number]
    old = _old(desk, epoch)
    if not old:
        return Coarsened(0, more=False, places=frozenset())
    tally = Tally()
    fine = [row for row in old if row.crc < COARSE]
    _write(desk, epoch, fine)
    for boot in sorted({row.boot for row in fine}):
        run = desk.run(epoch, boot)
        if run is not None:
            clocks = [row for row in fine if row.boot == boot and row.kind == wire.KIND_CLOCK]
            _settle_run(desk, device, run, clocks, tally)
    replacing.settle(desk, device, tally)
    epoch.coarse = old[-1].seq + 1
    desk.touch(epoch)
    desk.flush()
    return Coarsened(len(fine), more=True, places=frozenset(tally.places - {NOWHERE}))


def _behind(session: Session, now: int) -> tuple[str, int] | None:
    """An epoch in which an old record comes next."""
    found = session.connection().execute(_next_epoch(now - KEPT_MS)).first()
    return None if found is None else (found.device_id, found.epoch)


def _next_epoch(before: int) -> Select[Any]:
    next_one = (
        select(_RECORDS.c.received_at)
        .where(_RECORDS.c.device_id == _EPOCHS.c.device_id, _RECORDS.c.epoch == _EPOCHS.c.epoch)
        .where(_RECORDS.c.seq >= _EPOCHS.c.coarse)
        .order_by(_RECORDS.c.seq)
        .limit(1)
        .correlate(_EPOCHS)
        .scalar_subquery()
    )
    return (
        select(_EPOCHS.c.device_id, _EPOCHS.c.epoch)
        .where(_EPOCHS.c.coarse < _EPOCHS.c.next, next_one <= before)
        .limit(1)
    )


def _old(desk: Desk, epoch: EpochState) -> Sequence[Any]:
    """The next records of an epoch, up to the first that is young."""
    columns = ("seq", "boot", "kind", "uptime", "body", "crc", "from_at", "to_at", "received_at")
    rows = desk.connection.execute(
        select(*(_RECORDS.c[name] for name in columns))
        .where(_RECORDS.c.device_id == epoch.device_id, _RECORDS.c.epoch == epoch.epoch)
        .where(_RECORDS.c.seq >= epoch.coarse)
        .order_by(_RECORDS.c.seq)
        .limit(STEP_RECORDS)
    ).all()
    young = next((at for at, row in enumerate(rows) if row.received_at > desk.now - KEPT_MS), len(rows))
    return rows[:young]


def _write(desk: Desk, epoch: EpochState, fine: Sequence[Any]) -> None:
    records: list[dict[str, Any]] = []
    anchors: list[dict[str, Any]] = []
    for row in fine:
        key = {"d": epoch.device_id, "e": epoch.epoch, "s": row.seq}
        uptime, body = _coarse(row)
        if row.kind == wire.KIND_CLOCK:
            utc_ms, uncertainty_ms = wire.clock_body(body)
            anchors.append(key | {"o": row.boot, "u": uptime, "w": utc_ms, "y": uncertainty_ms})
        records.append(
            key
            | {
                "u": uptime,
                "b": body,
                "c": desk.fingerprints.of(row.crc, epoch.device_id, epoch.epoch, row.seq),
                # Outwards, to the bounds of hours: hour, day and month in which the interval lies are the same ones.
                "f": None if row.from_at is None else row.from_at - row.from_at % HOUR_MS,
                "t": None if row.to_at is None else row.to_at - row.to_at % HOUR_MS + HOUR_MS - 1,
                "r": row.received_at - row.received_at % HOUR_MS,
            }
        )
    if records:
        desk.connection.execute(_COARSEN, records)
    if anchors:
        desk.connection.execute(_MOVE_ANCHOR, anchors)


def _coarse(row: Any) -> tuple[int, bytes]:
    """(uptime, body) without the exact time. Never later than it was, but for a clock record."""
    body = bytes(row.body)
    if row.kind == wire.KIND_CLOCK:
        return _later(row.uptime, body)
    uptime = row.uptime - row.uptime % _HOUR_TENTHS
    if row.kind == wire.KIND_REFUSED and len(body) == wire.REFUSED_BYTES:
        body = wire.refused_bytes(wire.refused(row), uptime)
    return uptime, body


def _later(uptime: int, body: bytes) -> tuple[int, bytes]:
    """A clock record carried on along its own line to the next hour: it was written with a press.

    By whole strides, so that it gives every later record the same interval to the millisecond as before.
    """
    utc_ms, uncertainty_ms = wire.clock_body(body)
    stride_ms = _STRIDE_TENTHS * TENTH_MS
    strides = -(-(HOUR_MS - utc_ms % HOUR_MS) // stride_ms)
    if uptime + strides * _STRIDE_TENTHS >= 1 << 32:
        return uptime, body
    return uptime + strides * _STRIDE_TENTHS, wire.clock_bytes(
        utc_ms + strides * stride_ms, uncertainty_ms + strides
    )


def _settle_run(desk: Desk, device: DeviceState, run: RunState, clocks: Sequence[Any], tally: Tally) -> None:
    """Let the run say what its records say now, and place anew those that came before where a clock record is now."""
    run.last_uptime, run.press_seq, run.press_uptime = _last(desk, run)
    replacing.clocks_moved(desk, device, run, max((_coarse(row)[0] for row in clocks), default=0), tally)
    desk.touch_run(run)


def _last(desk: Desk, run: RunState) -> tuple[int, int | None, int | None]:
    """(highest uptime, seq of the last press, its uptime) of a run as its records say."""
    mine = (
        (_RECORDS.c.device_id == run.device_id)
        & (_RECORDS.c.epoch == run.epoch)
        & _RECORDS.c.seq.between(run.first_seq, run.last_seq)
        & (_RECORDS.c.boot == run.boot)
    )
    execute = desk.connection.execute
    highest = execute(select(clock_anchors.highest_uptime()).where(mine)).scalar_one()
    press = execute(
        select(_RECORDS.c.seq, _RECORDS.c.uptime)
        .where(mine, _RECORDS.c.kind == wire.KIND_ANSWER, _RECORDS.c.session == 0)
        .order_by(_RECORDS.c.seq.desc())
        .limit(1)
    ).first()
    return highest, *((press.seq, press.uptime) if press else (None, None))
