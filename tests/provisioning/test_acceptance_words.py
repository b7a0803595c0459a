"""What `station test` says at its end, and whom it believes: words for a person who holds a screwdriver, too."""

import os
import pty
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from provisioning.acceptance.bench import person
from provisioning.cli import app
from tests.provisioning.bench_rig import Bench, bench_of, presser

__all__ = ["bench_of"]  # a fixture


def test_the_end_names_what_failed_and_the_line_that_tries_it_again(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench, out = bench_of(), tmp_path / "r.json"
    words = ["test", "--tty", bench.port, "--board", "unix", "--out", str(out)]
    done = CliRunner().invoke(app, [*words, "--only", "lights", "--only", "sound"], input="n\nn\n")
    assert done.stdout.splitlines()[1] == (
        "failed: lights, sound. Put it right, then the same line with --only lights --only sound"
    )
    done = CliRunner().invoke(app, [*words, "--only", "lights", "--only", "sound"], input="y\ny\n")
    assert "not tried yet: buttons, paper, radio, ethernet, flash, supply." in done.stdout.splitlines()[1]
    bench.finger = presser()
    done = CliRunner().invoke(app, words, input="y\n" * 3)
    assert done.stdout.splitlines()[1] == f"next: station provision NAME --model button5 --report {out} …"


def test_what_was_typed_before_a_question_does_not_answer_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()

    class Person:
        def write(self, text: str) -> None:
            if "[y]es" in text:
                os.write(ours, b"n\n")

        def flush(self) -> None:
            """Nothing to do."""

    with os.fdopen(theirs) as keyboard:
        monkeypatch.setattr("sys.stdin", keyboard)
        monkeypatch.setattr("sys.stderr", Person())
        os.write(ours, b"y\ny\n")
        assert person("Do all 5 lights shine?") == "n"
    os.close(ours)
