"""A fault of the program anywhere in a visit at the touchscreen: nothing thanked is lost or doubled, no dead page.

On CPython at each line of kiosk and screens that a visit executes; on MicroPython memory runs out. See touch_faults.py.
"""

import gc
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from touch_faults import Faulty, faultless, survive

from tests import effort
from tests.evidence import note

HERE = "tests/firmware/touch/test_each_touch_fault.py"
FIRMWARE = Path(sys.modules["kiosk"].__path__[0]).parent
ASSETS = str(FIRMWARE / "assets")
TRACED = (str(FIRMWARE / "kiosk"), str(FIRMWARE / "screens"))
KINDS = (MemoryError, RuntimeError)


_pages: dict[str, Any] = {}  # what is drawn again and again: the same scene gives an equal page


class Quick(Faulty):
    """Lays a page out only in steps in which a fault may strike."""

    def page(self, scene: Any, view: Any, language: int, mode: Any) -> Any:
        if self.fault is not None and self.fault.armed:
            return super().page(scene, view, language, mode)
        key = repr((sorted(scene.items()), view["number"] if view else None, language, mode))
        if key not in _pages:
            _pages[key] = super().page(scene, view, language, mode)
        return _pages[key]


class AtLine:
    """Raises `kind` at line number `at` that the program executes in step number `step`.

    Without a step it keeps them all: [(step, line, where)].
    """

    def __init__(self, step: int | None = None, at: int = 0, kind: type[Exception] = RuntimeError) -> None:
        self.where = ""
        self.armed = False
        self.lines: list[tuple[int, int, str]] = []
        self._only, self._at, self._kind = step, at, kind
        self._step = self._line = 0
        self.stage = Quick(ASSETS, self)

    def arm(self, step: int) -> None:
        self._step, self._line = step, 0
        if self._only in (None, step) and not self.where:
            self.armed = True
            sys.settrace(self._trace)

    def disarm(self) -> None:
        sys.settrace(None)
        self.armed = False

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(TRACED):
            return None
        if event == "line":
            self._line += 1
            if self._only is None:
                self.lines.append((self._step, self._line, _named(frame)))
            elif self._line == self._at:
                self.where = _named(frame)
                self.disarm()
                raise self._kind("made to fail")
        return self._trace


def _named(frame: FrameType) -> str:
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def raised_at(step: int, line: int, kind: type[Exception], expected: Any = None) -> AtLine:
    """One fault; to replay it nothing but these three is needed."""
    expected = expected or faultless(Quick(ASSETS))
    fault = AtLine(step, line, kind)
    try:
        survive(fault.stage, expected)
    except AssertionError as error:
        pytest.fail(
            f"raised_at({step}, {line}, {kind.__name__}), {fault.where}: {error}; {fault.stage.crashes}"
        )
    return fault


def places() -> list[tuple[int, int]]:
    """(step, line) of what a fault is tried at: of each line of code one execution; torture: one in each step."""
    for _ in range(2):  # what is kept for the next time is there in the second
        traced = AtLine()
        faultless(traced.stage)
    found: dict[Any, list[tuple[int, int]]] = {}
    for step, line, where in traced.lines:
        key = effort.pick(test=where, full=where, torture=(step, where))
        found.setdefault(key, []).append((step, line))
    chance = random.Random(effort.SEED)
    return [chance.choice(executed) for executed in found.values()]


@pytest.mark.scales
@pytest.mark.slow
def test_an_exception_at_each_line_of_a_visit_costs_no_thanked_answer_and_leaves_no_dead_page() -> None:
    expected = faultless(Quick(ASSETS))
    tried = places()
    assert len(tried) > 1000
    stride = effort.pick(test=16, full=1, torture=1)
    raised = crashed = refused = 0
    gc.collect()
    gc.freeze()  # the front collects after each page
    try:
        for number, kind in enumerate(KINDS):
            for step, line in tried[(effort.SEED + number) % stride :: stride]:
                fault = raised_at(step, line, kind, expected)
                assert fault.where
                raised += 1
                crashed += len(fault.stage.crashes)
                refused += fault.stage.refused
    finally:
        gc.unfreeze()
    note(
        "MemoryError and an exception at each line that a visit at the touchscreen executes",
        raised,
        "executed lines",
        f"{HERE}::test_an_exception_at_each_line_of_a_visit_costs_no_thanked_answer_and_leaves_no_dead_page",
        f"{crashed} crashes of the task, {refused} visitors were told that it could not be stored",
    )


@pytest.mark.scales
@pytest.mark.slow
def test_want_of_memory_anywhere_in_a_visit_costs_no_thanked_answer_and_leaves_no_dead_page(
    micropython_program: Callable[..., Any],
) -> None:
    rounds = effort.pick(test=40, full=600, torture=6000)
    seen = micropython_program("touch_faults.py", "768K", 7200, ASSETS, rounds, effort.SEED + 1)
    assert seen["not_drawn"] > rounds // 10, "memory did not run out"
    assert seen["quiet"] > rounds // 10, "memory ran out although there was enough"
    note(
        "heap used up in a step of a visit at the touchscreen, its pages loaded and drawn",
        rounds,
        "visits",
        f"{HERE}::test_want_of_memory_anywhere_in_a_visit_costs_no_thanked_answer_and_leaves_no_dead_page",
        f"{seen['crashes']} crashes of the task, {seen['not_drawn']} pages drawn later, "
        f"{seen['refused']} visitors were told that it could not be stored",
    )
