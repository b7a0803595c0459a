"""Where the tool keeps what it read out of kiosks: journal dumps, and which of them the server has confirmed.

    <folder>/<device id>-<UTC>.journal   a journal partition as it was read; may hold visitors' own words
    <folder>/confirmed.jsonl             SHA-256 of each journal whose every answer the server has booked

Invariant: a dump goes only after the server has confirmed it. Only the owner can read the folder.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from provisioning.virtual.folder import write_private

_CONFIRMED = "confirmed.jsonl"


class Dumps:
    """The folder, made when something is kept. `folder`: default $DATA_DIR/station, or data/station."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = folder or Path(os.environ.get("DATA_DIR", "data"), "station")

    def keep(self, device_id: str, journal: bytes) -> Path:
        """Writes a journal to disk, durable, before anything else happens to it."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.path / f"{device_id}-{datetime.now(UTC):%Y%m%dT%H%M%S}.journal"
        write_private(path, journal)
        return path

    def confirm(self, device_id: str, journal: bytes) -> None:
        """The server has booked all that this journal holds."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = {
            "sha256": hashlib.sha256(journal).hexdigest(),
            "id": device_id,
            "at": datetime.now(UTC).isoformat(),
        }
        descriptor = os.open(self.path / _CONFIRMED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(line) + "\n")

    def is_confirmed(self, journal: bytes) -> bool:
        """Whether exactly these bytes were harvested and confirmed."""
        digest = hashlib.sha256(journal).hexdigest()
        try:
            return digest in (self.path / _CONFIRMED).read_text("utf-8")
        except OSError:
            return False
