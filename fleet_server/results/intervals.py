"""How far chance may have moved a figure: 95 % intervals. Arithmetic alone.

NPS: normal approximation with the variance of a multinomial, Var = (p + d - (p - d)^2) / n with the shares p of
promoters and d of detractors (B. Rocks, Interval Estimation for the "Net Promoter Score", The American Statistician 70,
2016).
Shares: Wilson's score interval (E. B. Wilson, JASA 22, 1927), which holds for small n and near 0 and 1. Means: normal
approximation with the variance of the answers. All treat the answers as a sample of the visitors that there could have
been; they say nothing of those who passed by without pressing.
"""

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

Z_95 = 1.959963984540054


class Estimate(NamedTuple):
    """A figure from `n` answers with the interval [low, high]."""

    value: float
    low: float
    high: float
    n: int


def share(count: int, n: int) -> Estimate | None:
    """`count` of `n` as a share of 1; None for no answers. Raises ValueError when there are more than all."""
    if not 0 <= count <= n:
        raise ValueError(f"{count} of {n}")
    if n == 0:
        return None
    p, z2 = count / n, Z_95 * Z_95
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = Z_95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # Rounding must not part a figure from its own interval.
    return Estimate(p, min(p, max(0.0, middle - reach)), max(p, min(1.0, middle + reach)), n)


def nps(counts: Mapping[int, int]) -> Estimate | None:
    """The net promoter score, -100 to 100, of {0 … 10: answers}; None for no answers."""
    n = sum(counts.values())
    if n == 0:
        return None
    promoters = sum(count for value, count in counts.items() if value >= 9) / n
    detractors = sum(count for value, count in counts.items() if value <= 6) / n
    score = promoters - detractors
    reach = Z_95 * sqrt(max(0.0, promoters + detractors - score * score) / n)
    return Estimate(100 * score, 100 * max(-1.0, score - reach), 100 * min(1.0, score + reach), n)


def mean(counts: Mapping[int, int]) -> Estimate | None:
    """The mean of {value: answers} within the range of the values; None for no answers, no interval for one."""
    n = sum(counts.values())
    if n == 0:
        return None
    middle = sum(value * count for value, count in counts.items()) / n
    if n == 1:
        return Estimate(middle, middle, middle, 1)
    variance = sum(count * (value - middle) ** 2 for value, count in counts.items()) / (n - 1)
    reach = Z_95 * sqrt(variance / n)
    return Estimate(middle, max(min(counts), middle - reach), min(max(counts), middle + reach), n)


def apart(one: Estimate, other: Estimate) -> bool:
    """Whether two figures differ by more than chance explains: 95 %, from half the width of their intervals.

    They are taken for independent; of a part and its whole that says "beyond chance" too seldom, never too often.
    """
    reach = sqrt(((one.high - one.low) / 2) ** 2 + ((other.high - other.low) / 2) ** 2)
    return abs(one.value - other.value) > reach
