"""The ledger of an epoch as it must be by its records, and where the kept one says otherwise; without a database."""

from collections.abc import Iterator
from itertools import pairwise

from fleet_server.answers.ledger import LOST, NAMES, RECEIVED, REJECTED, WAITING, Range, overlay
from fleet_server.answers.rederive import EpochSums


def due_ledger(kept: list[Range], sums: EpochSums) -> list[Range]:
    """The ledger as it must be: received is what there is a record of, the rest as it is kept.

    A seq that is kept as received without a record waits again: the kiosk sends it again if it still holds it.
    """
    received = [(start, stop, RECEIVED) for start, stop in sums.received]
    return overlay(overlay(_of_state(kept, LOST), _of_state(kept, REJECTED)), received)


def _of_state(kept: list[Range], state: int) -> list[Range]:
    """The seqs in this state as sound ranges, also if those that are kept overlap, touch or are empty."""
    found: list[Range] = []
    for start, stop, there in sorted(kept):
        if there == state and start < stop:
            if found and found[-1][1] >= start:
                found[-1] = (found[-1][0], max(found[-1][1], stop), state)
            else:
                found.append((start, stop, state))
    return found


def ledger_said(kept: list[Range], real: list[Range]) -> str:
    """Where the two differ; they have the same seqs in the same states if the ranges only overlap or are not joined."""
    said = []
    for start, stop, there, due in _side_by_side(kept, real):
        if there != due:
            name = NAMES.get(there, "waiting"), NAMES.get(due, "waiting")
            gone = " (the record itself is gone; it waits to be sent again)" if there == RECEIVED else ""
            said.append(f"seqs [{start}, {stop}) are kept as {name[0]}, records say {name[1]}{gone}")
    return "; ".join(said) or "its ranges overlap or are not joined"


def _side_by_side(kept: list[Range], real: list[Range]) -> Iterator[tuple[int, int, int, int]]:
    """(start, stop, state as kept, state as it must be), the highest state where kept ranges overlap."""
    sound = overlay(overlay(_of_state(kept, LOST), _of_state(kept, REJECTED)), _of_state(kept, RECEIVED))
    cuts = sorted({edge for start, stop, _ in (*sound, *real) for edge in (start, stop)})

    def states(ranges: list[Range]) -> list[int]:
        found, at = [], 0
        for cut in cuts:
            while at < len(ranges) and ranges[at][1] <= cut:
                at += 1
            found.append(ranges[at][2] if at < len(ranges) and ranges[at][0] <= cut else WAITING)
        return found

    for (start, stop), there, due in zip(pairwise(cuts), states(sound), states(real), strict=False):
        yield start, stop, there, due
