"""Weeks and months of a kiosk's life on virtual time, on its own interpreter: see long_run.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import effort
from tests.evidence import note

# A wrap of the counter takes twelve and a half days. The coarser the steps at night, the faster.
DAYS = effort.pick(test=14, full=400, torture=400)
STEP_MS = effort.pick(test=9000, full=8000, torture=2000)


@pytest.mark.scales
@pytest.mark.slow
def test_nothing_grows_in_many_days_and_no_timer_dies_when_the_counter_wraps(
    micropython_program: Callable[..., Any], tmp_path: Path
) -> None:
    seen = micropython_program("long_run.py", "384K", 7200, tmp_path, DAYS, STEP_MS)
    assert seen["publishes"] >= 500 * DAYS
    assert seen["wraps"] >= DAYS * 86_400_000 // (1 << 30)
    assert seen["answers"] == seen["thanks"] > 300 * DAYS
    assert (seen["lost"], seen["lives"]) == (0, 1)
    assert seen["slowest_ms"] <= 50
    heaps = seen["heaps"]
    assert max(heaps) - min(heaps) <= 256, heaps
    assert len(seen["files"]) <= 4, seen["files"]
    assert seen["fds"] <= 6
    assert seen["connections"] >= 5 * DAYS
    note(
        "time: days in a row, the counter's wraps, five broken connections and a crash a day",
        DAYS,
        "days",
        "tests/firmware/front/test_long_run.py"
        "::test_nothing_grows_in_many_days_and_no_timer_dies_when_the_counter_wraps",
        f"{seen['publishes']} publishes, {seen['wraps']} wraps; heap after = heap before "
        f"(within {max(heaps) - min(heaps)} B)",
    )
