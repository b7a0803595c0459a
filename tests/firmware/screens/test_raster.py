"""The twin of the frame buffer, with which tests and server draw, leaves what MicroPython's leaves."""

import subprocess
import sys
from pathlib import Path

import pytest
from screens import raster

from tests import effort
from tests.firmware.screens import random_drawing

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[2] / "firmware"
SEEDS = effort.seeds(effort.pick(500, 5_000, 50_000))


def test_the_twin_draws_what_micropython_draws_pixel_for_pixel() -> None:
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    command = [interpreter, HERE / "random_drawing.py", FIRMWARE, str(SEEDS.start), str(len(SEEDS))]
    real = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=600
    ).stdout.splitlines()
    for number, twin in enumerate(random_drawing.lines(raster, SEEDS.start, len(SEEDS))):
        assert twin == real[number], f"drawing of seed {SEEDS[number]}"
    assert len(real) == len(SEEDS)


def test_a_buffer_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="15 bytes"):
        raster.FrameBuffer(bytearray(15), 4, 2, raster.RGB565)
