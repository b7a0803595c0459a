"""A period stands out when it goes beyond chance, or when eight in a row lean to one side; never for few answers."""

import random
from collections.abc import Sequence

import pytest

from fleet_server.results.control import Control, control
from fleet_server.results.items import Item, Point, headline
from fleet_server.results.models import VALUES, Series
from fleet_server.results.scores import Figures


def item(kind: str, periods: Sequence[dict[int, int]]) -> Item:
    """A course with these {value: answers}, a week each."""
    course = []
    for start, counts in enumerate(periods):
        figures = Figures(
            sum(counts.values()), 0, tuple(counts.get(value, 0) for value in range(len(VALUES)))
        )
        course.append(Point(start, figures, headline(kind, figures)))
    return Item(
        Series(id=1, code="Q", type=kind, first_set=1, body="{}"),
        "Q",
        course[0].figures,
        None,
        None,
        (),
        tuple(course),
    )


def shares(*good_of_hundred: int, n: int = 100) -> Control:
    found = control(
        item("smiley5", [{5: n * good // 100, 1: n - n * good // 100} for good in good_of_hundred])
    )
    assert found is not None
    return found


def test_a_week_beyond_three_standard_errors_stands_out_and_its_neighbours_do_not() -> None:
    found = shares(80, 82, 78, 80, 81, 79, 80, 60)
    assert [verdict.beyond for verdict in found.verdicts] == [""] * 7 + ["below"]
    limits = found.verdicts[-1].limits
    assert limits is not None
    assert limits == pytest.approx((0.8 - 0.12, 0.8 + 0.12), abs=1e-9)  # 3 * sqrt(.8 * .2 / 100)
    assert not shares(80, 82, 78, 80, 81, 79, 80, 69).remarkable


def test_the_newest_period_does_not_move_its_own_limits() -> None:
    assert shares(80, 82, 78, 80, 81, 79, 80, 60).centre == shares(80, 82, 78, 80, 81, 79, 80, 99).centre


def test_limits_widen_with_few_answers_and_are_left_out_where_chance_cannot_be_told() -> None:
    weeks = [{5: 80, 1: 20}] * 7
    few = control(item("smiley5", [*weeks, {5: 30, 1: 10}]))
    fewer = control(item("smiley5", [*weeks, {1: 5}]))
    assert few is not None
    assert fewer is not None
    wide, narrow = few.verdicts[-1].limits, few.verdicts[0].limits
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low
    assert fewer.verdicts[-1] == type(fewer.verdicts[-1])()


def test_eight_in_a_row_on_one_side_stand_out_and_seven_do_not() -> None:
    low, high = [79] * 8, [81] * 8
    assert [verdict.run for verdict in shares(*low, *high, 80).verdicts] == ["below"] * 8 + ["above"] * 8 + [
        ""
    ]
    assert not shares(*low[:7], *high[:7], *low[:7], *high[:7], 80).remarkable


def test_the_nps_has_limits_by_its_multinomial_variance() -> None:
    found = control(item("nps", [{10: 60, 7: 20, 3: 20}] * 7))
    assert found is not None
    assert found.centre == pytest.approx(40)
    limits = found.verdicts[0].limits
    assert limits is not None
    assert limits.high - found.centre == pytest.approx(3 * 100 * ((0.8 - 0.16) / 100) ** 0.5)


def test_chance_alone_is_seldom_called_remarkable() -> None:
    """By the rules' own rates about one course of 13 weeks in 20 has a point that stands out; never one in five."""
    chance = random.Random(13)
    alarms = 0
    for _ in range(200):
        weeks = [sum(chance.random() < 0.8 for _ in range(150)) for _ in range(13)]
        found = control(item("smiley5", [{5: good, 1: 150 - good} for good in weeks]))
        assert found is not None
        alarms += found.remarkable
    assert alarms < 40


def test_weeks_that_differ_by_more_than_drawing_answers_explains_do_not_all_stand_out() -> None:
    found = shares(78, 82, 79, 83, 77, 82, 78, 83, 79, n=10_000)
    assert not found.remarkable


def test_few_answers_near_the_end_of_the_scale_are_in_no_row_of_eight() -> None:
    """Ten answers a week of which nearly all are good: most weeks lie above the mean, by chance alone."""
    small = [{5: 8, 1: 2}, *[{5: 10}] * 11, {5: 9, 1: 1}]
    assert control(item("smiley5", small)) is None
    mixed = control(item("smiley5", [*small, {5: 400, 1: 7}]))
    assert mixed is not None
    assert not mixed.remarkable


def test_too_few_periods_and_one_answer_for_all_have_no_limits() -> None:
    assert control(item("smiley5", [{5: 80, 1: 20}] * 6)) is None
    assert control(item("smiley5", [{5: 80}] * 9)) is None
