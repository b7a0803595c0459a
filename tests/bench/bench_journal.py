"""How fast the power-cut sweep goes, beside what `make test` needs; and what the start of a full journal reads."""

import random
import sys
import time
from pathlib import Path

from kiosk import record
from kiosk.journal import Journal
from kiosk.ring import JournalFull

FOLDER = str(Path(__file__).resolve().parents[1] / "firmware")
if FOLDER not in sys.path:
    sys.path.append(FOLDER)

from cuts import Sweep  # noqa: E402
from lives import CONTENTS  # noqa: E402
from memo import memo  # noqa: E402
from nor import Nor  # noqa: E402

SECTORS = 256  # 1 MiB
CUTS = 3_000  # of each content
NEEDED = 250_000 / 120 / 2  # a quarter of a million in two minutes on two cores
READ_IN_300_MS = 300_000  # at 1 MB/s


def measure() -> list[dict]:
    """Cut points a second on one core; bytes and reads of a start with 1 MiB full of presses."""
    flash = _full()
    return [
        {
            "name": "power cuts swept a second, one core",
            "value": _cuts_a_second(),
            "unit": "cuts/s",
            "peer": NEEDED,
            "peer_name": "250 000 in 2 min on 2 cores",
            "goal": 1,
        },
        {
            "name": "boot of a full 1 MiB journal, bytes read",
            "value": flash.bytes_read,
            "unit": "B",
            "limit": READ_IN_300_MS,
        },
        {"name": "boot of a full 1 MiB journal, reads", "value": flash.reads, "unit": "reads"},
    ]


def _cuts_a_second() -> float:
    began = time.process_time()
    cuts = 0
    with memo():
        for seed, content in enumerate(CONTENTS):
            sweep = Sweep(CUTS)
            sweep.over(content, seed)
            cuts += sweep.cuts
    return cuts / (time.process_time() - began)


def _full() -> Nor:
    """The flash behind a start with as many presses as there is room for."""
    flash = Nor(SECTORS)
    journal = Journal(flash, random.Random(1).randbytes)
    try:
        while True:
            journal.append(record.KIND_ANSWER, set_number=1, value=5)
    except JournalFull:
        pass
    flash = Nor(flash.sectors)
    Journal(flash, random.Random(2).randbytes)
    return flash
