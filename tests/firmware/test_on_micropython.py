"""The same tests on the firmware's own interpreter, compiled as in the image, in a heap like the device's."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
# The heap that each is given: 192K is the most that the firmware may have; snapshots of flash need more
MODULES = {
    "test_record": "192K",
    "test_journal": "192K",
    "test_journal_epochs": "192K",
    "test_journal_wear": "192K",
    "test_protocol_vectors": "192K",
    "test_receipt_vectors": "192K",
    "test_set_hours": "64K",
    "test_power_cuts": "8M",
    "test_flipped_flash": "8M",
}


def names_in(module: str) -> list[str]:
    tree = ast.parse((HERE / f"{module}.py").read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name.startswith("test_")]


@pytest.mark.parametrize(
    ("module", "test"), [(module, name) for module in MODULES for name in names_in(module)]
)
def test_on_micropython(module: str, test: str, on_micropython: Callable[[str, str], dict[str, str]]) -> None:
    outcomes = on_micropython(module, MODULES[module])
    outcome = outcomes.get(test) or "did not run: " + outcomes.get("", "")
    if not outcome.startswith("passed"):
        pytest.fail(outcome)
