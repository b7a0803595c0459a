"""Kiosk-days that the simulator of tests/simulator lives through in a second on one core."""

from time import perf_counter
from typing import Any

from tests.simulator.life import DAYS, KIOSKS, Life

SEEDS = range(4)
# `make test` has 40 weeks of five kiosks, and 80 s on two cores for them.
NEEDED = 40 * KIOSKS * DAYS / 80 / 2


def measure() -> dict[str, Any]:
    """The mean over a few lives, after one that is not counted (it migrates the database)."""
    Life(SEEDS.stop).run()
    began = perf_counter()
    for seed in SEEDS:
        Life(seed).run()
    return {
        "name": "simulated kiosk-days",
        "value": round(len(SEEDS) * KIOSKS * DAYS / (perf_counter() - began), 1),
        "unit": "a second",
        "peer_name": "40 weeks in 80 s on two cores",
        "peer": NEEDED,
        "goal": 1,
    }
