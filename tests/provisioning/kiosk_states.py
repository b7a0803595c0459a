"""Waiting for a virtual kiosk to be as a test wishes, and for a process to be gone."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from provisioning.virtual.client import VirtualKiosk

SOON_S = 10

Make = Callable[..., VirtualKiosk]


def until(kiosk: VirtualKiosk, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The kiosk's status once it is as wished."""
    end = time.monotonic() + SOON_S
    while True:
        status = kiosk.status()
        if true(status):
            return status
        assert time.monotonic() < end, status
        time.sleep(0.02)


def booted(kiosk: VirtualKiosk, times: int = 1) -> dict[str, Any]:
    return until(kiosk, lambda status: status["show"].get("boots") == times and status["journal"] is not None)


def pressed(kiosk: VirtualKiosk, count: int) -> dict[str, Any]:
    return until(kiosk, lambda status: (status["journal"] or {}).get("pressed") == count)


def gone(pid: int) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def unheard(kiosk: VirtualKiosk) -> bool:
    """Whether nobody answers for it any more. A killed process is gone a moment before its last thread's sockets."""
    end = time.monotonic() + SOON_S
    while kiosk.running:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def runner_pid(kiosk: VirtualKiosk) -> int:
    return int(json.loads((kiosk.folder.path / "run.json").read_text())["pid"])


@contextmanager
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(SOON_S)
        yield server
