"""Whoever watches the server learns whether it can do its work, without a token."""

from typing import Any

import pytest

from fleet_server.api.health import LINK_PARTS
from fleet_server.db import Database
from tests.fleet_server.pages.world import World


class _Link:
    def __init__(self, **said: Any) -> None:
        self.said = said

    def health(self) -> dict[str, Any]:
        return self.said


def test_a_live_server_says_so(world: World) -> None:
    assert world.stranger().get("/health/live").json() == {"live": True}


def test_ready_means_that_the_database_takes_writes_and_the_collector_lives(world: World) -> None:
    world.app.state.link = _Link(broker=True, connected=True, collector=True, waiting=3)
    answer = world.stranger().get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"ready": True, "database": True, "broker": True, "connected": True, "collector": True},
    )


@pytest.mark.parametrize("dead", ["broker", "connected", "collector"])
def test_a_dead_part_makes_it_not_ready(world: World, dead: str) -> None:
    world.app.state.link = _Link(**(dict.fromkeys(LINK_PARTS, True) | {dead: False}))
    answer = world.stranger().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()[dead] is False


def test_a_database_that_takes_no_writes_makes_it_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    answer = world.stranger().get("/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, False)


def test_asking_changes_nothing(world: World, database: Database) -> None:
    with database.read() as session:
        before = session.connection().exec_driver_sql("PRAGMA data_version").scalar()
        world.stranger().get("/health/ready")
        session.rollback()
        assert session.connection().exec_driver_sql("PRAGMA data_version").scalar() == before
