"""Remembers what the firmware's pure functions said of the same bytes: neighbouring cuts share most sectors.

CPython only, for the large sweeps. It wraps whatever functions stand in `kiosk.sector` and `kiosk.record` at that
moment, a mutant's too. test_power_cut_sweep.py proves that a sweep comes to the same with and without it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kiosk import record, sector

MOST_KEPT = 50_000  # answers per function: some tens of megabytes


def _remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    answers: dict[Any, Any] = {}

    def wrapped(buf: Any, *others: int) -> Any:
        key = (bytes(buf), *others)
        answer = answers.get(key, answers)
        if answer is answers:
            if len(answers) >= MOST_KEPT:
                answers.clear()
            answer = answers[key] = function(key[0], *others)
        return answer

    return wrapped


@contextmanager
def memo() -> Iterator[None]:
    """Within, the functions below remember; `walk` becomes a tuple, as its caller uses it at once."""
    walk = sector.walk
    wrapped = {
        (sector, "unpack_header"): _remembered(sector.unpack_header),
        (sector, "used"): _remembered(sector.used),
        (sector, "scan"): _remembered(sector.scan),
        (sector, "walk"): _remembered(lambda *arguments: tuple(walk(*arguments))),
        (record, "decode"): _remembered(record.decode),
    }
    before = {place: getattr(*place) for place in wrapped}
    for place, function in wrapped.items():
        setattr(*place, function)
    try:
        yield
    finally:
        for place, function in before.items():
            setattr(*place, function)
