"""Laying out and drawing every page costs a kiosk little memory: on MicroPython, with the set that asks the most."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.screens.scenes import COMBINATIONS, screens

HERE = Path(__file__).resolve().parent
ASSETS = HERE.parents[1] / "firmware" / "assets"
HEAP_K = 384
# With fonts, pictures, band and one set, without the rest of the program. Words of the unix port are twice an ESP32's.
ENOUGH_K = 288
ROUNDS = 3

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def run(compiled_firmware: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every page of the largest set, drawn `rounds` times in so much heap."""
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    folder = tmp_path_factory.mktemp("pages")
    largest = max((one.view for one in screens() if one.view), key=lambda view: len(json.dumps(view)))
    pages = [
        [None if screen.view is None else 0, screen.scene, language, modes]
        for screen in screens()
        if screen.view in (None, largest)
        for language in range(len(screen.languages))
        for modes in COMBINATIONS
    ]

    def run(heap_k: int, rounds: int, *how: str, measure: bool = False) -> dict[str, Any]:
        job = folder / "job.json"
        job.write_text(json.dumps({"views": [largest], "pages": pages, "rounds": rounds, "measure": measure}))
        command = [interpreter, "-X", f"heapsize={heap_k}K", HERE / "pages_probe.py", compiled_firmware]
        command += [ASSETS, job, *how]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
        lines = done.stdout.splitlines()
        assert done.returncode == 0, "\n".join(lines[-5:]) + done.stderr
        told: dict[str, Any] = json.loads(lines[-1])
        assert "page not drawn whole" not in lines
        assert told["pages"] == len(pages)
        return told

    return run


def test_every_page_is_drawn_in_the_heap_of_a_touch_kiosk_and_leaves_nothing_behind(run: Run) -> None:
    told = run(HEAP_K, ROUNDS, measure=True)
    assert told["rounds"][1:] == told["rounds"][:-1] or max(told["rounds"][1:]) <= told["rounds"][0]
    assert told["most"] < 64 * 1024  # garbage of a page: four of them between two collections


def test_every_page_is_drawn_in_less_than_that(run: Run) -> None:
    run(ENOUGH_K, 1)


def test_nothing_above_64_kib_is_allocated_after_the_boot(run: Run) -> None:
    assert run(HEAP_K, 1, "crowded")["pins"] > 0
