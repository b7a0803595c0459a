"""What was answered is seen in blocks of k visitors or not at all, whatever comes late or is corrected."""

import json
from collections import Counter
from random import Random

import pytest
from sqlmodel import col, select

from fleet_server.answers.models import Record
from fleet_server.db import Database
from fleet_server.instants import DAY_MS, MINUTE_MS
from fleet_server.results.models import PLACE, PUBLIC, UNIT, Block, Score, WaitingAnswer
from fleet_server.results.scores import Figures, Where, by_source, totals, withheld
from tests import effort
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.conftest import new_device
from tests.fleet_server.answers.messages import Rec
from tests.fleet_server.results.visitors import LATER, Kiosk, let_go

EVER = (0, 1 << 50)
NOW = MONDAY_10 + DAY_MS


def of(database: Database, kiosk: Kiosk, *, filtered: bool = False) -> Figures | None:
    """The figures of this kiosk's only question."""
    with database.read() as session:
        found = by_source(session, Where(PLACE, 1), *EVER, with_filtered=filtered)
    mine = [figures for (_, source), figures in found.items() if source == kiosk.id]
    assert len(mine) <= 1
    return mine[0] if mine else None


def values(figures: Figures | None) -> dict[int, int]:
    assert figures is not None
    return {value: count for value, count in enumerate(figures.values) if count}


def test_four_visitors_are_not_seen_and_five_are_together(shared_database: Database) -> None:
    kiosk = Kiosk.new(shared_database)
    kiosk.press(5, 4, 4, 1)
    let_go(shared_database)
    assert of(shared_database, kiosk) is None
    kiosk.press(2)
    assert let_go(shared_database).answers == 5
    assert values(of(shared_database, kiosk)) == {5: 1, 4: 2, 2: 1, 1: 1}


def test_what_may_still_change_is_not_released(shared_database: Database) -> None:
    kiosk = Kiosk.new(shared_database)
    kiosk.press(1, 1, 1, 1, 1, now=NOW)
    let_go(shared_database, now=NOW + MINUTE_MS)
    assert of(shared_database, kiosk) is None
    let_go(shared_database, now=NOW + LATER)
    assert values(of(shared_database, kiosk)) == {1: 5}


def test_of_a_visitor_who_changed_her_mind_the_last_answer_is_released(shared_database: Database) -> None:
    kiosk = Kiosk.new(shared_database)
    kiosk.press(5, 5, 5, 5)
    kiosk.send([kiosk.answer(1), kiosk.answer(4, session=1)], now=NOW)
    let_go(shared_database)
    assert values(of(shared_database, kiosk)) == {5: 4, 4: 1}


def test_a_correction_after_the_release_counts_nobody_twice_and_changes_no_block(
    shared_database: Database,
) -> None:
    kiosk = Kiosk.new(shared_database)
    kiosk.press(5, 5, 5, 5, 1)
    let_go(shared_database)
    kiosk.send([kiosk.answer(4, session=1)], now=NOW)
    kiosk.press(3, 3, 3, 3)
    let_go(shared_database)
    assert values(of(shared_database, kiosk)) == {5: 4, 1: 1}, "four new visitors are too few"
    kiosk.press(3)
    let_go(shared_database)
    assert values(of(shared_database, kiosk)) == {5: 4, 3: 5, 1: 1}


def test_a_late_answer_never_reopens_a_block(shared_database: Database) -> None:
    kiosk = Kiosk.new(shared_database)
    kiosk.press(5, 5, 5, 5, 5)
    let_go(shared_database)
    with shared_database.read() as session:
        before = session.exec(select(Block).where(Block.device_id == kiosk.id)).all()
    late = Kiosk(shared_database, kiosk.id)  # another epoch of the same kiosk, from long before
    late.press(1, 1, 1, now=NOW + 20 * DAY_MS)
    let_go(shared_database, now=NOW + 21 * DAY_MS)
    assert values(of(shared_database, kiosk)) == {5: 5}
    with shared_database.read() as session:
        assert session.exec(select(Block).where(Block.device_id == kiosk.id)).all() == before


def test_what_a_misuse_rule_left_out_is_released_among_itself(shared_database: Database) -> None:
    kiosk = Kiosk.new(shared_database)
    kiosk.press(5, 5, 5, 5, 5)
    for value in (1, 2, 3, 4):  # the same face again within a second
        kiosk.seq += 1
        at = kiosk.seq * MINUTE_MS
        pair = [Rec(kiosk.seq, uptime=at // 100, value=value)]
        kiosk.seq += 1
        pair.append(Rec(kiosk.seq, uptime=at // 100 + 10, value=value))
        kiosk.send(pair, now=NOW)
    let_go(shared_database)
    with_and_without = [of(shared_database, kiosk, filtered=filtered) for filtered in (False, True)]
    assert with_and_without[0] == with_and_without[1], "four filtered ones would be the difference"


def test_what_is_booked_behind_the_point_taken_in_is_released_all_the_same(shared_database: Database) -> None:
    """As after a harvest, or a replay of the quarantine."""
    kiosk = Kiosk.new(shared_database)
    records = [kiosk.answer(value) for value in (1, 2, 3, 4, 5, 5)]
    kiosk.send([*records[:3], records[5]], now=NOW)  # the message states a range: two are lost
    let_go(shared_database)
    kiosk.send(records[3:5], now=NOW)
    let_go(shared_database)
    assert values(of(shared_database, kiosk)) == {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}


def test_everybody_sees_ten_together_at_least(shared_database: Database) -> None:
    kiosk = Kiosk.new(shared_database)

    def public() -> int:
        with shared_database.read() as session:
            return sum(figures.answers for figures in totals(session, Where(PUBLIC, 1), *EVER).values())

    before = public()
    with shared_database.read() as session:
        waiting = session.exec(
            select(Block).where(col(Block.public).is_(False), col(Block.filtered).is_(False))
        ).all()
    kiosk.press(*[5] * 5)
    let_go(shared_database)
    grown = public() - before
    assert grown == 0 or grown >= 10
    assert grown == (10 if len(waiting) % 2 else 0)


@pytest.mark.parametrize("seed", effort.seeds(effort.pick(test=6, full=100, torture=1_000)))
def test_sums_are_those_of_the_blocks_and_each_block_has_k_visitors(
    shared_database: Database, seed: int
) -> None:
    """Kiosks that are late, correct themselves, press too often; a county that changes its mind about k."""
    random = Random(seed)
    kiosks = [Kiosk.new(shared_database) for _ in range(3)]
    now, k = NOW, 5
    for _ in range(30):
        kiosk = random.choice(kiosks)
        records = []
        for _ in range(random.randint(1, 9)):
            corrects = bool(records) and random.random() < 0.2
            more = {"session": 1} if corrects and records[-1].session == 0 else {}
            records.append(kiosk.answer(random.randint(1, 5), **more))
        if random.random() < 0.3:
            records = [record.but(uptime=record.uptime // 600 * 600) for record in records]
        kiosk.send(records, now=now)
        now += random.randint(0, 3 * LATER)
        if random.random() < 0.1:
            k = random.choice((1, 2, 5, 20))
        let_go(shared_database, k=k, now=now)
    let_go(shared_database, k=k, now=now + LATER)
    ids = {kiosk.id for kiosk in kiosks}
    with shared_database.read() as session:
        records_in = Counter[int]()
        visitors = set()
        for record in session.exec(select(Record).where(col(Record.device_id).in_(ids))):
            if record.block_id is not None:
                records_in[record.block_id] += 1
                visitor = (record.device_id, record.epoch, record.seq - record.session, record.question)
                assert visitor not in visitors, "a visitor counts once"
                visitors.add(visitor)
        blocks = session.exec(select(Block).where(col(Block.device_id).in_(ids))).all()
        sums = Counter[str]()
        for block in blocks:
            assert block.id is not None
            assert records_in[block.id] == block.answers == block.k
            sums.update({f"v{value}": count for value, count in json.loads(block.counts).items()})
        scores = session.exec(select(Score).where(Score.scope == PLACE, col(Score.source).in_(ids))).all()
        assert sum(score.answers for score in scores) == sum(block.answers for block in blocks)
        for name in ("v1", "v2", "v3", "v4", "v5"):
            assert sum(getattr(score, name) for score in scores) == sums[name]
        assert sum(records_in.values()) > 60
        waiting = session.exec(select(WaitingAnswer).where(col(WaitingAnswer.device_id).in_(ids))).all()
        assert max(Counter((one.device_id, one.filtered) for one in waiting).values(), default=0) < k
        of_place, of_unit = (totals(session, Where(scope, 1), *EVER) for scope in (PLACE, UNIT))
        assert of_place == of_unit
        assert withheld(session, "/1/") == withheld(session, "/1/", 1)


def test_a_device_that_never_met_a_clock_releases_nothing(shared_database: Database) -> None:
    kiosk = Kiosk(shared_database, new_device(shared_database))
    kiosk.press(*[5] * 9)
    let_go(shared_database)
    assert of(shared_database, kiosk) is None
