"""An open page hears of a change within a second, and only of what its reader may see."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import HTTPException

import fleet_server.demo.pages as try_pages
from fleet_server.accounts import service as accounts
from fleet_server.accounts import sessions
from fleet_server.changes import Changes
from fleet_server.demo.kiosks import DemoKiosk
from fleet_server.serving import uvicorn_server
from fleet_server.settings import Settings
from fleet_server.web import live
from tests.fleet_server.pages.world import World, a_busy_morning


def _allowed(world: World, who: str, asked: str) -> set[str]:
    with world.database.read() as session:
        user = accounts.by_email(session, who)
        assert user is not None
        return live.allowed_topics(session, sessions.person_from(session, user), asked.split())


def test_all_places_and_devices_are_those_that_the_reader_may_see(world: World) -> None:
    place, device = f"place:{world.places['B']}", f"device:{world.kiosks['B'].id}"
    assert _allowed(world, "charlie@example.org", "places") == {place}
    assert _allowed(world, "charlie@example.org", "devices") == {device}
    assert _allowed(world, "charlie@example.org", f"places {device} set:5") == {place, device, "set:5"}
    assert len(_allowed(world, "otto@example.org", "devices")) == 4


@pytest.mark.parametrize("kind", ["place", "device"])
def test_a_foreign_topic_is_refused(world: World, kind: str) -> None:
    topic = f"place:{world.places['A']}" if kind == "place" else f"device:{world.kiosks['A'].id}"
    with pytest.raises(HTTPException) as refusal:
        _allowed(world, "charlie@example.org", topic)
    assert refusal.value.status_code == 403
    assert _allowed(world, "alice@example.org", topic) == {topic}


@pytest.mark.parametrize("topic", ["set:x", "person:1", "*", "device:", "place:abc"])
def test_a_topic_that_is_none_is_refused(world: World, topic: str) -> None:
    assert world.sign_in("otto@example.org").get("/live", params={"topics": topic}).status_code == 403


def test_a_stranger_hears_nothing(world: World) -> None:
    answer = world.stranger().get("/live?topics=places", headers={"sec-fetch-mode": "cors"})
    assert answer.status_code == 401


@dataclass
class Served:
    """A server that runs in a thread."""

    address: str
    server: uvicorn.Server
    thread: threading.Thread


class QuietKiosk:
    """A virtual kiosk that says how it is, and then nothing."""

    async def watch(self) -> AsyncIterator[dict[str, Any]]:
        yield {"power": True}
        await asyncio.Event().wait()


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    """The application behind a real server: a test client cannot read a stream that goes on."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn_server(world.app, Settings())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", server, thread)
    server.should_exit = True
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_change_is_told_within_a_second_and_foreign_ones_are_not(world: World, served: Served) -> None:
    cookies = dict(world.sign_in("alice@example.org").cookies)
    mine, foreign = f"place:{world.places['A']}", f"place:{world.places['B']}"
    with httpx.stream("GET", f"{served.address}/live?topics=places", cookies=cookies, timeout=5) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: ready"
        a_busy_morning(world)
        started = time.monotonic()
        world.changes.notify(foreign)
        world.changes.notify(mine, foreign)
        assert next(line for line in lines if line.startswith("data: ")) == f"data: {mine}"
        assert time.monotonic() - started < 1


def test_a_stop_ends_open_streams_at_once_and_quietly(
    world: World, served: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)  # so that caplog hears it
    address = f"{served.address}{_with_a_front(world)}"
    cookies = dict(world.sign_in("alice@example.org").cookies)
    with (
        httpx.stream("GET", f"{served.address}/live?topics=places", cookies=cookies, timeout=5) as of_page,
        httpx.stream("GET", address, cookies=cookies, timeout=5) as of_kiosk,
    ):
        page, front = of_page.iter_lines(), of_kiosk.iter_lines()
        assert "event: ready" in page
        assert "event: numbers" in front
        started = time.monotonic()
        served.server.should_exit = True
        assert not [line for line in [*page, *front] if line.startswith("event: full")], (
            "both end in good order"
        )
        served.thread.join(timeout=5)
    assert time.monotonic() - started < 1.5
    assert not caplog.records


def test_the_streams_of_fronts_have_the_same_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_streams", threading.BoundedSemaphore(0))
    assert "event: full" in world.sign_in("alice@example.org").get(_with_a_front(world)).text


def test_a_stream_that_begins_while_the_server_stops_ends_as_well() -> None:
    changes = Changes()
    changes.end()
    texts = asyncio.run(asyncio.wait_for(_all(live._stream(changes, {"place:1"})), 2))
    assert [text.split("\n")[1] for text in texts] == ["event: ready"]


def test_a_stream_ends_so_that_rights_are_looked_up_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIFE_S", 0.05)
    monkeypatch.setattr(live, "KEEPALIVE_S", 0.01)
    stream = live.limited(live._stream(world.changes, {"place:1"}))
    assert asyncio.run(_all(stream))[-1] == live.KEEPALIVE


def test_one_too_many_is_sent_away_and_a_place_is_free_again_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_streams", threading.BoundedSemaphore(1))
    monkeypatch.setattr(live, "LIFE_S", 0.0)
    monkeypatch.setattr(live, "KEEPALIVE_S", 0.01)

    async def two() -> tuple[list[str], list[str]]:
        first = _limited(world)
        opening = await anext(first)
        second = await _all(_limited(world))
        return [opening, *await _all(first)], second

    first, second = asyncio.run(two())
    assert "event: ready" in first[0]
    assert [json.dumps(text) for text in second] == [json.dumps("retry: 0\nevent: full\ndata:\n\n")]
    assert "event: ready" in asyncio.run(_all(_limited(world)))[0]


def _with_a_front(world: World) -> str:
    """Give the county's kiosk A a front to look at; returns the address of its events."""
    kiosk = DemoKiosk(world.kiosks["A"].id, 0, "", 5, QuietKiosk())  # type: ignore[arg-type]
    world.app.state.kiosks = {kiosk.device_id: kiosk}
    world.app.state.tried = SimpleNamespace(touch=lambda device_id: None)
    world.app.include_router(try_pages.router)
    return f"/try/{kiosk.device_id}/events"


def _limited(world: World) -> AsyncGenerator[str]:
    return live.limited(live._stream(world.changes, {"place:1"}))


async def _all(stream: AsyncIterator[str]) -> list[str]:
    return [text async for text in stream]
