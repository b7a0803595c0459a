"""A part is called better or worse only beyond chance, however many parts there are; and few answers never are."""

import random

import pytest

from fleet_server.results.models import VALUES
from fleet_server.results.ranking import Ranking, rank
from fleet_server.results.scores import NONE, Figures


def figures(**counts: int) -> Figures:
    """figures(v5=80, v1=20)."""
    values = tuple(counts.get(name, 0) for name in VALUES)
    return Figures(sum(values), 0, values)


def ranked(*good_of: tuple[int, int]) -> Ranking:
    """Parts with so many positive of so many answers."""
    parts = [figures(v4=good, v1=n - good) for good, n in good_of]
    whole = NONE
    for part in parts:
        whole = whole.plus(part)
    found = rank("smiley5", whole, parts)
    assert found is not None
    return found


def groups(ranking: Ranking) -> list[str]:
    return [part.group if part else "" for part in ranking.parts]


def test_what_differs_beyond_chance_is_named_and_the_rest_is_not_told_apart() -> None:
    found = ranked((950, 1000), (800, 1000), (805, 1000), (795, 1000), (650, 1000), (8, 10), (0, 0))
    assert groups(found) == ["above", "alike", "alike", "alike", "below", "alike", ""]
    assert [part.few for part in found.parts if part] == [False] * 5 + [True]


def test_a_part_that_is_nearly_the_whole_is_held_against_the_rest() -> None:
    """It moves the whole itself: its difference looks small, and is as sure as that of the others."""
    assert groups(ranked((8_200, 10_000), (150, 250))) == ["above", "below"]
    assert groups(ranked((80, 100))) == ["alike"]


def test_equal_places_are_seldom_called_different_however_many_there_are() -> None:
    """200 counties of 50 equal places: without care for their number, nine in ten would name somebody."""
    chance = random.Random(50)
    blamed = 0
    for _ in range(200):
        found = ranked(*((sum(chance.random() < 0.8 for _ in range(60)), 60) for _ in range(50)))
        blamed += any(group != "alike" for group in groups(found))
    assert blamed < 30


def test_the_nps_is_ranked_by_its_own_variance() -> None:
    parts = [figures(v10=60, v8=20, v0=20), figures(v10=90, v8=10), figures(v10=30, v8=40, v0=30)]
    whole = parts[0].plus(parts[1]).plus(parts[2])
    found = rank("nps", whole, parts)
    assert found is not None
    assert found.whole.value == pytest.approx(100 * (180 - 50) / 300)
    assert groups(found) == ["alike", "above", "below"]


def test_where_nearly_all_chose_the_best_answer_its_share_is_compared() -> None:
    parts = [figures(v5=980, v4=20), figures(v5=900, v4=100)]
    found = rank("smiley5", parts[0].plus(parts[1]), parts)
    assert found is not None
    assert found.ceiling
    assert found.whole.value == pytest.approx(0.94)
    assert groups(found) == ["above", "below"]


def test_there_is_nothing_to_rank_without_answers_or_a_headline() -> None:
    assert rank("smiley5", NONE, [NONE]) is None
    assert rank("choice", figures(v0=5), [figures(v0=5)]) is None
