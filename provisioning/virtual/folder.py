"""A virtual kiosk's folder on disk: flash image, facts, log, and who runs it. Starts no process.

    <folder>/<name>/flash.img    the flash, 8 MiB; holds the secret
    <folder>/<name>/kiosk.json   what the kiosk is (written at create, and by its runner at start)
    <folder>/<name>/run.json     the runner's pid and socket (written by the runner, removed when it ends)
    <folder>/<name>/lock         held by the runner: one kiosk never runs twice
    <folder>/<name>/screen.raw   what its screen shows, as the firmware wrote it (models with a screen)
    <folder>/<name>/kiosk.log    the console, kiosk.log.1 the older half

Invariant: a folder appears whole or not at all, and only its owner can read it.
"""

import fcntl
import json
import os
import random
import re
import shutil
import socket
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import FirmwareFiles
from provisioning.identity import Identity
from provisioning.image import build_image, read_blob, read_image, with_firmware, with_identity
from provisioning.models import DEFAULT_MODEL, MODELS, model_of

SOCKET_PREFIX = "hymio-kiosk-"
# What a runner says on its standard output when the kiosk has power; anything else is why it has not.
READY = "ready"
DEFAULT_HEAP = MODELS[DEFAULT_MODEL].heap
# An ESP32 has some 100K to give, an ESP32-S3 with PSRAM megabytes.
_HEAP_RANGE_K = (48, 512)
HEAP_RANGE = "{}K to {}K".format(*_HEAP_RANGE_K)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
# Below the range from which Linux takes ports for outgoing connections, so that a kiosk finds its port free
# again.
_PORTS = range(20000, 32000)


@dataclass(frozen=True)
class Facts:
    """What kiosk.json holds. port: where the kiosk finds its broker, our cable; broker: where the cable
    leads.

    firmware: the digest of the shipped files in the image.
    """

    name: str
    id: str
    board: str
    model: str
    port: int
    broker_host: str
    broker_port: int
    heap: str
    firmware: str
    simulated: bool


class KioskFolder:
    """The folder of the kiosk `name` below `folder`. Raises ProvisioningError for a name that is none."""

    def __init__(self, folder: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ProvisioningError(
                f"kiosk name '{name}' must have 1 to 32 characters a-z, 0-9 and '-', and not begin with '-'"
            )
        self.name = name
        self.path = Path(folder) / name
        self.flash = self.path / "flash.img"
        self.frame = self.path / "screen.raw"
        self.log = self.path / "kiosk.log"

    @property
    def exists(self) -> bool:
        return (self.path / "kiosk.json").is_file()

    def facts(self) -> Facts:
        """Raises ProvisioningError when there is no such kiosk or its kiosk.json is damaged."""
        if not self.exists:
            raise ProvisioningError(
                f"kiosk '{self.name}' does not exist in {self.path.parent}; create it first"
            )
        try:
            return Facts(**json.loads((self.path / "kiosk.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ProvisioningError(
                f"kiosk '{self.name}': {self.path / 'kiosk.json'} is damaged: {error}"
            ) from error

    def create(self, firmware: FirmwareFiles, identity: Identity, board: str, model: str, heap: str) -> None:
        """Makes the folder with a fresh image. Raises ProvisioningError; leaves nothing behind then."""
        if self.path.exists():
            raise ProvisioningError(
                f"kiosk '{self.name}' exists already in {self.path.parent}; choose another name"
            )
        port = free_port()
        facts = Facts(
            self.name, identity.id, board, model, port, identity.host, identity.port, check_heap(heap),
            firmware.digest, identity.simulated,
        )  # fmt: skip
        image = build_image(firmware, replace(identity, host="127.0.0.1", port=port), model)
        building: Path | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(prefix=f".{self.name}-", dir=self.path.parent))
            write_private(building / "flash.img", image.content)
            write_private(building / "kiosk.json", _json(asdict(facts)))
            building.rename(self.path)
        except OSError as error:
            if building:
                shutil.rmtree(building, ignore_errors=True)
            raise ProvisioningError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def prepare(self, firmware: FirmwareFiles, broker: tuple[str, int] | None) -> Facts:
        """Before a start: brings the firmware up to date, follows a broker that moved, finds another port
        when somebody else has ours. Journal and state files stay as they are. Call with the lock held.
        """
        facts = self.facts()
        image = read_image(self.flash)
        after = image
        least = model_of(facts.model).heap
        if int(facts.heap[:-1]) < int(least[:-1]) and facts.firmware != firmware.digest:
            facts = replace(facts, heap=least)  # made when its model needed less
        if facts.firmware != firmware.digest:
            after = with_firmware(after, firmware)
            facts = replace(facts, firmware=firmware.digest)
        if not _is_free(facts.port):
            facts = replace(facts, port=free_port())
            identity = json.loads(read_blob(after, "identity"))
            blob = json.dumps({**identity, "port": facts.port}, ensure_ascii=False, separators=(",", ":"))
            after = with_identity(after, blob.encode())
        if broker:
            facts = replace(facts, broker_host=broker[0], broker_port=broker[1])
        if after is not image:
            write_private(self.flash, after)
        write_private(self.path / "kiosk.json", _json(asdict(facts)))
        return facts

    def lock(self) -> int:
        """Takes the kiosk for this process until the descriptor is closed. Raises ProvisioningError when it
        runs.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise ProvisioningError(f"kiosk '{self.name}' is running already") from error
        return descriptor

    def socket_path(self) -> str | None:
        """Where the runner listens, None when there is none (it may be gone all the same)."""
        try:
            return str(json.loads((self.path / "run.json").read_text("utf-8"))["socket"])
        except (OSError, ValueError, KeyError):
            return None

    def write_run(self, socket_path: str) -> None:
        """Says who runs the kiosk. A socket folder left behind by a runner that was killed goes away."""
        self.remove_run()
        write_private(self.path / "run.json", _json({"pid": os.getpid(), "socket": socket_path}))

    def remove_run(self) -> None:
        left = self.socket_path()
        if left and Path(left).parent.name.startswith(SOCKET_PREFIX):
            shutil.rmtree(Path(left).parent, ignore_errors=True)
        (self.path / "run.json").unlink(missing_ok=True)


def check_heap(heap: str) -> str:
    """`heap` as MicroPython takes it: kilobytes, e.g. 128K. Raises ProvisioningError outside HEAP_RANGE."""
    low, high = _HEAP_RANGE_K
    if not re.fullmatch(r"\d+K", heap) or not low <= int(heap[:-1]) <= high:
        raise ProvisioningError(f"heap '{heap}' must be {HEAP_RANGE}")
    return heap


def free_port() -> int:
    """A port on 127.0.0.1 that nobody has now."""
    for _ in range(200):
        port = random.choice(_PORTS)  # noqa: S311 (nothing secret about it)
        if _is_free(port):
            return port
    raise ProvisioningError(f"no free port between {_PORTS.start} and {_PORTS.stop} on 127.0.0.1")


def write_private(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, readable by its owner only."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
