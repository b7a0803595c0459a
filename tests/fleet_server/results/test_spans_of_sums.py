"""Whatever is asked for, by days or by sums of whole weeks and months: the figures are the same, on both databases."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from sqlmodel import Session, col, select

from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS
from fleet_server.places.models import Installation
from fleet_server.places.periods import day_start, month_start
from fleet_server.results.models import PLACE, UNIT, Block, Score, Series
from fleet_server.results.scores import Where, by_source, most_answers, of_many, over_time
from fleet_server.results.spans import DAY, monday, runs
from fleet_server.results.sums import Sums
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import KNOWN_SET

DAYS = 400
FIRST = day_start(MONDAY_10, -DAYS)


@pytest.fixture(scope="module")
def places(shared_database: Database) -> list[int]:
    """Three places with some blocks on one day in three, over two changes of the clocks."""
    chance = random.Random(9)
    with shared_database.write() as session:
        series = Series(code="S", type="smiley5", first_set=KNOWN_SET, body="{}")
        session.add(series)
        session.flush()
        device = new_device_in(session)
        sums = Sums(session, k=5)
        for day in range(DAYS):
            for place_id in (1, 2, 3):
                if chance.random() < 1 / 3:
                    midnight = day_start(FIRST, day)
                    block = Block(
                        place_id=place_id, device_id=device, series_id=series.id or 0, k=5, answers=5, counts="{}",
                        day=midnight, since=midnight, closed_at=midnight, public=True,
                    )  # fmt: skip
                    sums.add(block, dict(Counter(str(chance.randint(1, 5)) for _ in range(5))))
        sums._streams.clear()
        sums.write()
    return [1, 2, 3]


def new_device_in(session: Session) -> str:
    session.add(Device(id="spans", name="spans", model="button5", secret_sha256="", created_at=0))
    session.flush()
    session.add(Installation(place_id=1, device_id="spans", from_at=0))
    return "spans"


def by_days(
    session: Session, where: Where, start: int, stop: int, begins: Callable[[int], int]
) -> dict[int, int]:
    rows = session.exec(
        select(Score.day, Score.answers, Score.v5).where(
            Score.scope == where.scope,
            Score.scope_id == where.id,
            col(Score.day) >= start,
            col(Score.day) < stop,
        )
    )
    found: Counter[int] = Counter()
    for day, answers, best in rows:
        found[begins(day)] += 1000 * answers + best
    return dict(found)


def test_sums_of_weeks_and_months_say_what_the_days_say(shared_database: Database, places: list[int]) -> None:
    chance = random.Random(4)
    with shared_database.read() as session:
        for _ in range(25):
            start = day_start(FIRST, chance.randrange(DAYS))
            stop = day_start(start, chance.randrange(1, DAYS))
            begins = chance.choice((monday, month_start, day_start, lambda _day, at=start: at))
            where = chance.choice((Where(UNIT, 1), *(Where(PLACE, one) for one in places)))
            due = by_days(session, where, start, stop, begins)
            (found,) = over_time(session, where, start, stop, begins).values() or ({},)
            assert {at: 1000 * one.answers + one.values[5] for at, one in found.items()} == due
            whole = sum(one.answers for one in by_source(session, where, start, stop).values())
            assert whole == sum(due.values()) // 1000
            many = of_many(session, where.scope, [where.id], start, stop).get(where.id, {})
            assert sum(one.answers for one in many.values()) == whole
            assert most_answers(session, where.scope, [where.id], start, stop).get(where.id, 0) == whole


def test_a_year_is_a_few_runs_and_none_lies_in_two_periods() -> None:
    start = month_start(MONDAY_10 - 360 * DAY_MS)
    stop = day_start(MONDAY_10, 1)
    assert len(runs(start, stop, month_start)) <= 5
    assert len(runs(monday(day_start(start)), stop, monday)) <= 3
    for begins in (month_start, monday):
        at = start
        for run in runs(start, stop, begins):
            assert run.start == at
            at = run.stop
            if run.grain != DAY:
                assert begins(run.start) == run.start or run.grain == "week"
        assert at == stop
    assert runs(0, 1 << 50, day_start) == [(DAY, 0, 1 << 50)]
