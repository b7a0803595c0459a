"""A visitor who touches anything on the real pages, on the kiosk's own interpreter: see random_visitor.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import effort
from tests.evidence import note

ASSETS = Path(__file__).resolve().parents[3] / "firmware" / "assets"
TOUCHES = effort.pick(test=10_000, full=25_000, torture=25_000)
LIVES = effort.seeds(effort.pick(test=2, full=4, torture=40))


@pytest.mark.scales
@pytest.mark.slow
@pytest.mark.parametrize("seed", LIVES)
def test_touches_anywhere_find_no_dead_end_and_leave_a_journal_that_agrees_with_the_screen(
    seed: int, micropython_program: Callable[..., Any]
) -> None:
    seen = micropython_program("random_visitor.py", "2M", 7200, ASSETS, TOUCHES, seed)
    assert seen["touches"] == TOUCHES
    assert seen["answers"] > TOUCHES // 8
    assert {"rest", "ask", "text", "phone", "thanks", "full"} <= set(seen["pages"])
    assert seen["pages"]["text"] > TOUCHES // 50
    assert seen["idle"] > TOUCHES // 200
    assert seen["refused"] > 0
    assert max(seen["heaps"]) - min(seen["heaps"]) <= 4096, seen["heaps"]  # lists that grew keep their room
    note(
        "a visitor who touches anything, anywhere, at any pace, on the real pages of a touch kiosk",
        TOUCHES,
        "touches",
        "tests/firmware/touch/test_random_visitor.py"
        "::test_touches_anywhere_find_no_dead_end_and_leave_a_journal_that_agrees_with_the_screen",
        "no crash, no page without a way out, heap after = heap before; the journal agrees with what was shown",
    )
