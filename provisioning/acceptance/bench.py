"""What every step of a test has at hand: the board's functions, a person to ask, what was given on the command line."""

import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioning.acceptance.record import FAILED, PASSED, SKIPPED, Result
from provisioning.field.say import Say

if TYPE_CHECKING:
    from provisioning.acceptance.wire import Wire

_YES, _NO, _AGAIN, _SKIP = ("y", "k", "j"), ("n", "e"), ("r",), ("s",)
NOBODY = "nobody was there to answer"


def person(question: str) -> str | None:
    """A line from standard input; None at its end. What was typed before the question is no answer to it."""
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    sys.stderr.write(f"  {question} [y]es, [n]o, [r]epeat, [s]kip: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not sys.stdin.isatty():
        sys.stderr.write(f"{line.strip()}\n")  # what a person's terminal shows by itself
    return line.strip().lower() if line else None


@dataclass
class Bench:
    """One board under test. `facts`: what its board module is, see `begin` of firmware/station/acceptance.py."""

    wire: "Wire"
    say: Say
    facts: dict[str, Any]
    ask: Callable[[str], str | None] = person
    press_s: float = 20.0
    ssid: str = ""
    supply: float | None = None
    step: str = field(default="", init=False)

    def call(self, name: str, *arguments: Any, wait_s: float = 0) -> Any:
        return self.wire.call(name, *arguments, wait_s=wait_s)

    def doing(self, text: str) -> None:
        self.say.doing(text, self.step)

    def judged(self, show: Callable[[], object], question: str, fault: str) -> Result:
        """A person looks or listens: `show` makes it happen, as often as wished. fault: what a no means."""
        show()
        while True:
            answer = self.ask(question)
            if answer is None:
                return Result(SKIPPED, NOBODY)
            letter = answer[:1]
            if letter in _YES:
                return Result(PASSED, "as a person saw or heard it")
            if letter in _NO:
                return Result(FAILED, fault)
            if letter in _SKIP:
                return Result(SKIPPED, "skipped by the technician")
            if letter in _AGAIN:
                show()
