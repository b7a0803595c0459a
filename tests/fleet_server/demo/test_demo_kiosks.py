"""The demonstration starts again after whatever happened to its folder, its database and its kiosks."""

from pathlib import Path

import pytest

from fleet_server.db import Database
from fleet_server.demo import kiosks as demo_kiosks
from fleet_server.places import service as places
from fleet_server.places.models import Unit
from fleet_server.questions import service as questions
from tests.conftest import MONDAY_10

NOW = MONDAY_10


@pytest.fixture
def prepare(database: Database, tmp_path: Path):
    def call(now: int = NOW):
        with database.write() as session:
            questions.add_national(session, now=now)
            return demo_kiosks.prepare(session, tmp_path / "virtual", 1883, now=now)

    return call


def test_a_second_start_finds_the_same_kiosks_with_their_flash(prepare, tmp_path: Path):
    first = prepare()
    marker = tmp_path / "virtual" / "kiosk-2" / "flash.img"
    before = marker.stat().st_mtime_ns
    assert prepare(NOW + 1) == first or [one.device_id for one in prepare(NOW + 2)] == [
        one.device_id for one in first
    ]
    assert marker.stat().st_mtime_ns == before


def test_a_start_that_was_cut_off_while_building_does_not_stop_the_next(
    prepare, database: Database, tmp_path: Path
):
    with database.write() as session:
        questions.add_national(session, now=NOW)
        demo_kiosks.prepare(session, tmp_path / "virtual", 1883, now=NOW)
        session.rollback()  # cut off: the folders stay, the transaction does not
    assert len(prepare(NOW + 5)) == 3
    aside = sorted(path.name for path in (tmp_path / "virtual").glob("*set-aside*"))
    assert aside == [f"kiosk-{number}-set-aside-{NOW + 5}" for number in (1, 2, 3)]


def test_a_kiosk_that_was_taken_away_and_another_demo_place_are_no_obstacle(prepare, database: Database):
    first = prepare()
    with database.write() as session:
        places.take_away(session, "test", device_id=first[0].device_id, now=NOW + 1)
        unit = session.get(Unit, 1)
        places.create_place(session, "test", unit_id=unit.id, name="a fourth", demo=True, now=NOW + 1)
    again = prepare(NOW + 2)
    assert [one.device_id for one in again] == [one.device_id for one in first]
    assert again[0].place_id == 0


def test_a_lost_folder_is_made_anew(prepare, tmp_path: Path):
    import shutil

    first = prepare()
    shutil.rmtree(tmp_path / "virtual")
    again = prepare(NOW + 2)
    assert len(again) == 3
    assert {one.device_id for one in again}.isdisjoint({one.device_id for one in first})
