"""Says what must be kept beside a device's records, from the records alone; it compares nothing and writes nothing.

Invariant: of what is derived (anchors, runs, times, places, sums, ledger, counts) nothing is read, so one fault in it
is one difference, not a chain of them. Taken as given is what only the kiosk or a person knows: the order of epochs,
the highest `next` heard, where the device stood, what the ledger calls rejected or lost.
Memory grows with clock runs, clock records and hours of presses, not with answers: those are read in pieces.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from sqlalchemy import func, select
from sqlmodel import Session

from fleet_server.answers import bulk, wire
from fleet_server.answers.clock_anchors import highest_uptime
from fleet_server.answers.fingerprints import COARSE, NO_CRC
from fleet_server.answers.models import Record
from fleet_server.answers.placing import (
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
from fleet_server.answers.replacing import between_neighbours
from fleet_server.answers.rules import CORRECTED, UNANSWERED
from fleet_server.answers.states import RunState
from fleet_server.answers.visits import has_a_say

PIECE = 2_000  # records read at once: some hundred kilobytes
_MANY_VISITS = (
    4 * wire.NO_VISIT
)  # at most 254 of them can still get answers; tidied up when there are so many

RunKey = tuple[int, int]  # epoch, boot
BucketKey = tuple[int, str, int]  # place id or NOWHERE, grain, start

_RECORDS = bulk.table_of(Record)
_HEAD = struct.Struct("<HBBIIIHBBBBH")


@dataclass(slots=True)
class EpochSums:
    """What an epoch's records come to; `received`: their seqs as ranges, highest first while they are read."""

    received: list[tuple[int, int]] = field(default_factory=list)
    answers: int = 0
    filtered: int = 0
    refused: int = 0
    last_boot: int = -1


@dataclass(frozen=True, slots=True)
class Placed:
    """One record as it is kept, and what must stand in its derived columns; `intact`: it is what the kiosk wrote."""

    seq: int
    kept: tuple[Any, ...]
    real: tuple[Any, ...]
    intact: bool


PLACED_COLUMNS = ("place_id", "from_at", "to_at", "grain", "filtered")


class Derived:
    """A device as its records have it. `ages`: the order of its epochs; `created_at`, `stays` as on the desk."""

    def __init__(
        self,
        session: Session,
        device_id: str,
        created_at: int,
        ages: dict[int, int],
        stays: Sequence[Stay],
    ) -> None:
        self._session = session
        self._device_id = device_id
        self._stays = stays
        self.anchors: dict[tuple[int, int, int], Anchor] = {}
        self.runs = self._runs(created_at, ages)
        self.buckets: dict[BucketKey, list[int]] = {}
        self.by_rule: dict[tuple[int, str, int, str], list[int]] = {}

    def epochs(self) -> list[int]:
        """The epochs of which there is a record."""
        return sorted({epoch for epoch, _ in self.runs})

    def place(self, epoch: int, sums: EpochSums) -> Iterator[list[Placed]]:
        """Go through an epoch's records piece by piece, from the newest to the oldest: a correction comes later than
        what it corrects. Fills `sums`, and adds to `buckets` and `by_rule`."""
        corrections = _Corrections()
        highest = 1 << 32
        while rows := self._piece(epoch, highest):
            yield [self._placed(row, sums, corrections) for row in rows]
            highest = rows[-1].seq
        sums.received.reverse()

    def _piece(self, epoch: int, below: int) -> Sequence[Any]:
        query = (
            select(_RECORDS)
            .where(_RECORDS.c.device_id == self._device_id, _RECORDS.c.epoch == epoch, _RECORDS.c.seq < below)
            .order_by(_RECORDS.c.seq.desc())
            .limit(PIECE)
        )
        return self._session.connection().execute(query).all()

    def _placed(self, row: Any, sums: EpochSums, corrections: "_Corrections") -> Placed:
        if row.crc >= COARSE:  # what is known of it is final
            when = None if row.from_at is None else (row.from_at, row.to_at)
            place = row.place_id
        else:
            when = self._when(row.epoch, row.boot, row.uptime)
            place = place_in(self._stays, when)
        grain, start = bucket(when)
        filtered = row.filtered
        if row.kind == wire.KIND_ANSWER:
            given = (row.flags, row.value, len(row.body))
            corrected = has_a_say(*given) and corrections.has(row)
            if wire.unanswered(*given):
                filtered = UNANSWERED
            elif corrected or filtered in (None, CORRECTED, UNANSWERED):
                filtered = (
                    CORRECTED if corrected else None
                )  # any other: a rule's verdict, `fleet rules rerun`
            bucket_key, simulated = (place or NOWHERE, grain, start), bool(row.flags & wire.FLAG_SIMULATED)
            amounts = self.buckets.setdefault(bucket_key, [0, 0, 0])
            amounts[0 if filtered is None else 1] += 1
            amounts[2] += filtered is None and simulated
            if filtered is not None:
                by_rule = self.by_rule.setdefault((*bucket_key, filtered), [0, 0])
                by_rule[0] += 1
                by_rule[1] += simulated
            if row.session == 0:
                run = self.runs[row.epoch, row.boot]
                if run.press_seq is None:  # the newest record comes first
                    run.press_seq, run.press_uptime = row.seq, row.uptime
            sums.answers += 1
            sums.filtered += filtered is not None
        elif row.kind == wire.KIND_REFUSED and len(row.body) == wire.REFUSED_BYTES:
            sums.refused += wire.refused(row)
        sums.last_boot = max(sums.last_boot, row.boot)
        if sums.received and sums.received[-1][0] == row.seq + 1:
            sums.received[-1] = (row.seq, sums.received[-1][1])
        else:
            sums.received.append((row.seq, row.seq + 1))
        return Placed(
            row.seq,
            (row.place_id, row.from_at, row.to_at, row.grain, row.filtered),
            (place, *(when or (None, None)), grain, filtered),
            row.crc >= COARSE or row.crc in (NO_CRC, _crc_of(row)),
        )

    def _when(self, epoch: int, boot: int, uptime: int) -> Interval | None:
        run, anchors = self._run_anchors[epoch, boot]
        return interval(best(anchors, uptime), uptime) if anchors else run.between

    def _runs(self, created_at: int, ages: dict[int, int]) -> dict[RunKey, RunState]:
        records = _RECORDS.c
        mine = records.device_id == self._device_id
        execute = self._session.connection().execute
        reach = (func.min(records.seq), func.max(records.seq), highest_uptime())
        grouped = (
            select(records.epoch, records.boot, *reach).where(mine).group_by(records.epoch, records.boot)
        )
        runs = {
            (epoch, boot): RunState(self._device_id, epoch, boot, first, last, uptime)
            for epoch, boot, first, last, uptime in execute(grouped)
        }
        clocks: dict[RunKey, list[Anchor]] = {}
        of_clocks = select(records.epoch, records.boot, records.seq, records.uptime, records.body)
        for epoch, boot, seq, uptime, body in execute(of_clocks.where(mine, records.kind == wire.KIND_CLOCK)):
            if len(body) == wire.CLOCK_BYTES:
                anchor = Anchor(uptime, seq, *wire.clock_body(body))
                self.anchors[epoch, boot, seq] = anchor
                clocks.setdefault((epoch, boot), []).append(anchor)
        self._run_anchors = {key: (run, usable(clocks.get(key, ()))) for key, run in runs.items()}
        for run, anchors in self._run_anchors.values():
            if anchors:
                run.anchor_uptime, run.anchor_seq, run.anchor_utc_ms, run.anchor_uncertainty_ms = anchors[-1]
                run.began_before = interval(best(anchors, 0), 0)[1]
                run.ended_after = interval(best(anchors, run.last_uptime), run.last_uptime)[0]
        youngest = max(ages.values(), default=0) + 1
        in_order = sorted(runs.values(), key=lambda run: (ages.get(run.epoch, youngest), run.boot))
        for run, between in between_neighbours(in_order, created_at):
            run.from_at, run.to_at = between or (None, None)
        return runs


class _Corrections:
    """Which answers a later one of the same visit corrects, told in order of falling seq."""

    def __init__(self) -> None:
        self._visits: dict[int, set[tuple[int, int]]] = {}

    def has(self, answer: Any) -> bool:
        """Whether a later answer to the same question of the same visit was told before."""
        if answer.session == wire.NO_VISIT:
            return False
        if len(self._visits) > _MANY_VISITS:  # what began later than this record has no more answers
            self._visits = {began: told for began, told in self._visits.items() if began <= answer.seq}
        questions = self._visits.setdefault(answer.seq - answer.session, set())
        question = (answer.set_number, answer.question)
        if question in questions:
            return True
        questions.add(question)
        return False


def _crc_of(row: Any) -> int:
    """The CRC of the record as the kiosk must have written it."""
    body = bytes(row.body)
    head = _HEAD.pack(
        _HEAD.size + len(body), row.kind, row.flags, row.seq, row.boot, row.uptime, row.set_number, row.session,
        row.question, row.language, row.value, row.pressed,
    )  # fmt: skip
    return crc32(head + body, row.epoch)
