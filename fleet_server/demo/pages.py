"""The pages of "Try a kiosk": the front of a virtual kiosk, its power, its cable. They exist only under `make run`."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from sqlmodel import Session

from fleet_server.accounts.access import SignedIn
from fleet_server.answers import books
from fleet_server.db import Database
from fleet_server.demo.kiosks import DemoKiosk
from fleet_server.demo.reach import do, kiosk_of, visible
from fleet_server.demo.screen_pages import NamedTarget, named_targets
from fleet_server.demo.toucher import PRESS_MS
from fleet_server.web import i18n
from fleet_server.web.deps import ReadSession
from fleet_server.web.live import KEEPALIVE, KEEPALIVE_S, RETRY_MS, limited
from fleet_server.web.templating import render
from provisioning.errors import ProvisioningError

router = APIRouter(prefix="/try")
SWITCHES = ("unplug", "plug", "cut", "on")


@dataclass(frozen=True)
class FrontState:
    """What the front of a kiosk shows now, as the kiosk itself said."""

    power: bool
    net: bool
    lights: list[int]
    screen: str
    status: str
    languages: list[str]
    question: dict[str, str]
    thanks: dict[str, str]
    labels: list[str]
    frame: int
    asked: str
    targets: list[NamedTarget]


@router.get("")
def first(request: Request, person: SignedIn, session: ReadSession) -> Response:
    """The first kiosk that this person may see; without one, a page that says why."""
    kiosks = visible(request, person, session)
    if not kiosks:
        return render(request, "demo/none.html")
    return RedirectResponse(f"/try/{kiosks[0].device_id}", status_code=303)


@router.get("/{device_id}")
async def page(request: Request, device_id: str, person: SignedIn, session: ReadSession) -> Response:
    """The front of one kiosk with its switches."""
    kiosks = visible(request, person, session)
    kiosk = kiosk_of(kiosks, device_id)
    request.app.state.tried.touch(device_id)
    try:
        status = await kiosk.kiosk.ask("status")
    except ProvisioningError as fault:
        raise HTTPException(409, str(fault)) from None
    said = await asyncio.to_thread(
        named_targets, request.app.state.database, kiosk, status["show"], person.language
    )
    return render(
        request,
        "demo/try.html",
        kiosks=kiosks,
        kiosk=kiosk,
        state=_front_state(status, kiosk.faces, person.language, said),
        numbers=_way(_numbers(session, device_id), status.get("journal")),
    )


@router.post("/{device_id}/press")
async def press(
    request: Request,
    device_id: str,
    person: SignedIn,
    session: ReadSession,
    face: Annotated[int, Form()],
) -> Response:
    """Put a finger on a face, as long as a finger stays."""
    kiosk = kiosk_of(visible(request, person, session), device_id)
    if not 0 <= face < kiosk.faces:
        raise HTTPException(422, f"face is {face}, must be 0 to {kiosk.faces - 1}")
    return await do(request, kiosk, "press", face=face, ms=PRESS_MS)


@router.post("/{device_id}/{switch}")
async def turn(
    request: Request,
    device_id: str,
    switch: str,
    person: SignedIn,
    session: ReadSession,
) -> Response:
    """Pull the cable or put it back, cut the power or switch it on."""
    if switch not in SWITCHES:
        raise HTTPException(404, f"{switch!r} is none of {', '.join(SWITCHES)}")
    return await do(request, kiosk_of(visible(request, person, session), device_id), switch)


@router.get("/{device_id}/events")
async def events(
    request: Request, device_id: str, person: SignedIn, session: ReadSession
) -> StreamingResponse:
    """Server-sent events: `kiosk` as the virtual kiosk says it, `numbers` whenever the server's books change."""
    kiosk = kiosk_of(visible(request, person, session), device_id)
    return StreamingResponse(
        limited(_stream(request, kiosk, person.language)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, kiosk: DemoKiosk, language: str) -> AsyncGenerator[str]:
    queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1000)  # None: the server stops
    database: Database = request.app.state.database
    tasks = [
        asyncio.create_task(_follow_kiosk(kiosk, database, language, queue)),
        asyncio.create_task(_follow_books(request, database, kiosk.device_id, queue)),
    ]
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while True:
            try:
                text = await asyncio.wait_for(queue.get(), KEEPALIVE_S)
            except TimeoutError:
                text = KEEPALIVE
            if text is None:
                return
            request.app.state.tried.touch(kiosk.device_id)
            yield text
    finally:
        for task in tasks:
            task.cancel()


async def _follow_kiosk(
    kiosk: DemoKiosk, database: Database, language: str, queue: asyncio.Queue[str | None]
) -> None:
    first = True
    async for event in kiosk.kiosk.watch():
        await queue.put(_event("kiosk", {"snapshot": event} if first else event))
        first = False
        show = event.get("show") or {}
        if "targets" in show:
            i18n.use(language)  # this task outlives its request
            asked, named = await asyncio.to_thread(named_targets, database, kiosk, show, language)
            await queue.put(_event("targets", {"asked": asked, "targets": [asdict(one) for one in named]}))


async def _follow_books(
    request: Request, database: Database, device_id: str, queue: asyncio.Queue[str | None]
) -> None:
    with request.app.state.changes.listen([f"device:{device_id}"]) as listener:
        await queue.put(_event("numbers", await asyncio.to_thread(_read_numbers, database, device_id)))
        async for _changed in listener.changes(KEEPALIVE_S):
            await queue.put(_event("numbers", await asyncio.to_thread(_read_numbers, database, device_id)))
    await queue.put(None)


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _read_numbers(database: Database, device_id: str) -> dict[str, Any]:
    with database.read() as session:
        return _numbers(session, device_id)


def _numbers(session: Session, device_id: str) -> dict[str, Any]:
    """What the server knows; `epochs` maps an epoch to what it heard of the kiosk's own counter."""
    epochs = books.of_device(session, device_id)
    return {
        "received": sum(epoch.received for epoch in epochs),
        "counted": sum(epoch.counted for epoch in epochs),
        "epochs": {str(epoch.epoch): epoch.pressed for epoch in epochs},
    }


def _way(numbers: dict[str, Any], journal: dict[str, Any] | None) -> dict[str, int]:
    """The four numbers of a press's way; the first two are the kiosk's own once it has said them (as in try.js)."""
    heard = dict(numbers["epochs"])
    if journal:
        heard[str(journal["epoch"])] = journal["pressed"]
    pressed = sum(heard.values())
    waiting = max(0, pressed - numbers["received"])
    return {
        "pressed": pressed,
        "waiting": waiting,
        "received": numbers["received"],
        "counted": numbers["counted"],
    }


def _front_state(
    status: dict[str, Any], faces: int, language: str, said: tuple[str, list[NamedTarget]]
) -> FrontState:
    show = status.get("show") or {}
    languages = list(show.get("languages") or [])
    labels = (show.get("labels") or {}).get(language) or [""] * faces
    question = show.get("question")  # a button kiosk says its texts, a touch kiosk which one of its set
    return FrontState(
        power=bool(status.get("power")),
        net=bool(status.get("net")),
        lights=list(status.get("lights") or [0] * faces),
        screen=str(show.get("screen") or ""),
        status=str(show.get("status") or ""),
        languages=languages,
        question=question if isinstance(question, dict) else {},
        thanks=dict(show.get("thanks") or {}),
        labels=list(labels),
        frame=int(status.get("frame") or 0),
        asked=said[0],
        targets=said[1],
    )
