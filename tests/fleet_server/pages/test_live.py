"""An open page hears of a change within a second, and only of what its reader may see."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from fastapi import HTTPException

from fleet_server.accounts import service as accounts
from fleet_server.accounts import sessions
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


@pytest.fixture
def served(world: World) -> Iterator[str]:
    """The application behind a real server: a test client cannot read a stream that goes on."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_change_is_told_within_a_second_and_foreign_ones_are_not(world: World, served: str) -> None:
    cookies = dict(world.sign_in("alice@example.org").cookies)
    mine, foreign = f"place:{world.places['A']}", f"place:{world.places['B']}"
    with httpx.stream("GET", f"{served}/live?topics=places", cookies=cookies, timeout=5) as stream:
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


def test_a_stream_ends_so_that_rights_are_looked_up_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIFE_S", 0.0)
    monkeypatch.setattr(live, "KEEPALIVE_S", 0.01)
    assert asyncio.run(_all(live._stream(world.changes, {"place:1"})))[-1] == live.KEEPALIVE


def test_one_too_many_is_sent_away_and_a_place_is_free_again_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_streams", threading.BoundedSemaphore(1))
    monkeypatch.setattr(live, "LIFE_S", 0.0)
    monkeypatch.setattr(live, "KEEPALIVE_S", 0.01)

    async def two() -> tuple[list[str], list[str]]:
        first = live._stream(world.changes, {"place:1"})
        opening = await anext(first)
        second = await _all(live._stream(world.changes, {"place:1"}))
        return [opening, *await _all(first)], second

    first, second = asyncio.run(two())
    assert "event: ready" in first[0]
    assert [json.dumps(text) for text in second] == [json.dumps("retry: 0\nevent: full\ndata:\n\n")]
    assert "event: ready" in asyncio.run(_all(live._stream(world.changes, {"place:1"})))[0]


async def _all(stream: AsyncIterator[str]) -> list[str]:
    return [text async for text in stream]
