"""`fleet rules`: what is in force, and running it over older presses with the server's own service."""

import subprocess

import pytest

from tests.fleet_server.commands.test_fleet_commands import fleet

__all__ = ["fleet"]


def test_the_rules_are_shown_and_run_again(fleet) -> None:
    assert "1 (in force): repeat_tenths 50" in fleet("rules", "show").stdout
    done: subprocess.CompletedProcess[str] = fleet("rules", "rerun", "--all")
    assert done.stdout == "rules version 1: 0 runs, 0 records, 0 filtered, 0 restored\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--device ID, --place NUMBER or --all"),
        (("--all", "--place", "1"), "--device ID, --place NUMBER or --all"),
        (("--device", "nobody"), "device 'nobody' is not registered"),
        (("--place", "9"), "place 9 does not exist"),
    ],
)
def test_what_cannot_be_run_gets_one_line(fleet, arguments: tuple, said: str) -> None:
    done = fleet("rules", "rerun", *arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert said in done.stderr
