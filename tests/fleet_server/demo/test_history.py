"""The demonstration's past goes through the same books as everything, and its results are those that were published."""

import json

from sqlmodel import col, select

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.alerts import watching
from fleet_server.alerts.models import LOW, SILENCE, Alert, Watch
from fleet_server.answers import check
from fleet_server.db import Database
from fleet_server.demo.history import write_year
from fleet_server.demo.seed import EMAIL
from fleet_server.demo.watched import watch
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.places.models import Place
from fleet_server.places.periods import day_start
from fleet_server.questions import service as questions
from fleet_server.results import release
from fleet_server.results.items import Item, items
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.scores import Where
from tests.conftest import MONDAY_10

DAYS = 90


def test_the_past_balances_and_shows_the_published_results(database: Database) -> None:
    with database.write() as session:
        questions.add_national(session, now=MONDAY_10)
    written = write_year(database, now=MONDAY_10, days=DAYS)
    assert written > 5_000
    assert write_year(database, now=MONDAY_10 + 1, days=DAYS) == 0, "places with a past keep it"
    with database.write() as session:
        accounts.create_user(
            session, email=EMAIL, name="Demo", language="en", roles=[(Role.ADMIN, None)], now=MONDAY_10
        )
    for _ in range(2):
        watch(database, now=MONDAY_10)
    more = True
    while more:
        with database.write() as session:
            more = release.step(session, k=5, now=MONDAY_10).more
    watching.look(database, now=MONDAY_10 + HOUR_MS)
    with database.read() as session:
        assert [one.kind for one in session.exec(select(Watch).order_by(col(Watch.id)))] == [
            LOW,
            LOW,
            SILENCE,
        ]
        facts = [json.loads(one.facts) for one in session.exec(select(Alert).order_by(col(Alert.id)))]
        assert len(facts) >= 2, "the page of alerts has something to show"
        assert all(one["high"] < one["threshold"] for one in facts[:2])
        devices = session.exec(select(Device)).all()
        assert all(device.revoked_at is not None and device.virtual for device in devices)
        assert [check.faults(session, device.id) for device in devices] == [[]] * 3
        places = session.exec(select(Place).order_by(Place.id)).all()  # type: ignore[arg-type]
        start = day_start(MONDAY_10, -DAYS)

        def shown(where: Where) -> dict[str, Item]:
            found = items(session, where, [start], lambda _: start, stop=MONDAY_10 + DAY_MS, language="fi")
            return {item.series.code: item for item in found}

        touch = shown(Where(PLACE, places[1].id or 0))
        nps = touch["NPS"].headline
        assert nps is not None
        assert nps.low <= 71 <= nps.high, "Pirkanmaa's kiosks, 2023"
        pei = touch["PEI-H"].figures
        assert 0.09 < pei.cant_say / pei.answers < 0.19, "about 14 % in Pirkanmaa, 2023"
        assert shown(Where(UNIT, 1)) == {}, "no total includes a demo place"
