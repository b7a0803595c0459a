"""Type-checks the firmware against MicroPython's own stubs; firmware/mypy.ini says how and why."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUBS = ROOT / ".venv" / "firmware-stubs"  # see tools/firmware-stubs.txt


def main() -> int:
    """Exit code of mypy."""
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--custom-typeshed-dir", str(STUBS)]
    return subprocess.run(
        command, cwd=ROOT / "firmware", env={**os.environ, "MYPYPATH": str(STUBS)}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
