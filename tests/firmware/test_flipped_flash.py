"""A bit that turns over at rest costs at most what lies under it; no seq is handed out twice for it."""

import sys

from nor import PATTERNS, Rng
from test_power_cuts import SECTOR_BYTES, SECTORS, life
from world import flip

ON_DEVICE = sys.implementation.name == "micropython"


def flips(seed, content, steps, every):
    """Flip bits all over the flash at every few operations of a life; returns how many."""
    count = 0
    rng = Rng(seed)
    for number, (sectors, _, promises) in enumerate(life(seed, content, steps)):
        if number % every:
            continue
        for pos in range(SECTORS):
            places = list(range(36)) + [rng.below(SECTOR_BYTES) for _ in range(12)]
            for offset in places:
                flip(sectors, promises, pos, offset, rng.below(8), count)
                count += 1
    return count


def test_a_flipped_bit_costs_only_what_lies_under_it():
    count = 0
    for seed, content in enumerate(PATTERNS[:1] if ON_DEVICE else PATTERNS):
        count += flips(seed + 40, content, 60 if ON_DEVICE else 200, 12)
    assert count > (500 if ON_DEVICE else 5000), count
