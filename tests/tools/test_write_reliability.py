"""The table of docs/reliability.md says what was noted, added up, and every test that it names exists."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests import effort, evidence

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_reliability", ROOT / "tools/write_reliability.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_notes_of_one_row_are_added_up(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes.jsonl"
    monkeypatch.setenv("HYMIO_EVIDENCE", str(notes))
    evidence.note("power cut", 1_000_000, "cuts", "tests/a.py::test_a")
    evidence.note("power cut", 234_567, "cuts", "tests/a.py::test_a")
    evidence.note("bit flip", 3, "bits", "tests/b.py::test_b", result="2 records lost, said so")
    text = writer.table(writer.rows(notes.read_text("utf-8").splitlines()), "today").replace(
        f"| {effort.LEVEL} |", "| test |"
    )
    assert (
        "| Power cut | 1\u00a0234\u00a0567 cuts | nothing lost, doubled or invented | test | `a.py::test_a` |"
        in text
    )
    assert "| Bit flip | 3 bits | 2 records lost, said so | test | `b.py::test_b` |" in text


def test_the_greatest_effort_counts(writer: ModuleType) -> None:
    note = {"fault": "power cut", "unit": "cuts", "test": "tests/a.py::test_a", "result": "", "seed": 0}
    lines = [
        json.dumps(note | {"count": 7, "effort": "torture"}),
        json.dumps(note | {"count": 1, "effort": "full"}),
    ]
    (row,) = writer.rows(lines)
    assert (row["count"], row["effort"]) == (7, "torture")


def test_without_a_file_nothing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYMIO_EVIDENCE", raising=False)
    monkeypatch.chdir(tmp_path)
    evidence.note("power cut", 1, "cuts", "tests/a.py::test_a")
    assert not list(tmp_path.iterdir())


def test_only_the_table_of_the_page_changes(writer: ModuleType) -> None:
    page = f"before\n{writer.BEGIN}\nold\n{writer.END}\nafter\n"
    assert writer.written(page, "new") == f"before\n{writer.BEGIN}\nnew\n{writer.END}\nafter\n"
    with pytest.raises(ValueError, match="are missing"):
        writer.written("no table", "new")


def test_a_run_that_noted_nothing_leaves_the_table_alone(writer: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("")
    before = writer.PAGE.read_text("utf-8")
    assert writer.main([str(tmp_path / "notes")]) == 1
    assert writer.PAGE.read_text("utf-8") == before


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs/reliability.md").read_text("utf-8")
    named = re.findall(r"`((?:[a-z_]+/)*test_[a-z_]+\.py)(?:::(test_[a-z0-9_]+)(?:\[[^`]*\])?)?`", page)
    assert named
    for file, name in named:
        path = ROOT / "tests" / file.removeprefix("tests/")
        assert path.is_file(), f"docs/reliability.md names {file}"
        if name:
            assert re.search(rf"def {name}\b", path.read_text("utf-8")), f"{file} has no {name}"


def test_a_note_is_one_line_of_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYMIO_EVIDENCE", str(tmp_path / "notes"))
    evidence.note("tietoliikenne – katko", 2, "times", "tests/a.py::test_a", "two\nlines")
    (line,) = (tmp_path / "notes").read_text("utf-8").splitlines()
    assert json.loads(line)["result"] == "two\nlines"
