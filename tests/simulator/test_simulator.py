"""A thanked answer is counted once, whatever befalls five kiosks and their server in a week: seed after seed.

`.venv/bin/python -m tests.simulator SEED --trace` replays one life; a failing test prints that line for its own.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests import effort, evidence
from tests.simulator.history import Broken
from tests.simulator.life import DAYS, KIOSKS, Life
from tests.simulator.mutants import ENOUGH_LIVES, MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
SHARES = 10  # tests that the seeds are dealt to, so that both workers have their part
LIVES = effort.pick(test=40, full=200, torture=2_000)
# Seeds that once found something, and what. They are run besides the others.
REGRESSIONS = {
    230: "after a start a booked sector behind one without marks left was erased before its receipt came again",
}
OUTCOMES = {"received": "counted once", "fork": "kept in quarantine, alarm"}
# Caught by the first lives; the others only where there is time.
AT_ONCE = effort.pick(test=("duplicates_are_counted", "the_clock_trusts_the_way"), full=None, torture=None)


def live(seeds: range, certain: str) -> None:
    """One life after the other."""
    for seed in seeds:
        Life(seed, certain=certain).run()


@pytest.mark.slow
@pytest.mark.scales
@pytest.mark.parametrize("share", range(SHARES))
def test_a_thanked_answer_is_counted_once_whatever_the_week_brings(share: int) -> None:
    faults: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    lives = 0
    for seed in effort.seeds(LIVES)[share::SHARES]:
        history = Life(seed).run()
        assert history.thanked
        faults += history.faults
        outcomes += history.outcomes
        lives += 1
    name = "tests/simulator/test_simulator.py::test_a_thanked_answer_is_counted_once_whatever_the_week_brings"
    evidence.note("simulated weeks: all of what follows", lives * KIOSKS * DAYS, "kiosk-days", name)
    for fault, number in faults.items():
        evidence.note(f"simulated weeks: {fault}", number, "times", name)
    for outcome, number in outcomes.items():
        result = OUTCOMES.get(outcome, "lost: its last copy was destroyed, see “where it ends”")
        evidence.note(
            f"simulated weeks: what became of thanked answers: {outcome}", number, "answers", name, result
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", REGRESSIONS)
def test_a_life_that_once_broke_a_promise_keeps_it(seed: int) -> None:
    Life(seed).run()


@pytest.mark.slow
def test_a_seed_gives_the_same_life_again() -> None:
    """Else no failure could be replayed. Another order of sets and dictionaries must not matter."""
    traces = []
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "tests.simulator", "1", "--trace"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        traces.append([line for line in done.stdout.splitlines() if line.startswith("day ")])
    assert len(traces[0]) > 50
    assert traces[0] == traces[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutate", "adversity"),
    [pair for pair in MUTANTS.items() if AT_ONCE is None or pair[0].__name__ in AT_ONCE],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_mutant_is_caught(mutate: Mutant, adversity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    with pytest.raises(Broken):
        live(range(ENOUGH_LIVES), adversity)
