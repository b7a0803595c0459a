"""A fault of the program anywhere in an answer: recorded, the task started again, nothing lost, nothing doubled.

See each_fault.py: on MicroPython at each call to what surrounds the kiosk and at each point where memory may run out;
on CPython at each line of the program.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import virtual_time
from each_fault import Injection, recovered, survive
from each_step import emptied
from stage import RESTARTED, Stage

from tests import effort
from tests.evidence import note

HERE = "tests/firmware/front/test_each_fault.py"
KIOSK = str(Path(sys.modules["kiosk"].__path__[0]))
DAY_MS = 86_400_000


@pytest.mark.scales
@pytest.mark.slow
def test_a_fault_at_each_call_or_want_of_memory_at_each_point_costs_no_thanked_answer(
    micropython_program: Callable[..., Any], tmp_path: Path
) -> None:
    stride = effort.pick(test=64, full=16, torture=1)
    seen = micropython_program("each_fault.py", "512K", 7200, tmp_path, stride)
    assert seen["calls"] > 500
    assert {"program", "read", "random", "send", "readinto", "sound", "light", "ticks"} <= set(seen["names"])
    assert seen["memory_crashes"] > 20, "memory did not run out"
    assert seen["memory_quiet"] > 20, "memory ran out although there was enough"
    name = f"{HERE}::test_a_fault_at_each_call_or_want_of_memory_at_each_point_costs_no_thanked_answer"
    note(
        "OSError, MemoryError, RuntimeError at each call of an answer to what surrounds the kiosk",
        seen["calls"],
        "calls",
        name,
        f"{seen['crashes']} crashes of a task, {seen['restarts']} restarts of the board; all recovered by themselves",
    )
    note(
        "heap used up at each point of an answer",
        seen["memory"],
        "amounts of free heap",
        name,
        f"{seen['memory_crashes']} crashes of a task, {seen['memory_restarts']} restarts of the board",
    )


class AtLine:
    """Raises `kind` at line number `at` that the kiosk's program executes while armed; counts them."""

    def __init__(self, at: int, kind: type[Exception]) -> None:
        self.at, self.kind = at, kind
        self.count = 0
        self.where = ""

    def arm(self, _stage: Stage) -> None:
        sys.settrace(self._trace)

    def disarm(self, _stage: Stage) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(KIOSK):
            return None
        if event == "line":
            self.count += 1
            if self.count == self.at:
                self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                raise self.kind(5, "made to fail")
        return self._trace


def raised_at(root: Path, at: int, kind: type[Exception]) -> tuple[AtLine, Any]:
    fault = AtLine(at, kind)
    virtual_time.start()
    try:
        _, outcome = survive(str(root), fault.arm, fault.disarm, warm=False)
    except AssertionError as error:
        pytest.fail(f"raised_at(root, {at}, {kind.__name__}), {fault.where}: {error}")
    return fault, outcome


@pytest.mark.scales
@pytest.mark.slow
def test_an_exception_at_each_line_of_an_answer_costs_no_thanked_answer(tmp_path: Path) -> None:
    lines = raised_at(tmp_path, 0, RuntimeError)[0].count
    assert lines > 1000
    stride = effort.pick(test=397, full=3, torture=1)
    kinds = effort.pick(
        test=(RuntimeError, MemoryError),
        full=(RuntimeError, MemoryError),
        torture=(RuntimeError, MemoryError, OSError),
    )
    places, raised, restarts = set(), 0, 0
    for number, kind in enumerate(kinds):
        for at in range(1 + (effort.SEED + 7 * number) % stride, lines + 1, stride):
            fault, outcome = raised_at(tmp_path, at, kind)
            raised += bool(fault.where)
            restarts += outcome == RESTARTED
            places.add(fault.where)
    note(
        "an exception at each line that the program executes between press and receipt",
        raised,
        "executed lines",
        f"{HERE}::test_an_exception_at_each_line_of_an_answer_costs_no_thanked_answer",
        f"{len(places)} different lines; {restarts} ended in a restart of the board",
    )


def test_a_record_that_was_written_although_reading_it_back_failed_counts_as_pressed(tmp_path: Path) -> None:
    """The kiosk's count of presses must not be below what the server received: that was an alarm."""
    virtual_time.start()
    for at in range(1, 60):
        injection = Injection(at, OSError)
        survive(
            str(tmp_path),
            lambda stage, injection=injection: setattr(stage, "calls", injection),
            lambda stage: setattr(stage, "calls", None),
            warm=True,
        )
        if injection.name == "read":
            return
    pytest.fail("the journal does not read back")


def test_three_crashes_in_a_row_leave_a_kiosk_that_stores_answers_and_sends_them_an_hour_later(
    tmp_path: Path,
) -> None:
    virtual_time.start()
    stage = Stage(emptied(str(tmp_path)))

    async def story(stage: Stage) -> bool:
        await stage.online()
        sending = stage.app.sync._next_batch

        def broken() -> int:
            raise KeyError("a fault of the program")

        stage.app.sync._next_batch = broken
        for _ in range(20):
            assert await stage.press(1) is not None
            await asyncio.sleep(3)
        supervisor_says = [line for line in stage.board.lines if "safe mode" in line]
        assert supervisor_says == ["safe mode: link crashed 3 times"]
        assert stage.server.answers == 0
        stage.app.sync._next_batch = sending  # whatever it was has passed; only a restart helps all the same
        for minute in range(70):
            assert await stage.press(minute % 5) is not None
            assert virtual_time.ms() - stage.board.dog.fed_ms < 3_000
            await asyncio.sleep(60)
        return False

    assert stage.live(story) == RESTARTED
    assert stage.thanks > 75
    assert stage.server.answers == 0
    assert stage.live(recovered) is True
    stage.balance()
    assert stage.server.answers == stage.thanks


def test_a_week_without_network_and_visitors_does_not_turn_the_uptime_back(tmp_path: Path) -> None:
    """Nobody asked the counter, which then seemed to have gone backwards: no press could be recorded any more."""
    virtual_time.start()
    stage = Stage(emptied(str(tmp_path)))

    async def first(stage: Stage) -> bool:
        await stage.online()
        return True

    async def second(stage: Stage) -> bool:
        stage.board.link.plugged = False
        started = virtual_time.ms()
        virtual_time.clock.step_ms = 600_000
        await asyncio.sleep(9 * DAY_MS / 1000)
        virtual_time.clock.step_ms = 0
        assert await stage.press(1) is not None
        assert abs(stage.app.uptime.ms() - (virtual_time.ms() - started)) < 1000
        stage.board.link.plugged = True
        await stage.online()
        await stage.drained()
        return True

    assert stage.live(first) is True
    assert stage.live(second) is True
    stage.balance()
    (answer,) = stage.server.answered()
    tenths = int.from_bytes(stage.server.records[answer][12:16], "little")
    assert abs(tenths - 9 * DAY_MS // 100) < 200
