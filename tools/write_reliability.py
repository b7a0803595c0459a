"""Write the table of docs/reliability.md from what the tests noted (tests/evidence.py): `make full` and `make torture`
end with it.

Only whole runs count: a fault whose test failed noted nothing, and its row is then missing, not old.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
LEVELS = ("test", "full", "torture")
NOTHING_LOST = "nothing lost, doubled or invented"


def rows(lines: list[str]) -> list[dict[str, Any]]:
    """The notes added up by fault and test, in the order of their tests; of each test those of its greatest effort."""
    notes = [json.loads(line) for line in lines]
    greatest: dict[str, int] = {}
    for note in notes:
        greatest[note["test"]] = max(greatest.get(note["test"], 0), LEVELS.index(note["effort"]))
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for note in notes:
        if LEVELS.index(note["effort"]) < greatest[note["test"]]:
            continue
        key = (note["test"], note["fault"], note["unit"])
        row = found.setdefault(key, note | {"count": 0})
        row["count"] += note["count"]
        row["result"] = note["result"] or row["result"]
    return [found[key] for key in sorted(found)]


def table(notes: list[dict[str, Any]], when: str) -> str:
    """The notes as a table in Markdown, with a line that says which run they are from."""
    head = ["| What was injected | How often | Result | Effort | Test |", "|---|---:|---|---|---|"]
    body = []
    for row in notes:
        fault = row["fault"][0].upper() + row["fault"][1:]
        result = row["result"] or NOTHING_LOST
        test = row["test"].removeprefix("tests/")
        often = f"{_number(row['count'])} {row['unit']}"
        body.append(f"| {fault} | {often} | {result} | {row['effort']} | `{test}` |")
    return "\n".join([f"As of {when}.", "", *head, *body])


def written(page: str, text: str) -> str:
    """The page with `text` in the place of its table. Raises ValueError when the page has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name}: the lines {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _number(count: int) -> str:
    """1234567 as 1 234 567, with spaces that do not break."""
    return f"{count:,}".replace(",", "\N{NO-BREAK SPACE}")


def _when() -> str:
    git = ["git", "-C", str(ROOT), "log", "-1", "--format=commit %h, %cs"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "a tree without a history"


def main(files: list[str]) -> int:
    """Read the notes in `files`, write the page."""
    lines = [line for name in files for line in Path(name).read_text("utf-8").splitlines() if line.strip()]
    if not lines:
        print("write_reliability: nothing was noted, so the table stays as it is", file=sys.stderr)
        return 1
    PAGE.write_text(written(PAGE.read_text("utf-8"), table(rows(lines), _when())), "utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(rows(lines))} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
