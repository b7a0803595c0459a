"""The pages and the API give the same figures on PostgreSQL."""

import pytest

from fleet_server.accounts.models import Role
from fleet_server.db import Database
from fleet_server.instants import MINUTE_MS
from fleet_server.migrations import migrate
from tests import postgres
from tests.conftest import MONDAY_10
from tests.fleet_server.pages import world as county

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not postgres.installed(), reason=postgres.NOT_INSTALLED),
]


def test_a_busy_morning_is_shown_alike() -> None:
    with postgres.cluster() as cluster:
        database = Database(cluster.url(cluster.create()))
        migrate(database)
        world = county.make_world(database)
        county.a_busy_morning(world)
        kiosk = world.kiosks["A"]
        world.publish(county.SET_TO_ASK, "A")
        for quarter in (2, 1, 0):
            kiosk.report(MONDAY_10 - quarter * 15 * MINUTE_MS)
        kiosk.say("ready", MONDAY_10)
        browser = world.sign_in("otto@example.org")
        assert "12</b> <span>presses today" in browser.get("/").text
        assert 'data-figure="today">12<' in browser.get(f"/places/{world.places['A']}").text
        page = browser.get(f"/devices/{kiosk.id}").text
        assert "Balanced" in page
        assert 'class="chart-line"' in page
        assert browser.get(f"/devices/{kiosk.id}?days=7").status_code == 200
        assert "Kiosk store" in browser.get("/devices").text
        counts = world.stranger().get(
            f"/api/v1/places/{world.places['A']}/counts?grain=day&from=2026-03-01T22:00:00Z&to=2026-03-02T22:00:00Z",
            headers=world.token(Role.SUPERVISOR, "A"),
        )
        assert [one["counted"] for one in counts.json()["counts"]] == [12]
        assert world.stranger().get("/health/ready").json()["database"] is True
        database.close()
