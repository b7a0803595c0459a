"""The intervals are those of their sources, and no figure lies outside of its own."""

from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_server.results import intervals


def test_wilson_is_the_published_one() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 and 15 of 148, 0 of 20, 1 of 29 (method 3)."""
    for count, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = intervals.share(count, n)
        assert found is not None
        assert isclose(found.low, low, abs_tol=5e-5)
        assert isclose(found.high, high, abs_tol=5e-5)


def test_nps_has_the_variance_of_a_multinomial() -> None:
    """60 promoters, 30 passives, 10 detractors: 50, variance 0.7 - 0.25, so 1.96 sqrt(0.0045) to each side."""
    found = intervals.nps({10: 40, 9: 20, 8: 30, 6: 7, 0: 3})
    assert found is not None
    assert found.value == 50
    assert isclose(found.high - found.value, 196 * 0.0045**0.5, rel_tol=1e-3)
    assert isclose(found.value - found.low, found.high - found.value)


def test_of_no_answers_there_is_no_figure() -> None:
    assert intervals.share(0, 0) is intervals.nps({}) is intervals.mean({}) is None
    with pytest.raises(ValueError, match="3 of 2"):
        intervals.share(3, 2)


@settings(deadline=None)  # a busy machine is no fault of an interval
@given(st.dictionaries(st.integers(0, 10), st.integers(0, 10_000), max_size=11))
def test_a_figure_lies_in_its_interval_and_that_in_the_scale(counts: dict[int, int]) -> None:
    n = sum(counts.values())
    for found, least, most in (
        (intervals.nps(counts), -100, 100),
        (intervals.mean(counts), 0, 10),
        (intervals.share(counts.get(0, 0), n), 0, 1),
    ):
        assert (found is None) == (n == 0)
        if found is not None:
            assert least <= found.low <= found.value + 1e-9
            assert found.value - 1e-9 <= found.high <= most
            assert found.n == n
