"""`/live`: tells an open page that something it shows has changed. It carries topics, never figures.

The page then asks again for its part, with the rights of whoever reads it; so a stream can give nothing away
but the fact of a change, and only for topics that its reader may see. Streams end after a while: the browser
opens the next one by itself and its rights are looked up anew. They end at once when the server stops.
"""

import threading
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Select
from sqlmodel import Session

from fleet_server.accounts.access import Person, SignedIn, visible_devices, visible_places
from fleet_server.changes import Changes
from fleet_server.web.deps import ReadSession

router = APIRouter(include_in_schema=False)

KEEPALIVE_S = 15.0  # proxies close a stream that says nothing for a minute
LIFE_S = 300.0  # a person who was shut out stops hearing after this at the latest
MAX_STREAMS = 300  # each costs a connection and a task; whoever comes later asks every 15 s instead
RETRY_MS = 2_000
KEEPALIVE = ": still here\n\n"

_streams = threading.BoundedSemaphore(MAX_STREAMS)


@router.get("/live")
def live(
    request: Request,
    person: SignedIn,
    session: ReadSession,
    topics: Annotated[str, Query(max_length=8_000)] = "",
) -> StreamingResponse:
    """Server-sent events named `change`, whose data are the changed topics, separated by spaces.

    `topics`: `device:<id>`, `place:<id>`, `set:<number>`, `draft:<id>`, `rollout:<number>`, and `devices`, `places`
    for all that the reader may see.
    """
    heard = allowed_topics(session, person, topics.split())
    changes: Changes = request.app.state.changes
    return StreamingResponse(
        limited(_stream(changes, heard)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def allowed_topics(session: Session, person: Person, asked: list[str]) -> set[str]:
    """The asked topics with `devices` and `places` spelled out; 403 when one is not for this person."""
    may: set[str] = set()
    if any(topic.startswith("device") for topic in asked):
        may |= {f"device:{name}" for name in _ids(session, visible_devices(person))}
    devices = set(may)
    if any(topic.startswith("place") for topic in asked):
        may |= {f"place:{number}" for number in _ids(session, visible_places(person))}
    heard: set[str] = set()
    for topic in asked:
        kind, _, name = topic.partition(":")
        if topic == "devices":
            heard |= devices
        elif topic == "places":
            heard |= may - devices
        elif topic in may or (kind in ("set", "draft", "rollout") and name.isdecimal()):
            heard.add(topic)
        else:
            raise HTTPException(403, f"topic {topic!r} is not one you may listen to")
    return heard


def _ids(session: Session, query: Select[tuple[object]]) -> list[object]:
    return list(session.scalars(query))


async def limited(stream: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """The stream, when there is room for one more, for LIFE_S; it must say something every KEEPALIVE_S."""
    if not _streams.acquire(blocking=False):
        # Not an error status: after one a browser never asks again. So it comes back when there may be room.
        yield f"retry: {int(LIFE_S * 1000)}\nevent: full\ndata:\n\n"
        return
    try:
        end = time.monotonic() + LIFE_S
        async with aclosing(stream):
            async for text in stream:
                yield text
                if time.monotonic() > end:
                    return
    finally:
        _streams.release()


async def _stream(changes: Changes, topics: set[str]) -> AsyncGenerator[str]:
    with changes.listen(topics) as listener:
        yield f"retry: {RETRY_MS}\nevent: ready\ndata:\n\n"
        async for changed in listener.changes(KEEPALIVE_S):
            yield f"event: change\ndata: {' '.join(sorted(changed))}\n\n" if changed else KEEPALIVE
