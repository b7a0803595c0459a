"""Write the table of docs/reliability.md from what the tests noted (tests/evidence.py): `make full` and `make torture`
end with it.

A test's rows are replaced by those of its last run, unless that did less than the one before. Rows of other tests stay,
so that a part can be run; rows of tests that are gone go. A fault whose test failed noted nothing.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
LEVELS = ("test", "full", "torture")
NOTHING_LOST = "nothing lost, doubled or invented"
HEAD = ["| What was injected | How often | Result | Effort | Commit | Test |", "|---|---:|---|---|---|---|"]
LINE = re.compile(r"\| (.+) \| ([0-9\u00a0]+) (.+) \| (.+) \| (\w+) \| (\w+) \| `(.+)` \|")


class Row(NamedTuple):
    """A line of the table. `count` of `unit`; `test`: below tests/; in the order in which they stand."""

    test: str
    fault: str
    unit: str
    count: int
    result: str
    effort: str
    commit: str

    def __str__(self) -> str:
        often = f"{self.count:,}".replace(",", "\N{NO-BREAK SPACE}")
        return (
            f"| {self.fault} | {often} {self.unit} | {self.result} | {self.effort} | {self.commit} "
            f"| `{self.test}` |"
        )


def noted(lines: list[str], commit: str) -> list[Row]:
    """The notes added up by fault and test; of each test those of its greatest effort."""
    notes = [json.loads(line) for line in lines]
    greatest: dict[str, int] = {}
    for note in notes:
        greatest[note["test"]] = max(greatest.get(note["test"], 0), LEVELS.index(note["effort"]))
    found: dict[tuple[str, str, str], Row] = {}
    for note in notes:
        if LEVELS.index(note["effort"]) < greatest[note["test"]]:
            continue
        fault = note["fault"][0].upper() + note["fault"][1:]
        key = (note["test"].removeprefix("tests/"), fault, note["unit"])
        row = found.get(key) or Row(*key, 0, NOTHING_LOST, note["effort"], commit)
        found[key] = row._replace(count=row.count + note["count"], result=note["result"] or row.result)
    return list(found.values())


def stored(page: str) -> list[Row]:
    """The rows of the page's table. Raises ValueError when a line of it is none that this program wrote."""
    rows = []
    for line in _split(page)[1].splitlines():
        if not line or line in HEAD:
            continue
        match = LINE.fullmatch(line)
        if not match:
            raise ValueError(f"{PAGE.name}: no row of this table: {line}")
        fault, count, unit, result, effort, commit, test = match.groups()
        rows.append(Row(test, fault, unit, int(count.replace("\u00a0", "")), result, effort, commit))
    return rows


def merged(before: list[Row], now: list[Row]) -> list[Row]:
    """What the table says after a run: see the module's first lines."""

    def level(rows: list[Row], test: str) -> int:
        return max([LEVELS.index(row.effort) for row in rows if row.test == test], default=-1)

    newer = {row.test for row in now if level(now, row.test) >= level(before, row.test)}
    kept = [row for row in before if row.test not in newer and exists(row.test)]
    return sorted(kept + [row for row in now if row.test in newer])


def exists(test: str) -> bool:
    """Whether the test that a row names is there."""
    file, _, name = test.partition("::")
    path = ROOT / "tests" / file
    return (
        path.is_file() and re.search(rf"def {name.partition('[')[0]}\b", path.read_text("utf-8")) is not None
    )


def written(page: str, rows: list[Row]) -> str:
    """The page with these rows in its table. Raises ValueError when the page has no place for one."""
    before, _, after = _split(page)
    return "\n".join([before + BEGIN, *HEAD, *map(str, rows), END + after])


def _split(page: str) -> tuple[str, str, str]:
    before, begin, rest = page.partition(BEGIN)
    table, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name}: the lines {BEGIN} and {END} are missing")
    return before, table, after


def _commit() -> str:
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "none"


def main(files: list[str]) -> int:
    """Read the notes in `files`, write the page."""
    there = [path for path in map(Path, files) if path.exists()]
    lines = [line for path in there for line in path.read_text("utf-8").splitlines() if line.strip()]
    if not lines:
        print(f"{PAGE.relative_to(ROOT)}: nothing was noted, so the table stays as it is")
        return 0
    page = PAGE.read_text("utf-8")
    rows = merged(stored(page), noted(lines, _commit()))
    PAGE.write_text(written(page, rows), "utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
