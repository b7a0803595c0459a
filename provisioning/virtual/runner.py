"""The process that keeps one virtual kiosk: power, cable, and what the kiosk shows. Started by `client`.

It takes requests on a unix socket (`control`). It says `ready` or one line of why not on its standard output, and is
silent after that.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import firmware_files
from provisioning.models import model_of
from provisioning.virtual import fingers
from provisioning.virtual.cable import Cable
from provisioning.virtual.console import Console
from provisioning.virtual.control import Control
from provisioning.virtual.fingers import FACE_REQUESTS, TOUCH_REQUESTS
from provisioning.virtual.folder import READY, SOCKET_PREFIX, Facts, KioskFolder
from provisioning.virtual.machine import (
    AFTER_CRASH,
    AFTER_RESTART,
    POWER_ON,
    RESTART,
    Machine,
    micropython_folder,
)
from provisioning.virtual.screen import Screen

_CRASH_PAUSE_S = 1.0
# An ESP32 needs about this long to start; it keeps a firmware that restarts at once from eating a core.
_SHORTEST_RUN_S = 0.3
_REQUESTS = (
    "status",
    *FACE_REQUESTS,
    *TOUCH_REQUESTS,
    "screen",
    "unplug",
    "plug",
    "cut",
    "on",
    "stop",
    "watch",
)


class Runner:
    """One kiosk, from `serve` until `stop`."""

    def __init__(self, folder: KioskFolder, facts: Facts) -> None:
        self._facts = facts
        self._console = Console(folder.log)
        self._model = model_of(facts.model)
        self._screen = Screen(folder.frame, self._model) if self._model.size else None
        frame = folder.frame if self._screen else None
        self._machine = Machine(folder.flash, facts.heap, self._line, frame)
        self._cable = Cable((facts.broker_host, facts.broker_port))
        self._control = Control(self._answer, self._snapshot)
        self._power: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._starts = 0
        self._journal: dict[str, Any] | None = None
        self._go_dark()

    async def serve(self, socket_path: str, attached: bool) -> None:
        """Runs the kiosk until it is asked to stop. Raises OSError when the port or the socket cannot be
        had.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        await self._cable.listen(self._facts.port)
        server = await asyncio.start_unix_server(self._control.serve, socket_path)
        os.chmod(socket_path, 0o600)
        if attached:
            loop.add_reader(sys.stdin, self._starter_spoke)
        await self._switch_on()
        print(READY, flush=True)
        await self._stopping.wait()
        await self._switch_off(cut=False)
        await self._cable.close()
        server.close()

    # The kiosk's power

    async def _switch_on(self) -> None:
        async with self._switching:
            if self._power is None:
                self._control.tell({"power": True})
                self._power = asyncio.create_task(self._stay_on())

    async def _switch_off(self, cut: bool) -> None:
        async with self._switching:
            power, self._power = self._power, None
            if power is None:
                return
            if cut:
                self._cable.power_cut()
                self._machine.kill()
            else:
                await self._machine.stop()
            # The task ends by itself with the process; between two runs it sleeps and must be woken.
            if self._machine.pid is None:
                power.cancel()
            await asyncio.gather(power, return_exceptions=True)
            self._go_dark()
            self._control.tell({"power": False})

    async def _stay_on(self) -> None:
        cause = POWER_ON
        while self._power is not None:
            began = time.monotonic()
            self._starts += 1
            try:
                status: int | str = await self._machine.run(
                    cause, None if self._cable.plugged else {"net": False}
                )
            except OSError as error:
                status = str(error)
            if self._power is None:
                return
            self._go_dark()
            if status == RESTART:
                cause, pause = AFTER_RESTART, max(0.0, began + _SHORTEST_RUN_S - time.monotonic())
            else:
                cause, pause = AFTER_CRASH, _CRASH_PAUSE_S
                self._log(f"(runner) the firmware ended ({status}); starting it again in {pause:.0f} s")
            await asyncio.sleep(pause)

    def _go_dark(self) -> None:
        self._lights = [0] * self._model.faces
        self._show: dict[str, Any] = {}
        if self._screen and self._screen.lose_power():
            self._control.tell(self._screen.facts())

    # What the kiosk says

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"\x1e"):
            self._log(line.decode("utf-8", "replace"))
            return
        try:
            event = json.loads(line[1:])
            if not isinstance(event, dict):
                raise ValueError("not an object")
        except ValueError as error:
            self._log(f"(runner) unreadable event: {error}: {line[1:200]!r}")
            return
        if isinstance(event.get("light"), list):
            self._lights = event["light"]
        if isinstance(event.get("show"), dict):
            self._show.update(event["show"])
        if isinstance(event.get("journal"), dict):
            self._journal = event["journal"]
        if "log" in event:
            self._console.write(str(event["log"]))
        if "frame" in event and self._screen:
            event = self._screen.updated(event)
        self._control.tell(event)

    def _log(self, text: str) -> None:
        self._console.write(text)
        self._control.tell({"log": text})

    # What people ask

    async def _answer(self, line: bytes) -> dict[str, Any] | None:
        """The answer to a request, None for `watch`. Raises ProvisioningError when it cannot be done."""
        try:
            request = json.loads(line)
            do = request["do"]
        except (ValueError, TypeError, KeyError):
            raise ProvisioningError(f"request {line[:80]!r} is no JSON object with 'do'") from None
        if do not in _REQUESTS:
            raise ProvisioningError(f"request '{do}' is unknown; there are {', '.join(_REQUESTS)}")
        if do == "watch":
            return None
        if do in FACE_REQUESTS + TOUCH_REQUESTS:
            order = fingers.order(self._model, request)
            if self._power is None:
                raise ProvisioningError(f"kiosk '{self._facts.name}' has no power; switch it on first")
            self._machine.send(order)
        elif do == "screen":
            return {"ok": True, **self._seen().picture()}
        elif do in ("plug", "unplug"):
            self._set_cable(do == "plug")
        elif do == "cut":
            await self._switch_off(cut=True)
        elif do == "on":
            await self._switch_on()
        elif do == "stop":
            await self._switch_off(cut=False)
            self._stopping.set()
        return {"ok": True, **(self._status() if do == "status" else {})}

    def _seen(self) -> Screen:
        if self._screen is None:
            raise ProvisioningError(f"screen: {self._model.name} has none, its question is on a printed card")
        return self._screen

    def _set_cable(self, plugged: bool) -> None:
        if plugged == self._cable.plugged:
            return
        if plugged:
            self._cable.plug()
        else:
            self._cable.unplug()
        self._machine.send({"net": plugged})
        self._control.tell({"net": plugged})

    def _snapshot(self) -> dict[str, Any]:
        return {
            "power": self._power is not None,
            "net": self._cable.plugged,
            "lights": self._lights,
            "show": self._show,
            "journal": self._journal,
            **(self._screen.facts() if self._screen else {}),
        }

    def _status(self) -> dict[str, Any]:
        facts = self._facts
        return {
            **self._snapshot(),
            "name": facts.name,
            "id": facts.id,
            "model": facts.model,
            "faces": self._model.faces,
            "screen": self._model.screen,
            "port": facts.port,
            "broker": f"{facts.broker_host}:{facts.broker_port}",
            "pid": self._machine.pid,
            "starts": self._starts,
        }

    def _starter_spoke(self) -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            asyncio.get_running_loop().remove_reader(sys.stdin)
            self._stopping.set()


def main() -> None:
    """`python -m provisioning.virtual.runner FOLDER NAME [--broker HOST PORT] [--firmware FOLDER]
    [--attached]`.
    """
    parser = argparse.ArgumentParser(prog="runner")
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--broker", nargs=2)
    parser.add_argument("--firmware", type=Path)
    parser.add_argument("--attached", action="store_true")
    given = parser.parse_args()
    try:
        micropython_folder()
        folder = KioskFolder(given.folder, given.name)
        broker = (given.broker[0], int(given.broker[1])) if given.broker else None
        _run(folder, broker, given.firmware, given.attached)
    except ProvisioningError as error:
        print(error, flush=True)
        sys.exit(1)
    except OSError as error:
        print(
            f"kiosk '{given.name}': {error.filename or ''} {error.strerror or error}".replace("  ", " "),
            flush=True,
        )
        sys.exit(1)


def _run(folder: KioskFolder, broker: tuple[str, int] | None, firmware: Path | None, attached: bool) -> None:
    facts = folder.facts()
    lock = folder.lock()
    facts = folder.prepare(firmware_files(facts.board, firmware, facts.model), broker)
    socket_folder = tempfile.mkdtemp(prefix=SOCKET_PREFIX)
    try:
        socket_path = str(Path(socket_folder, "control"))
        folder.write_run(socket_path)
        asyncio.run(Runner(folder, facts).serve(socket_path, attached))
    finally:
        shutil.rmtree(socket_folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.remove_run()
        os.close(lock)


if __name__ == "__main__":
    main()
