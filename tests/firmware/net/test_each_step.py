"""The kiosk's connection is broken at each step in each way, on its own interpreter: it comes back by itself.

Virtual time, the broker in memory (each_step.py, stage.py). A case that fails names direction, byte and way; the same
`broken(root, direction, at, how)` on CPython does it again.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import virtual_time
from each_step import HOWS, RECEIPTS, broken, emptied, packets, wrong_receipts
from stage import Stage

from tests import effort
from tests.evidence import note

# 0: beginning, middle and end of each packet; n: each nth byte
EVERY = effort.pick(test=0, full=8, torture=1)
HERE = "tests/firmware/net/test_each_step.py"


@pytest.mark.scales
@pytest.mark.slow
def test_each_step_broken_in_each_way_is_recovered_from_in_two_minutes_and_no_visitor_waits(
    micropython_program: Callable[..., Any], tmp_path: Path
) -> None:
    seen = micropython_program("each_step.py", "2M", 7200, tmp_path, EVERY, effort.SEED)
    assert seen["cases"] >= 500
    note(
        "connection frozen, stalled, reset, closed or full of garbage at each protocol step",
        seen["cases"],
        "step × way",
        f"{HERE}::test_each_step_broken_in_each_way_is_recovered_from_in_two_minutes_and_no_visitor_waits",
        f"all booked again after at most {seen['longest_ms'] / 1000:.0f} s; "
        f"no thank-you later than {seen['slowest_ms']} ms for the network's sake",
    )
    note(
        "receipts missing, doubled, late, out of order, of other nonces, epochs, generations, times, or garbage",
        seen["receipts"],
        "kinds × 10 presses",
        f"{HERE}::test_each_step_broken_in_each_way_is_recovered_from_in_two_minutes_and_no_visitor_waits",
    )


@pytest.mark.parametrize("name", RECEIPTS)
def test_every_answer_is_booked_once_whatever_receipts_are_like(name: str, tmp_path: Path) -> None:
    wrong_receipts(str(tmp_path), name)


@pytest.mark.parametrize("how", HOWS)
def test_a_connection_that_breaks_within_a_question_set_is_recovered_from(how: str, tmp_path: Path) -> None:
    """One step on CPython as well, where it can be looked into."""
    (begin, end) = next(step[2:] for step in packets(str(tmp_path)) if step[0] == "set")
    broken(emptied(str(tmp_path)), "in", (begin + end) // 2, how)


@pytest.mark.parametrize("throws_out", [False, True], ids=["drops the message", "drops the connection"])
def test_a_broker_that_takes_only_small_messages_gets_them_small(throws_out: bool, tmp_path: Path) -> None:
    """A batch of one press has 72 bytes, the largest by default 2 048."""
    virtual_time.start()
    stage = Stage(str(tmp_path))

    async def story(stage: Stage) -> bool:
        await stage.online()
        stage.board.link.plugged = False
        await asyncio.sleep(5)
        for i in range(80):
            assert await stage.press(i % 5) is not None
        stage.most_bytes, stage.throws_out = 500, throws_out
        stage.board.link.plugged = True
        await stage.drained(3600)
        return True

    assert stage.live(story) is True
    assert stage.thanks == stage.server.answers == 80
    stage.balance()


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 77])
@pytest.mark.parametrize("after_s", [0.0, 9.0])
def test_a_connack_that_refuses_at_once_or_late_is_tried_again(
    code: int, after_s: float, tmp_path: Path
) -> None:
    virtual_time.start()
    stage = Stage(str(tmp_path))

    async def story(stage: Stage) -> bool:
        stage.connacks = [(after_s, code)] * 3
        await stage.online(100)
        return True

    assert stage.live(story) is True
    assert stage.passed["dial"] == 4
    assert sum(f"({code})" in line for line in stage.board.lines) == 3


@pytest.mark.parametrize(("after_s", "dials"), [(9.5, 1), (10.5, 2)])
def test_a_slow_connack_is_waited_for_ten_seconds(after_s: float, dials: int, tmp_path: Path) -> None:
    virtual_time.start()
    stage = Stage(str(tmp_path))

    async def story(stage: Stage) -> bool:
        stage.connacks = [(after_s, 0)]
        await stage.online(60)
        return True

    assert stage.live(story) is True
    assert stage.passed["dial"] == dials


@pytest.mark.parametrize("what", ["of a new generation", "of a server that forgot"])
def test_a_server_that_changes_its_mind_at_every_receipt_does_not_keep_the_line_busy(
    what: str, tmp_path: Path
) -> None:
    """Two servers under one name, say: the kiosk asked as fast as the answers came, without end."""
    virtual_time.start()
    stage = Stage(str(tmp_path))
    batches = []

    async def story(stage: Stage) -> bool:
        await stage.online()
        for _ in range(4):
            assert await stage.press() is not None
        receipts = RECEIPTS[what](stage)
        stage.receipts = lambda receipt: [(1, each) for _, each in receipts(receipt)]
        before = stage.server.batches
        assert await stage.press() is not None
        await asyncio.sleep(60)
        batches.append(stage.server.batches - before)
        stage.receipts = None
        await stage.drained()
        return True

    assert stage.live(story) is True
    assert batches[0] <= 60 * 2 + 10
    stage.balance()
