"""`make bench`: every figure beside its limit or a peer measured in the same run; printed, and written to bench.json.

A line: {"name", "value", "unit", "limit" or "peer", "peer_name", "goal", "ratio"}; ratio = value / limit or peer,
to be at most 1 beside a limit and at least `goal` beside a peer that has one.
"""

import importlib
import json
import platform
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]

PARTS = (
    "bench_flash",
    "bench_station",
    "bench_journal",
    "bench_booking",
    "bench_firmware",
    "bench_screens",
    "bench_touch",
    "bench_link",
    "bench_results",
    "bench_mails",
    "bench_rollout",
    "bench_flow",
    "bench_simulator",
    "bench_main_job",
)


def main(names: list[str]) -> None:
    """Run the named parts, or all."""
    figures = []
    for part in names or PARTS:
        began = time.monotonic()
        measured = importlib.import_module(f"tests.bench.{part}").measure()
        for figure in [measured] if isinstance(measured, dict) else measured:
            figures.append(_with_ratio(figure))
            print(_line(figures[-1]), flush=True)
        print(f"  ({part}: {time.monotonic() - began:.0f} s)", file=sys.stderr)
    if not names:
        where = f"{platform.machine()}, Python {platform.python_version()}"
        (ROOT / "bench.json").write_text(json.dumps({"where": where, "figures": figures}, indent=1) + "\n")


def _with_ratio(figure: dict) -> dict:
    against = figure.get("limit", figure.get("peer"))
    return {**figure, "ratio": round(figure["value"] / against, 4) if against else None}


def _line(figure: dict) -> str:
    value = f"{figure['value']:>12,.4g} {figure['unit']}"
    if "limit" in figure:
        beside = f"limit {figure['limit']:,.4g}"
    elif "peer" in figure:
        beside = f"{figure.get('peer_name', 'peer')} {figure['peer']:,.4g}"
    else:
        beside = ""
    ratio = f"ratio {figure['ratio']}" if figure["ratio"] is not None else ""
    if "goal" in figure:
        ratio += f" (goal {figure['goal']})"
    return f"{figure['name']:<52} {value:<28} {beside:<44} {ratio}"


if __name__ == "__main__":
    main(sys.argv[1:])
