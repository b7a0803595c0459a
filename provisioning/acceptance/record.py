"""The report of a test, in its file from the beginning: what was found, and what was not reached. Knows no board.

Invariant: after any interruption the file is whole, and whatever was not tried is named `skipped` with the reason, so
that half a test never reads as a passed one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.virtual.folder import write_private

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
NOT_REACHED = "not reached: the test was interrupted"
NOT_ASKED = "not tried (--only)"
_NOTE_LETTERS = 200  # the server's limit


@dataclass(frozen=True)
class Measure:
    """A figure with its unit and, where there are any, the limits that it has to keep."""

    name: str
    figure: float
    unit: str
    low: float | None = None
    high: float | None = None

    @property
    def kept(self) -> bool:
        return (self.low is None or self.figure >= self.low) and (
            self.high is None or self.figure <= self.high
        )


@dataclass(frozen=True)
class Result:
    """What came of one step. note: what was seen, or why it failed or was skipped."""

    result: str
    note: str = ""
    measured: tuple[Measure, ...] = ()


class Record:
    """One board's report in `path`; goes on with what is there when that is the same board's."""

    def __init__(
        self, path: Path, board: str, serial: str, versions: Mapping[str, str], plan: Sequence[str]
    ) -> None:
        """plan: names of the steps, in order. Raises ProvisioningError when the file is something else's."""
        self._path = path
        self._plan = tuple(plan)
        self._body: dict[str, Any] = {
            "board": board,
            "serial": serial,
            "versions": dict(versions),
            "steps": [],
        }
        self._steps = _kept(path, board, serial)
        self.unfinished = any(step["note"] == NOT_REACHED for step in self._steps.values())

    def left(self, only: Iterable[str]) -> list[str]:
        """The steps to do now: those asked for; else what an interrupted test did not reach; else all of them."""
        only = set(only)
        if only:
            return [name for name in self._plan if name in only]
        if self.unfinished:
            return [name for name in self._plan if self.note(name) == NOT_REACHED]
        return list(self._plan)

    def begin(self, names: Sequence[str]) -> None:
        """These will be tried now; a step that never was is `skipped`, too."""
        for name in self._plan:
            if name in names:
                self._steps[name] = _step(name, Result(SKIPPED, NOT_REACHED))
            elif name not in self._steps:
                self._steps[name] = _step(name, Result(SKIPPED, NOT_ASKED))
        self._save()

    def put(self, name: str, result: Result) -> None:
        """A step is over."""
        self._steps[name] = _step(name, result)
        self._save()

    @property
    def body(self) -> dict[str, Any]:
        """{board, serial, versions, steps}, as the server takes it."""
        return {**self._body, "steps": [self._steps[name] for name in self._plan if name in self._steps]}

    def count(self, result: str) -> int:
        return len(self.names(result))

    def names(self, result: str) -> list[str]:
        """The steps that ended so, in order."""
        return [str(step["name"]) for step in self.body["steps"] if step["result"] == result]

    def note(self, name: str) -> str:
        return str(self._steps[name]["note"]) if name in self._steps else NOT_REACHED

    def _save(self) -> None:
        write_private(self._path, (json.dumps(self.body, indent=1, ensure_ascii=False) + "\n").encode())


def _step(name: str, result: Result) -> dict[str, Any]:
    note = result.note if len(result.note) <= _NOTE_LETTERS else result.note[: _NOTE_LETTERS - 1] + "…"
    measured = [
        {"name": one.name, "figure": one.figure, "unit": one.unit, "low": one.low, "high": one.high}
        for one in result.measured
    ]
    return {"name": name, "result": result.result, "note": note, "measured": measured}


def _kept(path: Path, board: str, serial: str) -> dict[str, dict[str, Any]]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    try:
        body = json.loads(text)
        steps = {step["name"]: step for step in body["steps"] if step["note"] is not None}
        was = (body["board"], body["serial"])
    except (ValueError, KeyError, TypeError) as error:
        raise ProvisioningError(
            f"{path} is there already and is no report of a test; choose another --out"
        ) from error
    if was != (board, serial):
        raise ProvisioningError(
            f"{path} is the report of another board ({was[0]} {was[1]}, this is {board} {serial}); choose another --out"
        )
    return steps
