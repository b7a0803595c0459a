"""One power cut again, as the failing sweep named it: .venv/bin/python -m tests.firmware.replay_cut blank 7 133 5 12

Content and seed of the life, operation, model, and for a second cut the recovery's operation (tests/firmware/cuts.py).
Ends with the exception that the cut raised, or says that no promise broke.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "firmware")]

import cuts  # noqa: E402
from lives import CONTENTS  # noqa: E402


def main(content: str, *numbers: str) -> None:
    if content not in CONTENTS or not 3 <= len(numbers) <= 4:
        raise SystemExit(
            f"usage: replay_cut CONTENT SEED OPERATION MODEL [OPERATION]; CONTENT one of {CONTENTS}"
        )
    print(f"{cuts.replay(content, *map(int, numbers))}: no promise is broken")


if __name__ == "__main__":
    main(*sys.argv[1:])
