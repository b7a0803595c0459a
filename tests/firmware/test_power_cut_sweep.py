"""The large sweep of power cuts: 250 000 in `make test`, 2 million in `make full`, 20 million in `make torture`.

Each part cuts lives of its own, one after the other, until it has made its share of the cuts.
"""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from cuts import Sweep, replay
from lives import CONTENTS
from memo import memo

from tests import effort, evidence

ROOT = Path(__file__).resolve().parents[2]
PARTS = 2  # for each content: work for two processes
CUTS = effort.pick(test=252_000, full=2_004_000, torture=20_004_000)
FIRST_SEED = 1_000_000 * effort.SEED
LIVES_APART = 10_000  # more than one part comes to


def sweep(content: str, first: int, most: int) -> Sweep:
    done = Sweep(most)
    for seed in itertools.count(first):
        done.over(content, seed)
        if done.done:
            return done
    raise AssertionError


@pytest.mark.slow
@pytest.mark.scales
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("content", CONTENTS)
def test_no_power_cut_costs_a_thanked_answer(content: str, part: int) -> None:
    most = CUTS // (PARTS * len(CONTENTS))
    first = FIRST_SEED + LIVES_APART * (PARTS * CONTENTS.index(content) + part)
    with memo():
        done = sweep(content, first, most)
    assert done.cuts == most
    evidence.note(
        "Power cut at any program or erase of the journal, and again while recovering from it",
        done.cuts,
        "cuts",
        "tests/firmware/test_power_cut_sweep.py::test_no_power_cut_costs_a_thanked_answer",
    )


@pytest.mark.parametrize("cut", [("moved", 100_028, 136, 9, 2)])
def test_a_cut_that_once_failed_breaks_nothing(cut: tuple[str, int, int, int, int]) -> None:
    """An erase cut short left a booked sector as one that waits, and the server had forgotten what lay behind it."""
    replay(*cut)


@pytest.mark.parametrize("content", CONTENTS)
def test_what_the_sweep_remembers_changes_nothing(content: str) -> None:
    """The same cuts with and without memo: every sector after every one of them is the same."""
    most = effort.pick(test=1_500, full=20_000, torture=100_000)
    plain = sweep(content, FIRST_SEED + 7, most)
    with memo():
        remembered = sweep(content, FIRST_SEED + 7, most)
    assert (remembered.cuts, remembered.print) == (plain.cuts, plain.print)


def test_a_cut_and_a_second_one_in_its_recovery_are_done_again_by_one_command() -> None:
    command = [sys.executable, "-m", "tests.firmware.replay_cut", "taken over", "7", "33", "5", "2"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.startswith("cut while programming"), said
    assert "; recovering, cut while" in said
    assert said.endswith(": no promise is broken\n")
