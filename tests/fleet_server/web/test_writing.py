"""A request that writes is one transaction, and however many come at once, none waits for ever."""

import ast
import asyncio
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from fastapi.concurrency import run_in_threadpool
from sqlmodel import select

from fleet_server.accounts import audit, limits, passwords
from fleet_server.accounts.access import public
from fleet_server.accounts.sessions import TOUCH_MS
from fleet_server.api import health
from fleet_server.db import after_commit
from fleet_server.places import service as places
from fleet_server.places.models import Place
from fleet_server.web import deps
from fleet_server.web.app import ROUTERS
from fleet_server.web.deps import WriteSession
from tests.fleet_server.accounts.county import County

MORE_THAN_THREADS = 60  # FastAPI's pool has 40


def send_during_a_write(county: County, asked: list[tuple[str, dict[str, str] | None]]) -> list[int]:
    """Send all forms (None: only look), as Alice, while another request holds the writer and then still needs a thread.

    The status of each answer; TimeoutError when they wait for each other.
    """
    cookies = {"hymio_session": county.browser("alice").cookies["hymio_session"]}
    county.now += TOUCH_MS  # so that every request also wants to write down when the session was last used
    holds = asyncio.Event()

    @county.app.post("/slow", dependencies=[public])
    async def slow(session: WriteSession) -> None:
        holds.set()
        await asyncio.sleep(0.3)
        await run_in_threadpool(session.connection)

    async def send() -> list[int]:
        transport = httpx.ASGITransport(county.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://testserver", cookies=cookies, timeout=30
        ) as client:
            held = asyncio.create_task(client.post("/slow"))
            await holds.wait()
            answers = (
                client.get(address) if form is None else client.post(address, data=form)
                for address, form in asked
            )
            gathered = await asyncio.wait_for(asyncio.gather(*answers), 20)
            assert (await held).status_code == 200
            return [answer.status_code for answer in gathered]

    return asyncio.run(send())


def test_more_writers_than_threads_all_get_through(county: County) -> None:
    unit = str(county.units["clinic"])
    forms = [{"name": f"Door {number}", "unit_id": unit} for number in range(MORE_THAN_THREADS)]
    assert send_during_a_write(county, [("/places/new", form) for form in forms]) == [303] * MORE_THAN_THREADS
    with county.database.read() as session:
        names = {place.name for place in session.exec(select(Place))}
    assert {form["name"] for form in forms} <= names


def test_many_who_sign_in_at_once_block_nobody(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda password, kept: True)
    for limit in ("PER_PAIR", "PER_EMAIL"):
        monkeypatch.setattr(limits, limit, 10 * MORE_THAN_THREADS)
    sign_in = ("/sign-in", {"email": "bob@example.org", "password": "x"})
    assert send_during_a_write(county, [sign_in] * MORE_THAN_THREADS) == [303] * MORE_THAN_THREADS


def test_many_who_ask_whether_the_server_is_ready_block_nobody(county: County) -> None:
    assert (
        send_during_a_write(county, [("/health/ready", None)] * MORE_THAN_THREADS)
        == [200] * MORE_THAN_THREADS
    )


def test_who_waits_too_long_for_the_writer_is_told_that_the_server_is_not_ready(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "WRITE_S", 0.05)  # the writer is held for longer
    assert send_during_a_write(county, [("/health/ready", None)]) == [503]


def test_no_route_goes_past_the_gate_to_the_writer() -> None:
    web = Path(deps.__file__).parent
    demo = ("fleet_server.demo.pages", "fleet_server.demo.screen_pages")
    files = {Path(str(import_module(name).__file__)) for name in (*ROUTERS, *demo)}
    files |= set(web.glob("*.py"))
    for path in sorted(files - {web / "deps.py"}):
        assert not _calls_write(path.read_text("utf-8")), f"{path.name} calls database.write() itself"
    assert _calls_write((web / "deps.py").read_text("utf-8")), "the walk sees such calls"


def _calls_write(source: str) -> bool:
    """Whether it calls `….write()`; what is not a database's is called with something to write."""
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "write"
        and not call.args
        for call in ast.walk(ast.parse(source))
    )


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
