"""The server is killed at each point of its work; what its kiosks then send again makes the same rows and counts."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_server.db import Database
from tests import effort, evidence
from tests.conftest import ROOT

LONGEST_US = 4_000  # later than any point's statement or sync lasts
TEST = "tests/fleet_server/faults/test_killed_server.py"


def driver(database: Database, folder: Path, *lives: str, **environment: str) -> tuple[str, int]:
    """Run tests/fleet_server/faults/killed.py; what it printed and its exit code."""
    command = [sys.executable, "-m", "tests.fleet_server.faults.killed", database.url, str(folder), *lives]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "firmware", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    if "bad" not in done.stdout and "points" not in done.stdout:
        pytest.fail(done.stderr)
    return done.stdout, done.returncode


def points(database: Database, folder: Path) -> int:
    """How many points the story has on this database."""
    return int(json.loads(driver(database, folder)[0])["points"])


def survive(database: Database, folder: Path, lives: list[str]) -> None:
    said, code = driver(database, folder, *lives)
    replay = f"PYTHONPATH=firmware {sys.executable} -m tests.fleet_server.faults.killed URL FOLDER LIFE"
    assert code == 0, f"{said}\nagain: {replay} (LIFE: what stands before the colon)"
    assert json.loads(said.splitlines()[-1]) == {"lives": len(lives), "bad": 0}


@pytest.mark.slow
@pytest.mark.scales
def test_killed_at_any_point_nothing_thanked_is_lost_and_nothing_counted_twice(
    shared_database: Database, tmp_path: Path
) -> None:
    last = points(shared_database, tmp_path)
    assert last > 400
    step = effort.pick(23, 1, 1)
    lives = [str(point) for point in range(1 + effort.SEED % step, last + 1, step)]
    survive(shared_database, tmp_path, lives)
    kind = "SQLite" if shared_database.is_sqlite else "PostgreSQL"
    evidence.note(
        f"server killed (SIGKILL) before or after decoding, a statement, the commit, a receipt; {kind}",
        len(lives),
        "kills",
        f"{TEST}::test_killed_at_any_point_nothing_thanked_is_lost_and_nothing_counted_twice",
    )


@pytest.mark.slow
@pytest.mark.scales
def test_killed_inside_a_statement_or_a_sync_and_again_in_the_next_life(
    shared_database: Database, tmp_path: Path
) -> None:
    last = points(shared_database, tmp_path)
    lives = []
    for seed in effort.seeds(effort.pick(9, 600, 10_000)):
        chance = random.Random(seed)
        lives.append(f"{chance.randint(1, last)}+{chance.randint(1, LONGEST_US)}")
        if seed % 2:
            lives[-1] += f",{chance.randint(1, last)},{chance.randint(1, last // 2)}+{chance.randint(1, 500)}"
    for at in range(0, len(lives), 2_000):  # a command line holds only so many
        survive(shared_database, tmp_path, lives[at : at + 2_000])
    kind = "SQLite" if shared_database.is_sqlite else "PostgreSQL"
    evidence.note(
        f"server killed at a random microsecond, up to three times in a row; {kind}",
        sum(life.count(",") + 1 for life in lives),
        "kills",
        f"{TEST}::test_killed_inside_a_statement_or_a_sync_and_again_in_the_next_life",
    )


def test_a_server_that_sends_receipts_before_the_commit_is_found_out(
    shared_database: Database, tmp_path: Path
) -> None:
    last = points(shared_database, tmp_path)
    said, code = driver(
        shared_database, tmp_path, *(str(point) for point in range(last // 6, last, last // 6)), HASTY="1"
    )
    assert code == 1
    assert "ended with 1" in said, "a receipt that is not on the disk stops the next life"
