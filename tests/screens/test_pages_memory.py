"""Laying out and drawing every page costs a kiosk little memory: on MicroPython, with the set that asks the most."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.screens.pages_job import write_job
from tests.screens.scenes import COMBINATIONS, screens

HERE = Path(__file__).resolve().parent
ASSETS = HERE.parents[1] / "firmware" / "assets"
HEAP_K = 384
LARGEST_SET = 7
# Fonts, pictures, band, one set and the pages, without the rest of the program. A word of the unix port has twice the
# bytes of an ESP32's.
ENOUGH_K = 320
ROUNDS = 4

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def run(compiled_firmware: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every page of the largest set, drawn `rounds` times in so much heap."""
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    folder = tmp_path_factory.mktemp("pages")
    # All in one view, as on a kiosk: the one that has a question more than the set.
    of_set = [one for one in screens() if one.view and one.view["number"] == LARGEST_SET]
    view = max((one.view for one in of_set), key=lambda view: len(view["questions"]))
    pages = [
        (dataclasses.replace(screen, view=view), language, modes)
        for screen in of_set
        for language in range(len(screen.languages))
        for modes in COMBINATIONS
    ]
    job = folder / "job.json"
    write_job(job, pages)

    def run(heap_k: int, rounds: int, *how: str) -> dict[str, Any]:
        command = [interpreter, "-X", f"heapsize={heap_k}K", HERE / "pages_probe.py", compiled_firmware]
        command += [ASSETS, job, rounds, *how]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
        lines = done.stdout.splitlines()
        assert done.returncode == 0, "\n".join(lines[-5:]) + done.stderr
        told: dict[str, Any] = json.loads(lines[-1])
        assert "page not drawn whole" not in lines
        assert told["pages"] == len(pages)
        return told

    return run


def test_every_page_is_drawn_in_the_heap_of_a_touch_kiosk_and_leaves_nothing_behind(run: Run) -> None:
    rounds = run(HEAP_K, ROUNDS)["rounds"]
    assert rounds[-1] <= rounds[1]  # in the first, modules and letters find their places


def test_every_page_is_drawn_in_less_than_that(run: Run) -> None:
    run(ENOUGH_K, 1)


def test_a_page_makes_less_garbage_than_half_of_the_heap(run: Run) -> None:
    assert run(4 * HEAP_K, 1, "measured")["most"] < HEAP_K * 1024 // 2


def test_nothing_above_64_kib_is_allocated_after_the_boot(run: Run) -> None:
    assert run(HEAP_K, 1, "crowded")["pins"] > 0
