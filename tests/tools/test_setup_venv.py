"""What a newcomer hears whose machine is not ready: one clear line."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "tools" / "setup_venv.py"


@pytest.fixture
def setup():
    spec = importlib.util.spec_from_file_location("setup_venv", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(setup, capsys) -> str:
    with pytest.raises(SystemExit) as stopped:
        setup.check_python()
    assert stopped.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_a_python_that_is_too_old_is_named_with_its_version(setup, capsys, monkeypatch):
    monkeypatch.setattr(setup, "OLDEST", (9, 9))
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old" in said(setup, capsys)


def test_a_missing_venv_names_the_package_that_brings_it(setup, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert "apt install python3-venv" in said(setup, capsys)


def test_a_folder_that_cannot_be_written_is_named(setup, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written" in said(setup, capsys)


def test_the_file_can_be_read_by_old_pythons(setup):
    # No f-strings, walrus or type hints: a Python 3.5 must get as far as saying that it is too old.
    text = FILE.read_text()
    assert 'f"' not in text
    assert ":=" not in text
    assert "->" not in text
