"""Whoever sets two answers of the server against each other learns of fewer than k visitors nothing.

The attacker asks for many figures, before and after late answers, with and without what was filtered, over all
scopes and times, of the query layer and through every outlet (API, CSV, workbook, national file, public page, PDF,
weekly mail), and takes the difference of each pair that may be one within the other.
"""

from itertools import combinations
from random import Random

import pytest

from fleet_server.db import Database
from fleet_server.instants import DAY_MS
from fleet_server.places.periods import day_start
from fleet_server.results.models import PLACE, PUBLIC, UNIT
from fleet_server.results.scores import NONE, Figures, Where, by_source, totals
from tests import effort
from tests.conftest import MONDAY_10
from tests.evidence import note
from tests.fleet_server.answers.conftest import furnish
from tests.fleet_server.results.outlets import PAPER, PUBLIC_PAGE, Outlets
from tests.fleet_server.results.visitors import LATER, Kiosk, let_go

K = 5
PUBLIC_K = 10
DAYS = 21
NATIONAL = 1  # its first question is the NPS; 1 to 5 are on its scale, too
OUTLETS_EVERY = 5  # days: they show what the query layer says


def asked(database: Database, random: Random) -> dict[tuple[str, int, str], list[Figures]]:
    """{(scope, series, source): figures} of many windows of time."""
    found: dict[tuple[str, int, str], list[Figures]] = {}
    with database.read() as session:
        for _ in range(32):
            first = random.randint(0, DAYS)
            start = day_start(MONDAY_10, first)
            stop = day_start(MONDAY_10, random.randint(first, DAYS + 20))
            for scope in (PLACE, UNIT, PUBLIC):
                for filtered in (False, True):
                    where = Where(scope, 1)
                    for series, figures in totals(
                        session, where, start, stop, with_filtered=filtered
                    ).items():
                        found.setdefault((scope, series, ""), []).append(figures)
                    parts = by_source(session, where, start, stop, with_filtered=filtered)
                    for (series, source), figures in parts.items():
                        found.setdefault((scope, series, source), []).append(figures)
    return found


def spied(database: Database, seed: int, k: int) -> dict[tuple[str, int, str], list[Figures]]:
    """What an attacker learned in three weeks of a place where one kiosk was offline for days; blocks of `k`."""
    random = Random(seed)
    outlets = Outlets.over(database)
    kiosks = [Kiosk.new(database) for _ in range(2)]
    late = Kiosk.new(database)
    held: list[int] = []
    learned: dict[tuple[str, int, str], list[Figures]] = {}
    for day in range(DAYS):
        now = MONDAY_10 + day * DAY_MS
        for kiosk in kiosks:
            # PEI in social services: 25 answers in half a year. Many days bring none.
            for _ in range(random.choice((0, 0, 1, 2, 4))):
                at = day * DAY_MS + 60_000 * kiosk.seq
                kiosk.press(random.randint(1, 5), now=now, at_ms=at, set_number=NATIONAL)
        held += [random.randint(1, 5) for _ in range(random.choice((0, 1, 2)))]
        if random.random() < 0.2:
            for value in held:
                at = random.randint(0, day) * DAY_MS
                late.press(value, now=now, at_ms=at + 60_000 * late.seq, set_number=NATIONAL)
            held = []
        let_go(database, k=k, now=now + LATER)
        told = [asked(database, random)]
        if day % OUTLETS_EVERY == 0 or day == DAYS - 1:
            told.append(outlets.ask(random, now + LATER))
        for key, figures in (one for each in told for one in each.items()):
            learned.setdefault(key, []).extend(figures)
    return learned


def leaks(learned: dict[tuple[str, int, str], list[Figures]]) -> tuple[int, list[str]]:
    """How many pairs were tried, and what fewer than k visitors said according to them."""
    tried, found = 0, []
    for (scope, series, source), figures in learned.items():
        least = PUBLIC_K if scope.startswith(PUBLIC) else K
        for one, other in combinations({NONE, *figures}, 2):
            larger, smaller = max(one, other), min(one, other)
            within = all(a >= b for a, b in zip(larger.values, smaller.values, strict=True))
            tried += 1
            if within and 0 < larger.answers - smaller.answers < least:
                found.append(f"{scope} {source} series {series}: {larger} less {smaller}")
    return tried, found


@pytest.mark.scales
@pytest.mark.parametrize("seed", effort.seeds(effort.pick(test=1, full=20, torture=200)))
def test_no_two_figures_tell_of_fewer_than_k(shared_database: Database, seed: int) -> None:
    learned = spied(shared_database, seed, K)
    tried, found = leaks(learned)
    assert found == []
    paper = {f"{scope} {PAPER}" for scope in (PLACE, UNIT)}
    assert {scope for scope, _, _ in learned} == {PLACE, UNIT, PUBLIC, PUBLIC_PAGE, *paper}
    assert tried > 1_000, "too few to say anything"
    note(
        "differences of two results, before and after late answers, filtered or not, by API, file, page, PDF and mail",
        tried,
        "pairs",
        "tests/fleet_server/results/test_differencing.py::test_no_two_figures_tell_of_fewer_than_k",
        "none of fewer than k",
    )


def test_the_attacker_finds_blocks_that_are_too_small(database: Database) -> None:
    furnish(database)
    _, found = leaks(spied(database, 1, K - 1))
    assert {one.split(" series")[0].strip() for one in found} >= {
        PLACE,
        UNIT,
        f"{PLACE} {PAPER}",
        f"{UNIT} {PAPER}",
    }
