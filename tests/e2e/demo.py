"""Starts what `make run` starts, with ports and a folder of its own, and stops it as Ctrl-C does."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    """`fleet demo` in a process of its own. `said` holds its output line by line."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "LC_ALL": "C.UTF-8",  # its person reads English, whatever this machine speaks
            "DATA_DIR": str(folder),
            "HTTP_PORT": str(free_port()),
            "MQTT_PORT": str(free_port()),
            **environment,
        }
        self.address = f"http://127.0.0.1:{self.environment['HTTP_PORT']}"
        self.said: list[str] = []
        self.options = options
        self.process: subprocess.Popen[str] | None = None

    def start(self, patience_s: float = 60) -> "Demo":
        """Start and return when it says that it is ready; raises with all it said otherwise."""
        self.said = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fleet_server", "demo", *self.options],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        until = time.monotonic() + patience_s
        while time.monotonic() < until and self.process.poll() is None:
            if any("Ctrl-C" in line for line in self.said):
                return self
            time.sleep(0.05)
        self.stop()
        raise AssertionError("not ready:\n" + "\n".join(self.said))

    def _listen(self) -> None:
        assert self.process
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    @property
    def sign_in(self) -> tuple[str, str]:
        """E-mail and password as printed."""
        text = "\n".join(self.said)
        return re.search(r"E-mail\s+(\S+)", text)[1], re.search(r"Password\s+(\S+)", text)[1]
