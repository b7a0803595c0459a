"""Compares what is kept beside the records (ledger, counts, sums) with the records themselves; it repairs nothing.

For `fleet check` and the tests: its time grows with the number of answers, so no page calls it.
"""

from collections import Counter

from sqlmodel import Session, col, select

from fleet_server.answers.models import FilterCount, JournalEpoch, LedgerRange, PressCount, Record
from fleet_server.answers.placing import NOWHERE, bucket
from fleet_server.answers.wire import FLAG_SIMULATED, KIND_ANSWER


def faults(session: Session, device_id: str) -> list[str]:
    """Every difference, one line each; empty when all is well."""
    seqs: dict[int, set[int]] = {}
    answers: Counter[tuple[int, bool]] = Counter()
    buckets: dict[tuple[int, str, int], list[int]] = {}
    rules: dict[tuple[int, str, int, str], list[int]] = {}
    for row in session.exec(select(Record).where(Record.device_id == device_id)).yield_per(1000):
        seqs.setdefault(row.epoch, set()).add(row.seq)
        if row.kind == KIND_ANSWER:
            counted = row.filtered is None
            answers[row.epoch, counted] += 1
            when = None if row.from_at is None or row.to_at is None else (row.from_at, row.to_at)
            amounts = buckets.setdefault((row.place_id or NOWHERE, *bucket(when)), [0, 0, 0])
            amounts[0] += counted
            amounts[1] += not counted
            amounts[2] += counted and bool(row.flags & FLAG_SIMULATED)
            if row.filtered is not None:
                by_rule = rules.setdefault((row.place_id or NOWHERE, *bucket(when), row.filtered), [0, 0])
                by_rule[0] += 1
                by_rule[1] += bool(row.flags & FLAG_SIMULATED)
    found = _ledger_faults(session, device_id, seqs)
    for epoch in session.exec(select(JournalEpoch).where(JournalEpoch.device_id == device_id)):
        kept = (epoch.counted_answers, epoch.filtered_answers)
        real = (answers[epoch.epoch, True], answers[epoch.epoch, False])
        if kept != real:
            found.append(
                f"epoch {epoch.epoch:08x}: counted and filtered are kept as {kept}, records say {real}"
            )
    there = {
        (row.place_id, row.grain, row.start_at): [row.counted, row.filtered, row.simulated]
        for row in session.exec(select(PressCount).where(PressCount.device_id == device_id))
    }
    for key in sorted(there.keys() | buckets.keys()):
        kept_counts, real_counts = there.get(key, [0, 0, 0]), buckets.get(key, [0, 0, 0])
        if kept_counts != real_counts:
            found.append(f"counts of {key}: kept as {kept_counts}, records say {real_counts}")
    return found + _rule_faults(session, device_id, rules)


def _rule_faults(
    session: Session, device_id: str, rules: dict[tuple[int, str, int, str], list[int]]
) -> list[str]:
    kept = {
        (row.place_id, row.grain, row.start_at, row.rule): [row.answers, row.simulated]
        for row in session.exec(select(FilterCount).where(FilterCount.device_id == device_id))
    }
    return [
        f"filtered by rule of {key}: kept as {kept.get(key, [0, 0])}, records say {rules.get(key, [0, 0])}"
        for key in sorted(kept.keys() | rules.keys())
        if kept.get(key, [0, 0]) != rules.get(key, [0, 0])
    ]


def _ledger_faults(session: Session, device_id: str, seqs: dict[int, set[int]]) -> list[str]:
    found = []
    rows = session.exec(
        select(LedgerRange)
        .where(LedgerRange.device_id == device_id)
        .order_by(col(LedgerRange.epoch), col(LedgerRange.start))
    ).all()
    received: dict[int, set[int]] = {}
    before: LedgerRange | None = None
    for row in rows:
        if row.state == "received":
            received.setdefault(row.epoch, set()).update(range(row.start, row.stop))
        if before is not None and before.epoch == row.epoch and before.stop > row.start:
            found.append(f"epoch {row.epoch:08x}: ranges from {before.start} and from {row.start} overlap")
        before = row
    for epoch in sorted(received.keys() | seqs.keys()):
        odd = received.get(epoch, set()) ^ seqs.get(epoch, set())
        if odd:
            found.append(f"epoch {epoch:08x}: ledger and records differ in {len(odd)} seqs, first {min(odd)}")
    return found
