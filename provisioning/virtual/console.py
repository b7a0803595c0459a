"""A kiosk's console on disk: two files of bounded size, the older half in `<name>.1`. Knows no meaning of a
line.
"""

import time
from pathlib import Path

_MAX_BYTES = 256 * 1024
_MAX_LINE = 2000


class Console:
    """Appends lines with the time (UTC). A disk that is full loses the log, never the kiosk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.failed = 0

    def write(self, line: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            with self._path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{stamp} {line[:_MAX_LINE]}\n")
                full = file.tell() > _MAX_BYTES
            if full:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
        except OSError:
            self.failed += 1
