"""The firmware on its own interpreter: from touch to durable answer, and the heap for each step of the main job."""

import gc
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.firmware_heap import LOW_K, Steps, heap_k, image
from tests.firmware.front.kiosk_rig import Kiosk, Server

PRESSES = 200
FEEDBACK_MS = 100  # what a visitor may wait for light and sound
MODELS = {"button5": "e-paper", "card5": "card"}  # bench_touch.py has the touchscreen
STEPS = {  # each needs at least what the one before it needs
    "boot": "boot, question on, no broker yet",
    "connect": "connect, report, ready",
    "press": "press, booked, let go of",
    "sync": "sync: 500 presses, full batches",
    "set": "take a set of 4 096 bytes, press",
}


def measure() -> list[dict]:
    """Press to durable (p50, p99, ms); for each step its least heap, and what is live and allocated after it (KiB)."""
    with _world() as (server, port, flash):
        times = _press_times(flash)
        heap = []
        for model, name in MODELS.items():
            heap += _heap(Steps(server, port, flash, model), name)
    return [
        {
            "name": "press to durable in flash and thanked, p50",
            "value": times[0],
            "unit": "ms",
            "limit": FEEDBACK_MS,
        },
        {
            "name": "press to durable in flash and thanked, p99",
            "value": times[1],
            "unit": "ms",
            "limit": FEEDBACK_MS,
        },
        *heap,
    ]


@contextmanager
def _world() -> Iterator[tuple[Server, int, Path]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        broker = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        server = Server(port)
        flash = Path(folder) / "flash.img"
        flash.write_bytes(image(port, "button5"))
        try:
            yield server, port, flash
        finally:
            server.close()
            broker.terminate()
            broker.wait(5)


def _press_times(flash: Path) -> tuple[float, float]:
    kiosk = Kiosk(flash)
    kiosk.on(f"{heap_k('button5')}K")
    kiosk.ready()
    times = []
    for press in range(PRESSES):
        while any(kiosk.lights) or not kiosk.screens or kiosk.screens[-1] != "ready":
            time.sleep(0.005)
        time.sleep(0.06)  # the button is let go
        gc.disable()
        before, began = kiosk.thanks, time.monotonic()
        kiosk.say(press=press % 5, ms=30)
        while kiosk.thanks == before:
            time.sleep(0.0002)
        times.append((kiosk.sounds[-1][0] - began) * 1000)
        gc.enable()
    kiosk.cut()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def _heap(steps: Steps, model: str) -> list[dict]:
    """The 64-bit figures: a word has twice the bytes that it has on an ESP32."""
    figures = []
    low = LOW_K
    for step, what in STEPS.items():
        well, kept = steps.run(step, steps.most_k, probe=True)
        assert well, f"{model}, {step}: does not go well with {steps.most_k}K"
        low = steps.least(step, low)
        for name, bytes_ in (("live", kept[1]), ("allocated", kept[0])):
            figure = {
                "name": f"heap {name}, {model}: {what}",
                "value": round(bytes_ / 1024, 1),
                "unit": "KiB",
            }
            figures.append({**figure, "limit": steps.most_k})
        figure = {"name": f"least heap, {model}: {what}", "value": low, "unit": "KiB"}
        figures.append({**figure, "limit": steps.most_k})
    return figures
