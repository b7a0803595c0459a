"""`python -m tests.simulator SEED… [--trace]`, `--seeds FROM TO`: live these lives and say how each ended."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]


def main() -> int:
    """Returns how many lives broke a promise, 100 at most."""
    from tests.simulator.history import Broken
    from tests.simulator.life import DAYS, KIOSKS, Life

    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("seed", type=int, nargs="*")
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FROM", "TO"), default=(0, 0))
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    parser.add_argument(
        "--certain", default="", metavar="KIND", help="adversity that each life has, as clone"
    )
    options = parser.parse_args()
    broken, faults, outcomes, began = [], Counter[str](), Counter[str](), time.perf_counter()
    seeds = [*options.seed, *range(*options.seeds)]
    for seed in seeds:
        started = time.process_time()
        try:
            history = Life(seed, print if options.trace else None, options.certain).run()
        except Broken as fault:
            broken.append(seed)
            print(fault, flush=True)
        else:
            faults += history.faults
            outcomes += history.outcomes
            used = time.process_time() - started
            told = ", ".join(f"{number} {name}" for name, number in history.outcomes.items())
            print(f"seed {seed}: well, {told}; {used:.1f} s of processor", flush=True)
    seconds = time.perf_counter() - began
    for name, number in (*faults.most_common(), *((f"answers {name}", n) for name, n in outcomes.items())):
        print(f"{number:>9}  {name}")
    days = len(seeds) * KIOSKS * DAYS
    print(
        f"{len(seeds)} lives, {days} kiosk-days in {seconds:.1f} s ({days / seconds:.0f} a second); broken: {broken}"
    )
    return min(len(broken), 100)


if __name__ == "__main__":
    sys.exit(main())
