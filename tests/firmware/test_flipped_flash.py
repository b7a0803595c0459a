"""What turns over at rest costs at most what lies under it; no seq is handed out twice for it.

Some bits of many moments, on both interpreters; test_every_bit.py turns every bit.
"""

import sys

from flips import Rest
from lives import CONTENTS, SECTOR_BYTES, SECTORS, life
from nor import Rng

ON_DEVICE = sys.implementation.name == "micropython"


def flips(seed, content, steps, every):
    """Flip bits all over the flash at every few operations of a life; returns how many."""
    count = 0
    rng = Rng(seed)
    for number, (sectors, _, promises) in enumerate(life(content, seed, steps)):
        if number % every:
            continue
        rest = Rest(sectors, promises)
        for pos in range(SECTORS):
            places = list(range(36)) + [rng.below(SECTOR_BYTES) for _ in range(12)]
            for offset in places:
                rest.flip(pos, offset, rng.below(8), count)
                count += 1
    return count


def blots(seed, content, steps, every):
    """The same with stretches of up to four presses behind a header; returns how many."""
    count = 0
    rng = Rng(seed)
    for number, (sectors, _, promises) in enumerate(life(content, seed, steps)):
        if number % every:
            continue
        rest = Rest(sectors, promises)
        for pos in range(SECTORS):
            for start in range(32, SECTOR_BYTES, 28):
                rest.blot(pos, start, min(SECTOR_BYTES, start + 1 + rng.below(112)), count)
                count += 1
    return count


def test_a_flipped_bit_costs_only_what_lies_under_it():
    count = 0
    for seed, content in enumerate(CONTENTS[:1] if ON_DEVICE else CONTENTS):
        count += flips(seed + 40, content, 60 if ON_DEVICE else 120, 24)
    assert count > (500 if ON_DEVICE else 5000), count


def test_a_damaged_stretch_costs_only_the_records_that_it_touches():
    count = 0
    for seed, content in enumerate(CONTENTS[:1] if ON_DEVICE else CONTENTS):
        count += blots(seed + 60, content, 60 if ON_DEVICE else 120, 24)
    assert count > (100 if ON_DEVICE else 1000), count
