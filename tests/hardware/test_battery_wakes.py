"""The battery board's waking, by its own board file on MicroPython with scripted chips: what is done before what.

Nothing here has run on an ESP32; how long it takes there is unmeasured. What is loaded first is held by name.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# All that stands between a press and its record. A longer list is a later light: think before you add to it.
BEFORE_THE_RECORD = [
    "asyncio",
    "asyncio.core",
    "asyncio.event",
    "button_battery",
    "drivers",
    "drivers.links",
    "drivers.piezo",
    "drivers.soc",
    "kiosk",
    "kiosk.buttons",
    "kiosk.clock",
    "kiosk.compat",
    "kiosk.doze",
    "kiosk.journal",
    "kiosk.record",
    "kiosk.recorder",
    "kiosk.ring",
    "kiosk.sector",
    "kiosk.survey",
]
HEAP_BYTES = 80 * 1024  # from source and with words of 8 bytes: the chip needs less, and has 2 MB
RTC_BYTES = 2048  # what stock MicroPython keeps over a sleep


@pytest.mark.parametrize("how", ["register", "wake_pins"])
def test_the_press_is_in_flash_before_network_display_and_sets_are_loaded(how: str) -> None:
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    done = subprocess.run(
        [interpreter, HERE / "run_wake.py", ROOT / "firmware", ROOT / "tests", how],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["modules"] == BEFORE_THE_RECORD
    assert told["heap"] < HEAP_BYTES
    # The pressed button's light first; then the record: the third of five faces is a 3; then all lights and the tune.
    events = [event for event in told["done"] if not event.endswith(" 0")]
    assert events[:2] == ["light 41 1", "light 41 1"]
    assert events[2] == "answer 3"
    assert set(events[3:]) == {"light 39 1", "light 40 1", "light 41 1", "light 42 1", "light 37 1", "tone"}
    assert told["pressed"] == 1
    ms, wakers = told["asleep"]
    assert 3_520_000 < ms < 3_540_000, "what is left of the hour"
    assert wakers == [10, 9, 8, 2, 1]
    held = {int(pin): how for pin, how in told["held"].items()}
    assert held == {pin: ["in", "up", None] for pin in wakers} | {4: ["out", None, 0], 14: ["out", None, 0]}
    assert told["memory"] < RTC_BYTES // 2
    assert told["radio"] is False
