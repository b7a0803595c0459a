"""A request that writes is one transaction, and many at once wait for each other without end for none."""

import asyncio

import httpx
import pytest
from sqlmodel import select

from fleet_server.accounts import audit
from fleet_server.accounts.access import public
from fleet_server.db import after_commit
from fleet_server.places import service as places
from fleet_server.places.models import Place
from fleet_server.web.deps import WriteSession
from tests.fleet_server.accounts.county import County

MORE_THAN_THREADS = 60  # FastAPI's pool has 40


def test_more_writers_than_threads_all_get_through(county: County) -> None:
    cookie = county.browser("alice").cookies["hymio_session"]

    async def all_at_once() -> list[int]:
        transport = httpx.ASGITransport(county.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://testserver", cookies={"hymio_session": cookie}, timeout=30
        ) as client:
            unit = str(county.units["clinic"])
            posts = (
                client.post("/places/new", data={"name": f"Door {number}", "unit_id": unit})
                for number in range(MORE_THAN_THREADS)
            )
            answers = await asyncio.wait_for(asyncio.gather(*posts), 30)
        return [answer.status_code for answer in answers]

    assert asyncio.run(all_at_once()) == [303] * MORE_THAN_THREADS
    with county.database.read() as session:
        names = {place.name for place in session.exec(select(Place))}
    assert {f"Door {number}" for number in range(MORE_THAN_THREADS)} <= names


@pytest.mark.parametrize("fails", [False, True])
def test_a_route_that_raises_has_changed_nothing_and_told_nobody(county: County, fails: bool) -> None:
    told: list[str] = []

    @county.app.post("/half", dependencies=[public])
    def half(session: WriteSession) -> None:
        places.create_place(session, "t", unit_id=county.units["clinic"], name="Half", demo=False, now=1)
        audit.record(session, "t", "set password", "person", 1, now=1)
        after_commit(session, lambda: told.append("half"))
        if fails:
            raise LookupError("half way")

    before = len(county.audit())
    if fails:
        with pytest.raises(LookupError):
            county.stranger().post("/half")
    else:
        assert county.stranger().post("/half").status_code == 200
    assert len(county.audit()) - before == (0 if fails else 2)
    assert told == ([] if fails else ["half"])
