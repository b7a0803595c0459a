"""The drawing core on the firmware's own interpreter: the same pixels as under CPython, in a heap that stays small."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from screens.painter import Painter

from tests import effort
from tests.firmware.screens import pieces

ASSETS = Path(__file__).resolve().parents[3] / "firmware" / "assets"
PAGES = effort.pick(1_000, 5_000, 50_000)
# A word of the unix port has twice the bytes that it has on an ESP32, so this is more than a kiosk takes.
HEAP = {"touch": "272K", "paper": "144K"}
PROBE = "screens/painter_probe.py"


@pytest.fixture(scope="module", params=["touch", "paper"])
def told(request: pytest.FixtureRequest, micropython_program: Callable[..., Any]) -> dict[str, Any]:
    kind = request.param
    return {"kind": kind, **micropython_program(PROBE, HEAP[kind], 300, ASSETS, kind, PAGES)}


def test_the_same_bytes_go_to_the_display_as_under_cpython(told: dict[str, Any]) -> None:
    kit = pieces.Kit(str(ASSETS), told["kind"] == "paper")
    wire = pieces.Wire(kit.mono)
    painter = Painter(wire, kit.canvas())
    pieces.story(kit, painter)
    assert (wire.crc, painter.bytes, painter.bands) == (told["crc"], told["bytes"], told["bands"])


def test_pages_without_end_leave_nothing_behind(told: dict[str, Any]) -> None:
    assert told["growth"] <= 0


def test_drawing_a_page_makes_little_garbage(told: dict[str, Any]) -> None:
    # Paper reads its fonts by glyph: nothing of them can be kept, and a page of it is drawn once in days.
    assert told["garbage"] < {"touch": 8_000, "paper": 40_000}[told["kind"]]


def test_what_the_core_keeps_besides_fonts_and_band_is_small(told: dict[str, Any]) -> None:
    band = {"touch": 480 * 2 * 40, "paper": 400 // 8 * 40}[told["kind"]]
    assert told["held"] - told["fonts"] - band < 40_000
