"""`/health/live` and `/health/ready`, for whoever watches the server. Being public, they say little."""

import asyncio
import logging
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import update
from sqlmodel import Session, col

from fleet_server.accounts.access import public
from fleet_server.answers.models import ServerState
from fleet_server.web.deps import write

router = APIRouter(prefix="/health", include_in_schema=False, dependencies=[public])
log = logging.getLogger("hymio.health")

WRITE_S = 5  # whoever watches is told by then; the writer's turn may be long in coming
LINK_PARTS = (
    "broker",
    "connected",
    "collector",
)  # of what the link says of itself; the rest is not for everybody


@router.get("/live")
def live() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"live": True})


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """Whether it can do its work: 200 with every part true, 503 when one is not."""
    parts = {"database": await _database_takes_writes(request), **_link(request.app.state.link)}
    good = all(parts.values())
    return JSONResponse({"ready": good, **parts}, 200 if good else 503)


async def _database_takes_writes(request: Request) -> bool:
    try:
        async with asyncio.timeout(WRITE_S):
            await write(request, _write_nothing)
    except Exception:
        log.exception("the database takes no writes")
        return False
    return True


def _write_nothing(session: Session) -> None:
    # A statement that writes no row still needs the writer's place and a disk that is not read-only.
    session.exec(update(ServerState).where(col(ServerState.id) < 0).values(generation=0))


def _link(link: Any) -> dict[str, bool]:
    """Broker and collector, as the link service says; a server of pages alone (no link) has neither."""
    if link is None:
        return {}
    said = link.health()
    return {part: bool(said.get(part)) for part in LINK_PARTS}
