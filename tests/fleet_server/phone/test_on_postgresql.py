"""Phones on PostgreSQL: a double click counts once, and the books of two phones at once balance."""

import asyncio

import httpx
import pytest

from fleet_server.db import Database
from fleet_server.migrations import migrate
from tests import postgres
from tests.fleet_server.accounts.county import county
from tests.fleet_server.phone.visitors import exit_

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not postgres.installed(), reason=postgres.NOT_INSTALLED),
]


def test_many_phones_at_once_and_double_clicks_count_once_each() -> None:
    with postgres.cluster() as cluster:
        database = Database(cluster.url(cluster.create()))
        migrate(database)
        spot = exit_.__wrapped__(county.__wrapped__(database))
        forms = [spot.open(spot.phone()) | {"nps-NPS": str(n), "text-OPEN": "ä" * 400} for n in range(8)]

        async def all_at_once() -> list[httpx.Response]:
            transport = httpx.ASGITransport(spot.county.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as phone:
                return await asyncio.gather(*(phone.post(spot.path, data=form) for form in forms * 3))

        answers = asyncio.run(all_at_once())
        assert [answer.status_code for answer in answers] == [303] * 24
        assert sum("again" not in answer.headers["location"] for answer in answers) == 8
        assert sorted(one.value for one in spot.records() if not one.body) == list(range(8))
        assert spot.counted() == 16
        spot.balances()
        database.close()
