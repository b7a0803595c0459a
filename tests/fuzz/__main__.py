"""One case again: `python -m tests.fuzz TARGET SEED`. Shows what it was made of and how it ends."""

import sys
from pathlib import Path

for folder in (".", "firmware"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / folder))

from tests.fuzz.inputs import CASES  # noqa: E402
from tests.fuzz.targets import targets  # noqa: E402


def main(name: str, seed: int) -> None:
    """Do it; whatever it raises comes with its trace."""
    target = targets()[name]
    case = CASES[target.cases](seed)
    print(f"valid   {case.original!r}\nchanged {case.data!r}\nsealed  {case.sealed}", flush=True)
    print(f"held; the check gave {target.check(case)!r}")


if len(sys.argv) != 3 or not sys.argv[2].isdigit() or sys.argv[1] not in targets():
    sys.exit(f"{__doc__}\nTARGET: {', '.join(name for name in targets() if not name.endswith('-many'))}")
main(sys.argv[1], int(sys.argv[2]))
