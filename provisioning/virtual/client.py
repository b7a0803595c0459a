"""A virtual kiosk as the CLI, the server's page and the tests hold it: a name in a folder.

Knows no MicroPython; the runner does.

Example:
    kiosk = VirtualKiosk.create(folder, "lobby", identity)
    kiosk.start()
    kiosk.press(0)
    await kiosk.ask("press", face=1, simulated=True)
    async for event in kiosk.watch(): ...
"""

import asyncio
import base64
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import firmware_files
from provisioning.identity import Identity
from provisioning.models import DEFAULT_MODEL, model_of
from provisioning.virtual.control import line_of
from provisioning.virtual.folder import READY, Facts, KioskFolder, check_heap

_START_TIMEOUT_S = 20.0
_ANSWER_TIMEOUT_S = 10.0
_LINE_BYTES = 1 << 20


class VirtualKiosk:
    """The kiosk `name` in `folder`; it need not exist or run yet.

    firmware: another firmware folder than the project's; each start brings the flash up to date with it.
    Every method raises ProvisioningError, one clear line, when it cannot do what it is asked.
    """

    def __init__(self, folder: Path | str, name: str, firmware: Path | None = None) -> None:
        self.folder = KioskFolder(Path(folder), name)
        self.name = name
        self._firmware = firmware
        self._runner: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(
        cls,
        folder: Path | str,
        name: str,
        identity: Identity,
        board: str = "unix",
        model: str = DEFAULT_MODEL,
        heap: str | None = None,
        firmware: Path | None = None,
    ) -> "VirtualKiosk":
        """Makes the kiosk's folder with a fresh flash image. heap: such as 128K; the model's own when not given."""
        kiosk = cls(folder, name, firmware)
        heap = check_heap(heap or model_of(model).heap)
        kiosk.folder.create(firmware_files(board, firmware, model), identity, board, model, heap)
        return kiosk

    @property
    def exists(self) -> bool:
        return self.folder.exists

    @property
    def facts(self) -> Facts:
        return self.folder.facts()

    @property
    def running(self) -> bool:
        """Whether its runner answers (its power may be cut all the same)."""
        try:
            self._connect().close()
        except ProvisioningError:
            return False
        return True

    def start(self, broker: tuple[str, int] | None = None, attached: bool = False) -> None:
        """Starts the runner and returns when the kiosk has power. The flash is as it was left.

        broker: host and port where it moved to; kept. attached: end when this process ends, or drops this
        object.
        """
        command = [
            sys.executable,
            "-m",
            "provisioning.virtual.runner",
            str(self.folder.path.parent),
            self.name,
        ]
        if broker:
            command += ["--broker", broker[0], str(broker[1])]
        if self._firmware:
            command += ["--firmware", str(self._firmware)]
        if attached:
            command.append("--attached")
        self.folder.facts()
        root = str(Path(__file__).resolve().parent.parent.parent)
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        with (self.folder.path / "runner.log").open("wb") as errors:
            self._runner = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path},
            )
        said = self._first_line()
        if said != READY:
            self._end_runner()
            raise ProvisioningError(said or f"kiosk '{self.name}' did not start; see {errors.name}")

    def stop(self) -> None:
        """Ends kiosk and runner; returns when both are gone."""
        with self._connect() as connection:
            try:
                _exchange(connection, {"do": "stop"}, self.name)
                while connection.recv(4096):
                    pass
            except (ProvisioningError, OSError):
                if self.running:
                    raise
                # It went while it was asked: killed from elsewhere.
        self._end_runner()

    def press(self, face: int, ms: int = 120, simulated: bool = False) -> None:
        """face: 0 is the leftmost and happiest. ms: how long it is held down."""
        self.call("press", face=face, ms=ms, simulated=simulated)

    def hold(self, face: int) -> None:
        self.call("hold", face=face)

    def release(self, face: int) -> None:
        self.call("release", face=face)

    def touch(self, x: int, y: int, ms: int = 120, simulated: bool = False) -> None:
        """A finger on the touchscreen, in pixels from its upper left corner."""
        self.call("touch", x=x, y=y, ms=ms, simulated=simulated)

    def down(self, x: int, y: int, fingers: int = 1) -> None:
        self.call("down", x=x, y=y, fingers=fingers)

    def up(self) -> None:
        self.call("up")

    def screen(self) -> bytes:
        """What its screen shows, as PNG."""
        return base64.b64decode(self.call("screen")["png"])

    def unplug(self) -> None:
        self.call("unplug")

    def plug(self) -> None:
        self.call("plug")

    def cut(self) -> None:
        self.call("cut")

    def on(self) -> None:
        self.call("on")

    def status(self) -> dict[str, Any]:
        """power, net, lights, show, journal, name, id, model, faces, screen, port, broker, pid (of
        MicroPython), starts; of a screen: frame (its number), written (bytes), refreshes ([partial, full]).
        """
        return self.call("status")

    def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """One request, one answer."""
        with self._connect() as connection:
            return _exchange(connection, {"do": do, **fields}, self.name)

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """As `call`, for those who must not block. Not for `stop`, which waits: use a thread."""
        reader, writer = await self._open()
        try:
            writer.write(line_of({"do": do, **fields}))
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                line = await reader.readline()
        except OSError as error:
            raise self._deaf() from error
        finally:
            writer.close()
        return _checked(line, self.name)

    async def watch(self) -> AsyncIterator[dict[str, Any]]:
        """First {power, net, lights, show, journal} as they are, then each change and event, until the
        runner ends.
        """
        reader, writer = await self._open()
        try:
            writer.write(line_of({"do": "watch"}))
            while line := await reader.readline():
                yield json.loads(line)
        except OSError:
            return
        finally:
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        path = self.folder.socket_path()
        try:
            return await asyncio.open_unix_connection(path or "", limit=_LINE_BYTES)
        except OSError as error:
            raise self._deaf() from error

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_ANSWER_TIMEOUT_S)
        try:
            connection.connect(self.folder.socket_path() or "")
        except OSError as error:
            connection.close()
            raise self._deaf() from error
        return connection

    def _deaf(self) -> ProvisioningError:
        self.folder.facts()
        return ProvisioningError(f"kiosk '{self.name}' is not running; start it first")

    def _first_line(self) -> str:
        assert self._runner is not None
        assert self._runner.stdout is not None
        with self._runner.stdout as pipe:
            said = b""
            until = time.monotonic() + _START_TIMEOUT_S
            while not said.endswith(b"\n"):
                if not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
                    break
                part = os.read(pipe.fileno(), 4096)
                if not part:
                    break
                said += part
        return said.decode("utf-8", "replace").strip()

    def _end_runner(self) -> None:
        if self._runner is None:
            return
        if self._runner.stdin:
            self._runner.stdin.close()
        try:
            self._runner.wait(_ANSWER_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._runner.kill()
            self._runner.wait()
        self._runner = None


def list_kiosks(folder: Path | str) -> list[VirtualKiosk]:
    """The kiosks in a folder, by name; none when there is no such folder."""
    names = sorted(path.parent.name for path in Path(folder).glob("[!.]*/kiosk.json"))
    return [VirtualKiosk(folder, name) for name in names]


def _exchange(connection: socket.socket, request: dict[str, Any], name: str) -> dict[str, Any]:
    answer = b""
    try:
        connection.sendall(line_of(request))
        while not answer.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    except OSError as error:
        raise ProvisioningError(f"kiosk '{name}': its runner does not answer ({error})") from error
    return _checked(answer, name)


def _checked(line: bytes, name: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError:
        raise ProvisioningError(f"kiosk '{name}': its runner ended without an answer") from None
    if not answer.pop("ok"):
        raise ProvisioningError(answer["error"])
    return answer
