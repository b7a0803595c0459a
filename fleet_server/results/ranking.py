"""Which parts of a whole do better or worse than it beyond chance. Arithmetic alone; it makes no league table.

Each part is held against the whole that it belongs to, as in a funnel plot (D. J. Spiegelhalter, Funnel plots for
comparing institutional performance, Statistics in Medicine 24, 2005): were all alike, a part's figure would lie around
the whole's with the variance s²(1/n - 1/N), of n answers among N. As many parts make many chances to be wrong, the
share of false findings is held to 5 % (Y. Benjamini, Y. Hochberg, Controlling the False Discovery Rate, JRSS B 57,
1995). Invariant: parts of one group are in no order of merit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Literal

from fleet_server.results.intervals import Estimate
from fleet_server.results.items import at_ceiling, best, headline
from fleet_server.results.scores import Figures

FALSE_FINDINGS = 0.05
_ENOUGH = 5  # n times the variance: below it the normal distribution says nothing of so few answers

Group = Literal["above", "alike", "below"]


@dataclass(frozen=True)
class Part:
    """A part's figure and its group. `few`: too few answers to tell, so it is `alike`."""

    estimate: Estimate
    group: Group
    few: bool


@dataclass(frozen=True)
class Ranking:
    """The whole's figure, and for each part (None: without answers). `ceiling`: shares of the best answer."""

    whole: Estimate
    parts: tuple[Part | None, ...]
    ceiling: bool


def rank(kind: str, whole: Figures, parts: Sequence[Figures]) -> Ranking | None:
    """Group the parts of a whole by a question of this type; None where it has no headline, or no answers."""
    ceiling = at_ceiling(kind, whole)

    def figure(figures: Figures) -> Estimate | None:
        return best(kind, figures) if ceiling else headline(kind, figures)

    middle = figure(whole)
    if middle is None:
        return None
    variance, unit = _variance(kind, whole, middle.value)
    estimates = [figure(part) for part in parts]
    tested: dict[int, float] = {}
    for at, estimate in enumerate(estimates):
        if estimate and estimate.n * variance >= _ENOUGH * unit and estimate.n < middle.n:
            error = sqrt(variance * (1 / estimate.n - 1 / middle.n))
            tested[at] = erfc(abs(estimate.value - middle.value) / error / sqrt(2))
    found = _discoveries(tested)
    placed = tuple(
        None
        if estimate is None
        else Part(
            estimate,
            "alike" if at not in found else "above" if estimate.value > middle.value else "below",
            at not in tested,
        )
        for at, estimate in enumerate(estimates)
    )
    return Ranking(middle, placed, ceiling)


def _variance(kind: str, whole: Figures, middle: float) -> tuple[float, float]:
    """Of one answer, in the square of the headline's unit; and that unit's square."""
    if kind != "nps":
        return middle * (1 - middle), 1.0
    n = sum(whole.values)
    extremes = sum(whole.values[:7]) + sum(whole.values[9:11])
    return 10_000 * (extremes / n - (middle / 100) ** 2), 10_000.0


def _discoveries(tested: dict[int, float]) -> set[int]:
    """Those of {part: p} that Benjamini and Hochberg call different."""
    ordered = sorted(tested, key=lambda at: tested[at])
    most = 0
    for count, at in enumerate(ordered, 1):
        if tested[at] <= FALSE_FINDINGS * count / len(ordered):
            most = count
    return set(ordered[:most])
