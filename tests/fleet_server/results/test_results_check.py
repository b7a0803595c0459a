"""`fleet check` finds what is not as the blocks say, and makes the sums again; a block it never touches."""

import pytest
from sqlmodel import col, select

from fleet_server.accounts.models import AuditEntry
from fleet_server.answers.models import Record
from fleet_server.db import Database
from fleet_server.results import check
from fleet_server.results.models import PLACE, PUBLIC, UNIT, Block, Score
from tests.conftest import MONDAY_10
from tests.fleet_server.results.visitors import Kiosk, let_go


@pytest.fixture
def released(shared_database: Database) -> Kiosk:
    kiosk = Kiosk.new(shared_database)
    kiosk.press(*([5, 4, 3, 2, 1, 255] * 5))
    kiosk.send([kiosk.answer(0, question=1, body=b"Kiitos") for _ in range(10)], now=MONDAY_10)
    let_go(shared_database)
    assert found(shared_database) == []
    return kiosk


def found(database: Database) -> list[str]:
    with database.steady_read() as session:
        return list(check.differences(session))


def mended(database: Database) -> int:
    with database.write() as session:
        return check.repair(session, now=MONDAY_10)


def test_a_sum_that_is_wrong_missing_or_too_many_is_made_again(released: Kiosk) -> None:
    database = released.database
    with database.write() as session:
        wrong, gone = session.exec(
            select(Score).where(Score.scope == PLACE, Score.source == released.id)
        ).all()
        wrong.v5 += 1
        session.delete(gone)
        unit = session.exec(select(Score).where(Score.scope == UNIT)).first()
        assert unit is not None
        session.add(Score(**unit.model_dump() | {"scope_id": 77}))
        session.add(wrong)
    assert len(found(database)) == 3
    assert mended(database) == 3
    assert found(database) == []
    assert mended(database) == 0
    with database.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "repair results")).all()
    assert len(entries) == 1


def test_a_block_that_is_not_what_was_released_is_told_and_left(released: Kiosk) -> None:
    database = released.database
    with database.write() as session:
        block = session.exec(
            select(Block).where(Block.device_id == released.id).order_by(col(Block.id))
        ).first()
        assert block is not None
        kept = block.counts
        block.counts = '{"5": 5}'
        record = session.exec(
            select(Record).where(Record.device_id == released.id, Record.block_id == (block.id or 0) + 1)
        ).first()
        assert record is not None
        number, record.block_id = record.block_id, 999_999
        session.add_all([block, record])
        key = record.device_id, record.epoch, record.seq
    told = "\n".join(found(database))
    assert f"block {block.id} does not say what its records say" in told
    assert f"block {number} has 5 answers, 4 records were released in it" in told
    assert "1 records were released in block 999999, which is not there" in told
    assert mended(database) > 0  # the sums follow the block
    assert "does not say what its records say" in "\n".join(found(database))
    with database.write() as session:
        block.counts = kept
        session.add(session.merge(block))
        record = session.get_one(Record, key)
        record.block_id = number
        session.add(record)
    mended(database)
    assert found(database) == []


def test_what_everybody_may_see_is_held_against_its_blocks(released: Kiosk) -> None:
    database = released.database
    with database.write() as session:
        seen = session.exec(select(Score).where(Score.scope == PUBLIC, Score.answers > 0)).first()
        assert seen is not None
        seen.answers += 1
        session.add(seen)
    told = found(database)
    assert sum(line.startswith("what everybody may see of place 1") for line in told) == 1
    assert len(told) == 3, "its week and its month are not the sum of their days either"
    with database.write() as session:
        seen.answers -= 1
        session.add(session.merge(seen))
