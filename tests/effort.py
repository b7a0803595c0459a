"""How much the tests that scale do: `make test` a little, `make full` more, `make torture` most; and from which seed.

HYMIO_EFFORT is `test` (default), `full` or `torture`; HYMIO_SEED the number from which random lives are counted on, so
that another run tries others: pytest prints it, and the same number does the same again.
"""

import os
from typing import TypeVar

LEVELS = ("test", "full", "torture")
LEVEL = os.environ.get("HYMIO_EFFORT", "test")
SEED = int(os.environ.get("HYMIO_SEED", "0"))

if LEVEL not in LEVELS:
    raise ValueError(f"HYMIO_EFFORT={LEVEL}: it is one of {', '.join(LEVELS)}")

Amount = TypeVar("Amount")


def pick(test: Amount, full: Amount, torture: Amount) -> Amount:
    """What to do at this level of effort."""
    return {"test": test, "full": full, "torture": torture}[LEVEL]


def seeds(count: int) -> range:
    """`count` seeds, others for each HYMIO_SEED (seed 0 of the next number follows the last of this one)."""
    return range(SEED * count, (SEED + 1) * count)
