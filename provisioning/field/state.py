"""How far the work on each device is, in a file for its owner alone: after any interruption the tool goes on there.

Invariants: a device's key is on the disk before the server hears it, its identity before anything is written to a
board; the identity is forgotten once the server has seen the device.
"""

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO

from provisioning.errors import ProvisioningError
from provisioning.virtual.folder import write_private

_VERSION = 1


@dataclass
class Progress:
    """One device. `identity`: the fields of an identity file while they are needed; `flashed`: the port of the board
    that holds it, `mac`: that board's; `seconds`: until it was seen."""

    key: str = field(default_factory=lambda: secrets.token_hex(16))
    report_key: str = field(default_factory=lambda: secrets.token_hex(16))
    id: str = ""
    model: str = ""
    place: int | None = None
    identity: dict[str, Any] | None = None
    written: str = ""
    flashed: str = ""
    mac: str = ""
    seen: bool = False
    firmware: str = ""
    seconds: float | None = None
    report: str = ""


class StateFile:
    """The file, held by one process at a time. `server`: whose devices these are."""

    def __init__(self, path: Path, server: str) -> None:
        self.path = path
        self._server = server
        self._lock = _hold(path)
        self.rows = self._read()

    def of(self, name: str) -> Progress:
        """The progress of a device; a new key is on the disk before this returns."""
        if name not in self.rows:
            self.rows[name] = Progress()
            self.save()
        return self.rows[name]

    def save(self) -> None:
        """Write it whole, and to the disk."""
        content = {
            "version": _VERSION,
            "server": self._server,
            "devices": {name: asdict(row) for name, row in self.rows.items()},
        }
        try:
            write_private(self.path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())
        except OSError as error:
            raise ProvisioningError(f"{self.path} cannot be written ({error.strerror or error})") from error

    def close(self) -> None:
        """Let others have it."""
        self._lock.close()

    def _read(self) -> dict[str, Progress]:
        if not self.path.exists():
            return {}
        try:
            content = json.loads(self.path.read_text("utf-8"))
            server, devices = content["server"], content["devices"]
            known = {one.name for one in fields(Progress)}
            rows = {
                name: Progress(**{k: v for k, v in row.items() if k in known})
                for name, row in devices.items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ProvisioningError(
                f"{self.path} is damaged ({error}); move it away to begin anew"
            ) from error
        if server != self._server:
            raise ProvisioningError(
                f"{self.path} is of server {server}, not {self._server}; give another --state, or that server"
            )
        return rows


def _hold(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = (path.parent / f".{path.name}.lock").open("w")
    except OSError as error:
        raise ProvisioningError(f"{path.parent} cannot be written ({error.strerror or error})") from error
    os.chmod(lock.name, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ProvisioningError(f"{path} is in use: the tool runs already; wait for it, or end it") from error
    return lock
