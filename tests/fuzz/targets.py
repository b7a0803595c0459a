"""What is fuzzed: a name, its cases, and the check that each must pass. A failure names the command to replay it."""

import atexit
import gc
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.fuzz.inputs import CASES, Case
from tests.fuzz.kiosk_ends import Ends
from tests.fuzz.server_ends import Books, Broker, Link, Sets, read_batch

MANY = 50  # messages that the collector is given at once


class Target(NamedTuple):
    """`cases`: where they come from, see inputs.py. `what`: said in the table of reliability."""

    cases: str
    check: Callable[[Case], object]
    what: str


class Failure(AssertionError):
    """A case that did not hold."""


@cache
def targets() -> dict[str, Target]:
    """All of them; made once, as the databases behind some take a second."""
    temporary = tempfile.TemporaryDirectory(prefix="hymio-fuzz-")
    atexit.register(temporary.cleanup)
    folder = Path(temporary.name)
    (folder / "kiosk").mkdir()
    kiosk = Ends(str(folder / "kiosk"))
    books, link, sets, broker = Books(folder), Link(folder), Sets(folder), Broker(folder)

    def of_kiosk(check: Callable[[bytes], object]) -> Callable[[Case], object]:
        return lambda case: check(case.data)

    found = {
        "record": Target("record", of_kiosk(kiosk.record), "a record, at the kiosk"),
        "batch": Target("batch", read_batch, "a batch, at the server"),
        "book": Target("batch", books.book, "a batch, booked"),
        "receipt": Target("receipt", of_kiosk(kiosk.receipt), "a receipt, at the kiosk"),
        "down": Target("down", of_kiosk(kiosk.packets), "MQTT packets, at the kiosk"),
        "up": Target("up", broker.read, "MQTT packets, at the embedded broker"),
        "name": Target("name", of_kiosk(kiosk.name), "an answer of a name server, at the kiosk"),
        "view": Target("view", of_kiosk(kiosk.view), "a question set, by the kiosk's rules"),
        "question-set": Target(
            "view", of_kiosk(kiosk.question_set), "a question set, taken and asked by the kiosk"
        ),
        "set": Target("set", sets.judge, "a question set, by the server's rules"),
        "keep": Target("set", sets.keep, "a question set, kept at the server"),
        "wish": Target("wish", of_kiosk(kiosk.wish), "a desired document, by the kiosk's rules"),
        "desired": Target("wish", of_kiosk(kiosk.desired), "a desired document, taken by the kiosk"),
        "report": Target("report", lambda case: link.take("report", [case]), "a report, at the server"),
        "state": Target("state", lambda case: link.take("state", [case]), "a state, at the server"),
        "log": Target("log", lambda case: link.take("log", [case]), "a crash report, at the server"),
    } | {
        f"{name}-many": Target(name, lambda cases, name=name: link.take(name, cases), "")  # type: ignore[misc]
        for name in ("report", "state", "log")
    }
    gc.collect()
    gc.freeze()  # the firmware collects at each set, and would look through all that is loaded
    return found


def replay(name: str, seed: int) -> str:
    """The one command that does a case again."""
    return f".venv/bin/python -m tests.fuzz {name} {seed}"


def run(name: str, seeds: Iterable[int]) -> int:
    """Each case of these seeds; returns how many. Raises Failure at the first that does not hold."""
    if f"{name}-many" in targets():
        return _run_many(name, list(seeds))
    target = targets()[name]
    make, check = CASES[target.cases], target.check
    count = 0
    for seed in seeds:
        case = make(seed)
        try:
            check(case)
        except Exception as fault:
            raise Failure(f"{fault!r}\nagain: {replay(name, seed)}\n{case.data[:600]!r}") from fault
        count += 1
    return count


def _run_many(name: str, seeds: list[int]) -> int:
    """As messages come: many in one transaction. When that fails, one by one, to know which."""
    check: Any = targets()[f"{name}-many"].check
    for at in range(0, len(seeds), MANY):
        some = seeds[at : at + MANY]
        try:
            check([CASES[name](seed) for seed in some])
        except Exception:
            for seed in some:
                try:
                    targets()[name].check(CASES[name](seed))
                except Exception as fault:
                    raise Failure(f"{fault!r}\nagain: {replay(name, seed)}") from fault
            raise
    return len(seeds)
