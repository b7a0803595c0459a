"""The drivers' tests again on the firmware's own interpreter, compiled as in the image."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
HEAP = "1M"  # the scripted bus keeps every byte that was sent, a whole screen of them
MODULES = sorted(path.stem for path in HERE.glob("test_*.py") if "import pytest" not in path.read_text())


def names_in(module: str) -> list[str]:
    tree = ast.parse((HERE / f"{module}.py").read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return sorted(name for name in names if name.startswith("test_"))


@pytest.mark.parametrize("module", MODULES)
def test_every_test_passes_on_micropython(module: str, on_micropython: Callable[[str, str], str]) -> None:
    output = on_micropython(module, HEAP)
    passed = [f"{module} {test} passed" for test in names_in(module)]
    assert output.splitlines() == [*passed, "done"]
