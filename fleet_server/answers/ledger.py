"""The ledger of one epoch: which seqs are received, rejected or lost; it knows neither records nor devices.

Invariant: ranges are sorted, disjoint, and no two that touch have the same state; a seq only ever rises:
waiting → lost → rejected → received. What no range covers is waiting.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

WAITING, LOST, REJECTED, RECEIVED = 0, 1, 2, 3
NAMES = {LOST: "lost", REJECTED: "rejected", RECEIVED: "received"}
STATES = {name: state for state, name in NAMES.items()}

Range = tuple[int, int, int]  # [start, stop) and the state of every seq in it


class Ledger:
    """The ranges of an epoch from `loaded_from` on (those that end before it stay in the database, untouched)."""

    __slots__ = ("_stored", "loaded_from", "ranges")

    def __init__(self, ranges: Sequence[Range] = (), loaded_from: int = 0) -> None:
        self.ranges: list[Range] = list(ranges)
        self.loaded_from = loaded_from
        self._stored = {start: (stop, state) for start, stop, state in ranges}

    def extend_down(self, earlier: Sequence[Range], loaded_from: int) -> None:
        """Add what the database holds between `loaded_from` and the former bound."""
        self.ranges[:0] = earlier
        self._stored.update({start: (stop, state) for start, stop, state in earlier})
        self.loaded_from = loaded_from

    def raise_to(self, segments: Sequence[Range]) -> int:
        """Lift every seq to at least the state that `segments` (sorted, gapless) give it.

        Returns how many of them were waiting.
        """
        start, stop, state = segments[0][0], segments[-1][1], segments[0][2]
        if len(segments) == 1 and self.ranges and self.ranges[-1][1:] == (start, state):
            self.ranges[-1] = (self.ranges[-1][0], stop, state)  # the way of nearly every message
            return stop - start
        first = _first_ending_at_or_after(self.ranges, start)
        last = first
        while last < len(self.ranges) and self.ranges[last][0] <= stop:
            last += 1
        touched = self.ranges[first:last]
        known = sum(min(b, stop) - max(a, start) for a, b, _ in touched if b > start and a < stop)
        self.ranges[first:last] = overlay(touched, segments)
        return stop - start - known

    def with_state(self, state: int, start: int, stop: int) -> list[tuple[int, int]]:
        """The parts of [start, stop) that are in `state`."""
        found = []
        for a, b, there in self.ranges[_first_ending_at_or_after(self.ranges, start) :]:
            if a >= stop:
                break
            if there == state and b > start:
                found.append((max(a, start), min(b, stop)))
        return found

    def waiting(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The parts of [start, stop) that no range covers."""
        gaps = []
        for a, b, _ in self.ranges[_first_ending_at_or_after(self.ranges, start) :]:
            if a >= stop:
                break
            if a > start:
                gaps.append((start, a))
            start = max(start, b)
        if start < stop:
            gaps.append((start, stop))
        return gaps

    def retract(self, parts: Iterable[tuple[int, int]]) -> None:
        """Let these parts wait again: only for the replay of a message that nobody could read when it came."""
        for start, stop in parts:
            kept = []
            for a, b, state in self.ranges:
                kept += [(x, y, state) for x, y in ((a, min(b, start)), (max(a, stop), b)) if x < y]
            self.ranges = kept

    def through(self, known: int) -> int:
        """The seq below which everything is booked, given that everything below `known` is."""
        for start, stop, _ in self.ranges[_first_ending_at_or_after(self.ranges, known) :]:
            if start > known:
                break
            known = max(known, stop)
        return known

    def changes(self) -> tuple[list[int], list[Range]]:
        """What the database must do: starts of ranges to delete, ranges to insert or overwrite."""
        now = {start: (stop, state) for start, stop, state in self.ranges}
        deleted = [start for start in self._stored if start not in now]
        changed = [
            (start, stop, state)
            for start, (stop, state) in now.items()
            if self._stored.get(start) != (stop, state)
        ]
        self._stored = now
        return deleted, changed


def overlay(old: Sequence[Range], new: Sequence[Range]) -> list[Range]:
    """Both together, the higher state winning, equal neighbours joined."""
    cuts = sorted({edge for a, b, _ in (*old, *new) for edge in (a, b)})
    joined: list[Range] = []
    i = j = 0
    for a, b in pairwise(cuts):
        while i < len(old) and old[i][1] <= a:
            i += 1
        while j < len(new) and new[j][1] <= a:
            j += 1
        state = max(
            old[i][2] if i < len(old) and old[i][0] <= a else WAITING,
            new[j][2] if j < len(new) and new[j][0] <= a else WAITING,
        )
        if state == WAITING:
            continue
        if joined and joined[-1][1] == a and joined[-1][2] == state:
            joined[-1] = (joined[-1][0], b, state)
        else:
            joined.append((a, b, state))
    return joined


def segments_of(states: dict[int, int], start: int, stop: int) -> list[Range]:
    """Segments that cover [start, stop): each seq as `states` has it, lost where it has none."""
    if len(states) == stop - start and len(set(states.values())) == 1:
        return [(start, stop, states[start])]
    segments: list[Range] = []
    at = start
    for seq in sorted(states):
        if seq > at:
            segments.append((at, seq, LOST))
        state = states[seq]
        if segments and segments[-1][1] == seq and segments[-1][2] == state:
            segments[-1] = (segments[-1][0], seq + 1, state)
        else:
            segments.append((seq, seq + 1, state))
        at = seq + 1
    if at < stop:
        segments.append((at, stop, LOST))
    return segments


def _first_ending_at_or_after(ranges: Sequence[Range], seq: int) -> int:
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][1] < seq:
            low = middle + 1
        else:
            high = middle
    return low
