"""Runs the misuse rules of today, with the opening hours of today, over answers that were booked earlier.

In steps of bounded length, each a transaction of its own; a step that is done twice changes nothing. Afterwards all is
as if these rules had held from the start.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col, update
from sqlmodel import select as rows_of

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.answers import bulk, filters
from fleet_server.answers.desk import Desk
from fleet_server.answers.models import ClockRun
from fleet_server.answers.placing import NOWHERE
from fleet_server.answers.rules import CURRENT
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, OpeningHours, Place
from fleet_server.places.opening import SETTLED_MS

STEP_SEQS = 2_000  # some 20 ms of the one writer
LEAST_PAUSE_S = 0.05  # between steps, and as long as a step took: who waits for the writer gets it meanwhile

Run = tuple[str, int, int]  # device, epoch, boot
_RUNS = bulk.table_of(ClockRun)


@dataclass
class Rerun:
    """What running the rules again came to. `filtered`, `restored`: answers that changed sides."""

    runs: int = 0
    records: int = 0
    filtered: int = 0
    restored: int = 0


@dataclass(frozen=True)
class Step:
    """One step: where the next one of this run begins (None: it is done), and what changed."""

    next_seq: int | None
    records: int
    filtered: int
    restored: int
    places: frozenset[int]


def rerun(
    database: Database,
    *,
    actor: Person | str,
    now: int,
    upgrade: bool = True,
    device_id: str | None = None,
    place_id: int | None = None,
    pause: Callable[[float], object] = time.sleep,
    progress: Callable[[int, int, Step], None] = lambda done, runs, step: None,
) -> Rerun:
    """Judge anew everything of a device, of all devices that ever stood at a place, or of all.

    `upgrade`: by today's rules; otherwise each clock run by those that decided on it, with today's opening hours.
    `progress(runs done, runs in all, step)` is called after each commit. Raises ValueError for an unknown device or
    place.
    """
    kind, number = (
        ("device", device_id) if device_id else ("place", place_id) if place_id else ("answers", "all")
    )
    with database.write() as session:
        runs = runs_of(session, device_id=device_id, place_id=place_id)
        pending = _pending(session, place_id, device_id, now)
        after = {"rules": CURRENT, "clock runs": len(runs)}
        audit.record(session, actor, "start rerun of rules", kind, number, after=after, now=now)
    done = Rerun()
    for run in runs:
        seq: int | None = 0
        while seq is not None:
            began = time.perf_counter()
            with database.write() as session:
                step = judge_again(session, run, seq, now=now, upgrade=upgrade)
            seq = step.next_seq
            done.records += step.records
            done.filtered += step.filtered
            done.restored += step.restored
            done.runs += seq is None
            progress(done.runs, len(runs), step)
            pause(max(LEAST_PAUSE_S, time.perf_counter() - began))
    with database.write() as session:
        for place, from_at, since in pending:
            # Not one that was changed meanwhile: its presses have to be judged once more.
            session.exec(
                update(OpeningHours)
                .where(
                    col(OpeningHours.place_id) == place,
                    col(OpeningHours.from_at) == from_at,
                    col(OpeningHours.pending_since) == since,
                )
                .values(pending_since=None)
            )
        after = {"rules": CURRENT, "filtered now": done.filtered, "counted now": done.restored}
        audit.record(session, actor, "finish rerun of rules", kind, number, after=after, now=now)
    return done


def runs_of(session: Session, *, device_id: str | None = None, place_id: int | None = None) -> list[Run]:
    """The clock runs of a device, of all devices that ever stood at a place, or all there are."""
    wanted = rows_of(ClockRun.device_id, ClockRun.epoch, ClockRun.boot).order_by(
        col(ClockRun.device_id), col(ClockRun.epoch), col(ClockRun.boot)
    )
    if device_id is not None:
        if session.get(Device, device_id) is None:
            raise ValueError(f"device {device_id!r} is not registered")
        wanted = wanted.where(ClockRun.device_id == device_id)
    if place_id is not None:
        if session.get(Place, place_id) is None:
            raise ValueError(f"place {place_id} does not exist")
        stood = rows_of(Installation.device_id).where(Installation.place_id == place_id)
        wanted = wanted.where(col(ClockRun.device_id).in_(stood))
    return [(device, epoch, boot) for device, epoch, boot in session.exec(wanted)]


def judge_again(session: Session, run_key: Run, first: int, *, now: int, upgrade: bool = True) -> Step:
    """One step, within the session's transaction: the records of a run from seq `first` on, at most STEP_SEQS."""
    device_id, epoch_number, boot = run_key
    desk = Desk(session, now)
    desk.open({device_id}, {(device_id, epoch_number)})
    device = desk.devices[device_id]
    epoch = device.epochs[epoch_number]
    run = desk.run(epoch, boot)
    if run is None:
        raise ValueError(f"device {device_id!r} has no clock run {boot} in epoch {epoch_number:08x}")
    first = max(first, run.first_seq)
    last = min(first + STEP_SEQS - 1, run.last_seq)
    if upgrade and run.rules != CURRENT:
        # From the first step on, so that what comes meanwhile is judged by these rules, too; negative until the last.
        run.rules = CURRENT if last == run.last_seq else -CURRENT
        desk.touch_run(run)
    places: set[int] = set()
    changed = filters.judge(desk, device, run, first, last, places)
    desk.refilter(run, sum(changed.values()))
    desk.flush()
    return Step(
        next_seq=last + 1 if last < run.last_seq else None,
        records=last - first + 1,
        filtered=sum(more > 0 for more in changed.values()),
        restored=sum(more < 0 for more in changed.values()),
        places=frozenset(places - {NOWHERE}),
    )


def outdated(session: Session, device_ids: Iterable[str]) -> int:
    """How many clock runs of these devices were judged by an older version of the rules."""
    found = session.connection().execute(
        select(_RUNS.c.boot).where(_RUNS.c.device_id.in_(list(device_ids)), _RUNS.c.rules != CURRENT)
    )
    return len(found.all())


def _pending(
    session: Session, place_id: int | None, device_id: str | None, now: int
) -> list[tuple[int, int, int | None]]:
    if device_id is not None:
        return []
    wanted = rows_of(OpeningHours.place_id, OpeningHours.from_at, OpeningHours.pending_since).where(
        col(OpeningHours.pending_since) <= now - SETTLED_MS
    )
    if place_id is not None:
        wanted = wanted.where(OpeningHours.place_id == place_id)
    return [(place, from_at, since) for place, from_at, since in session.exec(wanted)]
