"""The contract of docs/protocol.md once more, as plainly as it can be said: sets, dictionaries and brute force.

Nothing here is shared with the server but the names of its rules; nothing is fast.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.fleet_server.answers.messages import KNOWN_SET, Msg, Rec

RANK = {"lost": 1, "rejected": 2, "received": 3}
HELSINKI = ZoneInfo("Europe/Helsinki")
ALLOWED = {0: {1, 2, 3, 4, 5}, 1: {0}}


@dataclass
class Epoch:
    records: dict[int, Rec] = field(default_factory=dict)  # received, by seq
    states: dict[int, str] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)  # rejected, but no record of its own was kept
    next: int = 0
    header: tuple[int, int] = (0, 0)  # highest next that came with a count of presses, and that count
    forked: set[tuple[int, Rec]] = field(default_factory=set)

    def through(self) -> int:
        seq = 0
        while seq in self.states:
            seq += 1
        return seq

    def lift(self, seq: int, state: str) -> None:
        if RANK[state] > RANK.get(self.states.get(seq, ""), 0):
            self.states[seq] = state


@dataclass
class Model:
    """One device. `stays`: [from, to or None, place]."""

    created_at: int
    stays: list[list[int | None]]
    epochs: dict[int, Epoch] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)  # epochs, oldest first
    gone: set[int] = field(default_factory=set)
    hours: dict[int, list[tuple[int, dict[str, list[list[str]]]]]] = field(default_factory=dict)  # by place

    def deliver(self, msg: Msg, *, as_version: int | None = None) -> tuple[int, int, bool] | None:
        """(through, seen, fork) of the receipt, None when there is none."""
        version = msg.version if as_version is None else as_version
        epoch = self.epochs.get(msg.epoch, Epoch())
        highest = msg.highest if version == 1 else msg.to
        if not msg.start <= msg.to <= highest or highest > epoch.next + 1_000_000:
            return None
        if msg.epoch not in self.epochs:
            self.epochs[msg.epoch] = epoch
            self.order.append(msg.epoch)
        epoch.next = max(epoch.next, highest)
        if version != 1:
            for seq in range(msg.start, msg.to):
                if seq not in epoch.states or epoch.states[seq] == "lost":
                    epoch.unreadable.add(seq)
                epoch.lift(seq, "rejected")
            return epoch.through(), epoch.next, False
        if highest >= epoch.header[0]:
            epoch.header = (highest, msg.pressed)
        fork = self._records(epoch, msg)
        for seq in range(msg.start, msg.to):
            epoch.lift(seq, "lost")
        return epoch.through(), epoch.next, fork

    def _records(self, epoch: Epoch, msg: Msg) -> bool:
        fork, seen = False, set()
        for record in msg.records:
            if record.damaged or record.seq in seen or not msg.start <= record.seq < msg.to:
                continue
            seen.add(record.seq)
            there = epoch.records.get(record.seq)
            if there is not None:
                if there != record:
                    fork = True
                    epoch.forked.add((record.seq, record))
            elif refused(record):
                epoch.lift(record.seq, "rejected")
                epoch.unreadable.discard(record.seq)
            else:
                epoch.records[record.seq] = record
                epoch.lift(record.seq, "received")
        for record in msg.records:
            if record.damaged and msg.start <= record.seq < msg.to and record.seq not in seen:
                epoch.lift(record.seq, "rejected")
                epoch.unreadable.discard(record.seq)
        return fork

    def replay_unreadable(self, msg: Msg) -> None:
        """A message of a version that was unknown is read at last."""
        epoch = self.epochs[msg.epoch]
        for seq in range(msg.start, msg.to):
            if epoch.states.get(seq) == "rejected" and seq in epoch.unreadable:
                del epoch.states[seq]
        self.deliver(msg, as_version=1)

    def report(self, epochs: list[tuple[int, int, int]]) -> None:
        """[(epoch, next, pressed)], oldest first."""
        for number, highest, pressed in epochs:
            if number not in self.epochs:
                self.epochs[number] = Epoch()
                self.order.append(number)
            epoch = self.epochs[number]
            if epoch.header[0] <= highest <= epoch.next + 1_000_000:
                epoch.next = max(epoch.next, highest)
                epoch.header = (highest, pressed)
        named = [number for number, _, _ in epochs]
        oldest = min(self.order.index(number) for number in named)
        before = [number for number in self.order[:oldest] if number not in named]
        after = [number for number in self.order[oldest:] if number not in named]
        self.order = before + named + after
        for number in self.order[: self.order.index(named[-1])]:
            if number not in named:
                self.gone.add(number)
                for seq in range(self.epochs[number].next):
                    self.epochs[number].lift(seq, "lost")
        self.gone -= set(named)

    # What must be kept, from the records alone

    def filtered(self, number: int) -> dict[int, str]:
        """{seq: rule} of the answers that are filtered, whatever their time."""
        records = self.epochs[number].records
        last: dict[tuple[int, int, int], int] = {}
        silent = {r.seq for r in records.values() if r.kind == 1 and says_nothing(r)}
        answers = [
            r
            for r in records.values()
            if r.kind == 1 and r.session != 255 and (r.seq not in silent or r.flags % 4 != 2)
        ]
        for r in answers:
            key = (r.seq - r.session, r.set_number, r.question)
            last[key] = max(last.get(key, 0), r.seq)
        found = dict.fromkeys(silent, "unanswered")
        for r in answers:
            if r.seq in silent:
                continue
            first = records.get(r.seq - r.session)
            if last[r.seq - r.session, r.set_number, r.question] != r.seq:
                found[r.seq] = "corrected"
                continue
            begun = first and first.kind == 1 and first.session == 0 and first.boot == r.boot
            if begun and (rule := misused(first, records.values())):
                found[r.seq] = rule
        return found

    def rules(self) -> Counter[tuple[int, str, int, str, bool]]:
        """How many answers are in each (place or 0, grain, start, rule or '', simulated)."""
        sums: Counter[tuple[int, str, int, str, bool]] = Counter()
        when = self._when()
        for number, epoch in self.epochs.items():
            filtered = self.filtered(number)
            for record in epoch.records.values():
                if record.kind == 1:
                    interval = when(number, record)
                    place = self._place(interval)
                    rule = filtered.get(record.seq, "")
                    if not rule and place and closed(self.hours.get(place, []), interval):
                        rule = "hours"
                    sums[place, *grain_of(interval), rule, bool(record.flags & 4)] += 1
        return sums

    def counts(self) -> dict[tuple[int, str, int], list[int]]:
        """{(place or 0, grain, start): [counted, filtered, simulated]}"""
        sums: dict[tuple[int, str, int], list[int]] = {}
        for (*key, rule, simulated), answers in self.rules().items():
            bucket = sums.setdefault(tuple(key), [0, 0, 0])
            bucket[rule != ""] += answers
            bucket[2] += answers * (simulated and not rule)
        return sums

    def _place(self, interval: tuple[float, float] | None) -> int:
        for start, stop, place in self.stays:
            if interval and start <= interval[0] and (stop is None or interval[1] < stop):
                return place
        return 0

    def _when(self):
        runs: dict[tuple[int, int], list[Rec]] = {}
        for number in self.order:
            for record in self.epochs[number].records.values():
                runs.setdefault((self.order.index(number), record.boot), []).append(record)

        def anchors(run):
            return [(r.seq, r.uptime, *clock_of(r)) for r in runs[run] if r.kind == 3]

        def by_anchors(run, uptime):
            def doubt(a):
                return a[3] * 100 + abs(uptime - a[1]), a[0]

            _, at, utc, uncertainty = min(anchors(run), key=doubt)
            reach = uncertainty + 100 + -(-abs(uptime - at) // 100)
            middle = utc + (uptime - at) * 100
            return middle - reach, middle + reach

        order = sorted(runs)
        clocked = [run for run in order if anchors(run)]

        def interval(number, record):
            run = (self.order.index(number), record.boot)
            if run in clocked:
                return by_anchors(run, record.uptime)
            ends = [by_anchors(r, max(x.uptime for x in runs[r]))[0] for r in clocked if r < run]
            begins = [by_anchors(r, 0)[1] for r in clocked if r > run]
            low = max([self.created_at, *ends])
            if not begins or min(begins) < low:
                return None
            return low, min(begins)

        return interval

    def classes(self, number: int) -> Counter[str]:
        return Counter(self.epochs[number].states.values())


def says_nothing(record: Rec) -> bool:
    """Skipped (and what no version knows), or timed out with neither a value nor a text."""
    outcome = record.flags % 4
    return outcome in (1, 3) or (outcome == 2 and record.value == 255 and record.body == b"")


def misused(press: Rec, records: Iterable[Rec]) -> str:
    """The rule that a visit's first answer breaks, by its clock run's presses before it."""
    before = sorted(
        (r for r in records if r.kind == 1 and r.session == 0 and r.boot == press.boot and r.seq < press.seq),
        key=lambda r: -r.seq,
    )
    elapsed, later = 0, press
    for count, r in enumerate(before, 1):
        gap = later.uptime - r.uptime
        if gap < 0:
            break
        elapsed, later = elapsed + gap, r
        faces = [(x.set_number, x.question, x.value) for x in (r, press) if not x.flags & 3 and not x.body]
        if count == 1 and gap <= 50 and len(faces) == 2 and faces[0] == faces[1]:
            return "repeat"
        if count == 6 and elapsed <= 200:
            return "burst"
    return ""


def closed(hours: list[tuple[int, dict[str, list[list[str]]]]], interval: tuple[int, int]) -> bool:
    """Whether no minute of the interval lies within half an hour of an opening time or on a day without a table."""
    first, last = (datetime.fromtimestamp(at / 1000, HELSINKI) for at in interval)
    for number in range(-1, (last.date() - first.date()).days + 2):
        day = first.date() + timedelta(days=number)
        begins, ends = (midnight(datetime.combine(d, time())) for d in (day, day + timedelta(days=1)))
        tables = [table for since, table in sorted(hours, key=lambda row: row[0]) if since <= begins]
        if not tables or not tables[-1]:
            spans = [(begins, ends - 1)]
        else:
            spans = [
                tuple(
                    int(datetime.combine(day, time.fromisoformat(at), HELSINKI).timestamp() * 1000) + more
                    for at, more in ((start, -1_800_000), (stop, 1_800_000 - 1))
                )
                for start, stop in tables[-1][day.strftime("%a").lower()]
            ]
        if any(start <= interval[1] and interval[0] <= stop for start, stop in spans):
            return False
    return True


def clock_of(record: Rec) -> tuple[int, int]:
    return int.from_bytes(record.body[:8], "little"), int.from_bytes(record.body[8:12], "little")


def refused(record: Rec) -> bool:
    if record.kind == 3:
        return (
            not datetime(2020, 1, 1, tzinfo=HELSINKI).timestamp() <= clock_of(record)[0] / 1000 < 4102437600
        )
    if record.kind != 1:
        return False
    try:
        record.body.decode()
    except UnicodeDecodeError:
        return True
    known = record.set_number == KNOWN_SET and record.question in ALLOWED and not says_nothing(record)
    return known and record.value not in ALLOWED[record.question]


def grain_of(interval: tuple[int, int] | None) -> tuple[str, int]:
    if interval is None:
        return "unknown", 0
    first, last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at) for at in interval)
    first, last = first.astimezone(HELSINKI), last.astimezone(HELSINKI)
    hour = interval[0] // 3_600_000 * 3_600_000
    if interval[1] // 3_600_000 * 3_600_000 == hour:
        return "hour", hour
    if first.date() == last.date():
        return "day", midnight(first)
    if (first.year, first.month) == (last.year, last.month):
        return "month", midnight(first.replace(day=1))
    return "unknown", 0


def midnight(day: datetime) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=HELSINKI).timestamp() * 1000)
