"""The firmware on its own interpreter: from touch to durable answer, and the least heap that carries the main job."""

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

from provisioning.firmware_files import firmware_files
from provisioning.identity import Identity
from provisioning.image import build_image
from tests.firmware.front.kiosk_rig import DEVICE, Kiosk, Server, press_beforehand

PRESSES = 200
FEEDBACK_MS = 100  # what a visitor may wait for light and sound
HEAP_GOAL_K = 128
STEP_K = 4
STORED = 500  # more than one full batch waits when the heap is tried
PATIENCE_S = 12  # at the first failing size the process crawls instead of dying


def measure() -> list[dict]:
    """Press to durable (p50, p99) and least heap, in KiB."""
    with _world() as (server, flash):
        times = _press_times(server, flash)
        least = _least_heap(server, flash)
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
        {
            "name": "least heap: boot, connect, press, drain (64-bit)",
            "value": least,
            "unit": "KiB",
            "limit": 192,
        },
        {"name": "least heap beside the goal", "value": least, "unit": "KiB", "limit": HEAP_GOAL_K},
    ]


@contextmanager
def _world() -> Iterator[tuple[Server, Path]]:
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
        identity = Identity(id=DEVICE, secret="0" * 64, host="127.0.0.1", port=port)
        flash.write_bytes(build_image(firmware_files("unix"), identity, "button5").content)
        try:
            yield server, flash
        finally:
            server.close()
            broker.terminate()
            broker.wait(5)


def _press_times(server: Server, flash: Path) -> tuple[float, float]:
    kiosk = Kiosk(flash)
    kiosk.on("192K")
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


def _least_heap(server: Server, flash: Path) -> int:
    """The least heap, in steps, with which a kiosk boots, connects, drains what waits and takes another press."""
    press_beforehand(Kiosk(flash), STORED)
    stored = flash.read_bytes()
    size = 160
    while size > 4 * STEP_K and _works(server, flash, stored, size - STEP_K):
        size -= STEP_K
    return size


def _works(server: Server, flash: Path, stored: bytes, heap_k: int) -> bool:
    flash.write_bytes(stored)
    server.records.clear()
    server.booked.clear()
    server.seen.clear()
    kiosk = Kiosk(flash)
    kiosk.on(f"{heap_k}K")
    until = time.monotonic() + PATIENCE_S
    pressed = False
    try:
        while time.monotonic() < until and kiosk.process and kiosk.process.poll() is None:
            if "MemoryError" in "".join(kiosk.lines):
                return False
            if (
                not pressed
                and kiosk.screens
                and kiosk.screens[-1] == "ready"
                and kiosk.shown.get("status") == "online"
            ):
                kiosk.say(press=0, ms=30)
                pressed = True
            if pressed and kiosk.thanks and kiosk.journal.get("waiting") == 0:
                return True
            time.sleep(0.02)
        return False
    finally:
        kiosk.cut()
