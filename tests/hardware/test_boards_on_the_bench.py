"""The real board files under `station test`: sent over a REPL to MicroPython, on scripted chips.

No real board has been tried.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.acceptance.command import run
from provisioning.field.say import Say
from tests.provisioning.bench_rig import Bench

HERE = Path(__file__).resolve().parent
BUTTON_PINS = (32, 33, 34, 4, 5)


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    board: str = request.param
    start = (HERE / "bench_start.py").read_text().replace("@BOARD@", board).replace("@TESTS@", str(HERE))
    made = Bench(tmp_path, start=start)
    yield made
    made.close()


def results(
    bench: Bench, board: str, *only: str, ask: Any = lambda question: "y"
) -> dict[str, tuple[str, str]]:
    record = run(
        bench.port, board, bench.folder / "report.json", None, only, "county", None, 30.0, Say(), ask
    )
    assert (record.body["board"], record.body["serial"]) == (board, "240ac4000007")
    assert "firmware" not in record.body["versions"]  # it has none: the parts were lent to it
    return {
        step["name"]: (step["result"], step["note"]) for step in record.body["steps"] if step["name"] in only
    }


@pytest.mark.parametrize("bench", ["button_poe"], indirect=True)
def test_the_button_kiosks_board_is_lent_its_drivers_and_loses_none_of_its_flash(bench: Bench) -> None:
    before = (bench.folder / "flash.img").read_bytes()
    files = sorted(path.name for path in bench.folder.iterdir())

    def finger(event: dict[str, Any]) -> list[dict[str, Any]]:
        lit = [face for face, on in enumerate(event.get("light", [])) if on]
        if len(lit) != 1:
            return []
        return [{"pin": BUTTON_PINS[lit[0]], "level": level} for level in (0, 1)]

    bench.finger = finger
    asked = []

    def ask(question: str) -> str:
        asked.append(question)
        if "lights" in question:
            assert {"light": [1] * 5} in bench.events()
        return "y"

    only = ("buttons", "lights", "sound", "paper", "radio", "ethernet", "flash", "supply")
    found = results(bench, "button_poe", *only, ask=ask)
    # Its e-paper is not plugged in: the open line reads as busy.
    assert found.pop("paper") == ("failed", "display: busy for 200 ms after a reset")
    assert found.pop("supply")[0] == "skipped"
    assert {name: result for name, (result, _) in found.items() if result != "passed"} == {}
    assert [event["piezo"][0] for event in bench.events() if "piezo" in event] == [2093, 2637]
    after = (bench.folder / "flash.img").read_bytes()
    assert [at for at in range(0, len(after), 4096) if after[at : at + 4096] != before[at : at + 4096]] == [
        0xF000
    ]
    assert sorted({path.name for path in bench.folder.iterdir()} - set(files)) == ["report.json"]


@pytest.mark.parametrize("bench", ["touch_s3"], indirect=True)
def test_the_touch_kiosks_board_sees_a_finger_in_each_corner(bench: Bench) -> None:
    found = results(bench, "touch_s3", "touch", "screen", "sound", "ethernet", "flash")
    assert {name: result for name, (result, _) in found.items() if result != "passed"} == {}
    assert json.loads((bench.folder / "report.json").read_text())["steps"][1]["name"] == "touch"
