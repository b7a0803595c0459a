"""The table of docs/reliability.md says what was noted, added up, and every test that it names exists."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

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


NOTE = {"fault": "power cut", "unit": "cuts", "test": "tests/a.py::test_a", "result": "", "seed": 0}


def noted(writer: ModuleType, *notes: dict[str, object], commit: str = "abc1234") -> list[Any]:
    rows: list[Any] = writer.noted([json.dumps(NOTE | note) for note in notes], commit)
    return rows


def test_notes_of_one_row_are_added_up(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes.jsonl"
    monkeypatch.setenv("HYMIO_EVIDENCE", str(notes))
    evidence.note("power cut", 1_000_000, "cuts", "tests/a.py::test_a")
    evidence.note("power cut", 234_567, "cuts", "tests/a.py::test_a")
    evidence.note("bit flip", 3, "bits", "tests/b.py::test_b", result="2 records lost, said so")
    rows = writer.noted(notes.read_text("utf-8").splitlines(), "abc1234")
    done = "nothing lost, doubled or invented"
    assert [str(row) for row in rows] == [
        f"| Power cut | 1\u00a0234\u00a0567 cuts | {done} | {effort.LEVEL} | abc1234 | `a.py::test_a` |",
        f"| Bit flip | 3 bits | 2 records lost, said so | {effort.LEVEL} | abc1234 | `b.py::test_b` |",
    ]


def test_the_greatest_effort_counts(writer: ModuleType) -> None:
    (row,) = noted(writer, {"count": 7, "effort": "torture"}, {"count": 1, "effort": "full"})
    assert (row.count, row.effort) == (7, "torture")


def test_a_part_that_was_run_leaves_the_rows_of_others(
    writer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "exists", lambda test: test != "gone.py::test_gone")
    before = noted(
        writer,
        {"count": 5, "effort": "full", "test": "tests/much.py::test_much"},
        {"count": 5, "effort": "test", "test": "tests/other.py::test_other"},
        {"count": 5, "effort": "test", "test": "tests/gone.py::test_gone"},
        {"count": 5, "effort": "test", "fault": "a fault that it does no more"},
        {"count": 5, "effort": "test"},
        commit="1111111",
    )
    now = noted(
        writer,
        {"count": 1, "effort": "test", "test": "tests/much.py::test_much"},
        {"count": 9, "effort": "test"},
        commit="2222222",
    )
    assert [(row.test, row.fault, row.count, row.commit) for row in writer.merged(before, now)] == [
        ("a.py::test_a", "Power cut", 9, "2222222"),
        ("much.py::test_much", "Power cut", 5, "1111111"),
        ("other.py::test_other", "Power cut", 5, "1111111"),
    ]


def test_what_is_written_is_read_again(writer: ModuleType) -> None:
    page = writer.PAGE.read_text("utf-8")
    rows = writer.stored(page)
    assert len(rows) > 50
    assert writer.written(page, rows) == page
    with pytest.raises(ValueError, match=re.escape("no row of this table: | by hand |")):
        writer.stored(f"{writer.BEGIN}\n| by hand |\n{writer.END}")


def test_without_a_file_nothing_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYMIO_EVIDENCE", raising=False)
    monkeypatch.chdir(tmp_path)
    evidence.note("power cut", 1, "cuts", "tests/a.py::test_a")
    assert not list(tmp_path.iterdir())


def test_only_the_table_of_the_page_changes(writer: ModuleType) -> None:
    page = f"before\n{writer.BEGIN}\n{writer.END}\nafter\n"
    (row,) = rows = noted(writer, {"count": 7, "effort": "test"})
    table = "\n".join([writer.BEGIN, *writer.HEAD, str(row), writer.END])
    assert writer.written(page, rows) == f"before\n{table}\nafter\n"
    with pytest.raises(ValueError, match="are missing"):
        writer.written("no table", rows)


def test_a_run_that_noted_nothing_leaves_the_table_alone(writer: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("")
    before = writer.PAGE.read_text("utf-8")
    assert writer.main([str(tmp_path / "notes"), str(tmp_path / "none")]) == 0
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
