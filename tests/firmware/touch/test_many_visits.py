"""Thousands of visits leave no trace in a touch kiosk's memory, and need no large piece of it: see many_visits.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import effort
from tests.evidence import note

ASSETS = Path(__file__).resolve().parents[3] / "firmware" / "assets"
VISITS = effort.pick(test=150, full=10_000, torture=100_000)
NOISE_BYTES = 128  # the collector takes a number that looks like an address for one


@pytest.mark.scales
@pytest.mark.slow
def test_memory_is_the_same_after_any_number_of_visits_and_none_needs_64_kib_in_one_piece(
    micropython_program: Callable[..., Any],
) -> None:
    seen = micropython_program("many_visits.py", "1M", 7200, ASSETS, VISITS)
    assert seen["visits"] >= VISITS
    assert seen["answers"] > 3 * VISITS
    assert (seen["lines"], seen["crashes"]) == ([], [])
    heaps = seen["heaps"]
    assert max(heaps) - min(heaps) <= NOISE_BYTES, heaps
    note(
        "visits at the touchscreen one after the other, with no free piece of memory above 64 KiB",
        seen["visits"],
        "visits",
        "tests/firmware/touch/test_many_visits.py"
        "::test_memory_is_the_same_after_any_number_of_visits_and_none_needs_64_kib_in_one_piece",
        f"heap after = heap before (within {max(heaps) - min(heaps)} B)",
    )
