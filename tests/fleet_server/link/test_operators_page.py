"""What docs/operations.md says is what there is: every setting, and the ACL that Mosquitto is tested with."""

from pathlib import Path

import pytest

from fleet_server.settings import Settings
from tests.fleet_server.link.mosquitto import ACL

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_its_line_with_its_default(name: str) -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith(f"| `{name.upper()}` |")]
    assert len(lines) == 1, f"docs/operations.md has no line for {name.upper()}"
    default = Settings.model_fields[name].default
    shown = {"": "empty", "None": "none", "False": "`false`"}.get(str(default), f"`{default}`")
    assert lines[0].split("|")[2].strip() == shown


def test_no_setting_is_described_that_does_not_exist() -> None:
    table = PAGE.split("## Settings")[1].split("## ")[0]
    named = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_acl_of_the_page_is_the_one_under_test() -> None:
    assert ACL in PAGE
