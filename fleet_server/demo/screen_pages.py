"""The screen of a virtual kiosk on "Try a kiosk": its live picture, a finger on it, and the same as a list of words.

It draws nothing: the picture is what the firmware drew, the list is what the firmware told.
"""

import base64
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from fleet_server.accounts.access import SignedIn
from fleet_server.db import Database
from fleet_server.demo.kiosks import DemoKiosk
from fleet_server.demo.reach import do, kiosk_of, visible
from fleet_server.demo.toucher import PRESS_MS
from fleet_server.devices.models import Device
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.views import view
from fleet_server.screens.targets import name_of, question_of, targets_of
from fleet_server.web.deps import ReadSession
from provisioning.errors import ProvisioningError

router = APIRouter(prefix="/try")
FINGERS = ("touch", "down", "up")


@dataclass(frozen=True)
class NamedTarget:
    """A place to touch, in words; `at` is "x,y" as the form sends it."""

    name: str
    at: str


@router.get("/{device_id}/screen.png")
async def picture(request: Request, device_id: str, person: SignedIn, session: ReadSession) -> Response:
    """What the screen shows now. The address may carry the frame's number, so that a browser asks again."""
    kiosk = kiosk_of(visible(request, person, session), device_id)
    try:
        answer = await kiosk.kiosk.ask("screen")
    except ProvisioningError as fault:
        raise HTTPException(409, str(fault)) from None
    png = base64.b64decode(answer["png"])
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})


@router.post("/{device_id}/touch")
async def touch(
    request: Request,
    device_id: str,
    person: SignedIn,
    session: ReadSession,
    how: Annotated[str, Form()] = "touch",
    x: Annotated[int | None, Form()] = None,
    y: Annotated[int | None, Form()] = None,
    at_x: Annotated[int | None, Form(alias="at.x")] = None,
    at_y: Annotated[int | None, Form(alias="at.y")] = None,
    target: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Put a finger on the screen: `x` and `y` from a script, `at` from the picture as a button, `target` from the list.

    `how`: `touch` as long as a finger stays; `down` and `up` for as long as somebody's does.
    """
    kiosk = kiosk_of(visible(request, person, session), device_id)
    request.app.state.tried.touch(device_id)
    if how not in FINGERS:
        raise HTTPException(422, f"how is {how!r}, must be one of {', '.join(FINGERS)}")
    if how == "up":
        return await do(request, kiosk, "up")
    if target:
        at_x, at_y = _point(target)
    where = {"x": at_x if x is None else x, "y": at_y if y is None else y}
    return await do(request, kiosk, how, **where, **({"ms": PRESS_MS} if how == "touch" else {}))


def named_targets(
    database: Database, kiosk: DemoKiosk, show: dict[str, Any], language: str
) -> tuple[str, list[NamedTarget]]:
    """What the screen asks and what can be touched on it, in words. It reads the database: not on the loop."""
    targets = targets_of(show)
    index, laid_out = show.get("question"), view_run(database, kiosk.device_id) if targets else None
    question = question_of(laid_out, index)
    asked = str(((question or {}).get("text") or {}).get(language) or "")
    named = []
    for target in targets:
        x, y = target.middle
        named.append(NamedTarget(name_of(target, laid_out, index, language), f"{x},{y}"))
    return asked, named


def view_run(database: Database, device_id: str) -> dict[str, Any] | None:
    """The question set that a touch kiosk reported last, as it has it."""
    with database.read() as session:
        device = session.get(Device, device_id)
        row = session.get(QuestionSet, device.running_set) if device and device.running_set else None
        return view(questions.body_of(row), "touch") if row else None


def _point(target: str) -> tuple[int, int]:
    x, comma, y = target.partition(",")
    if not (comma and x.isdecimal() and y.isdecimal()):
        raise HTTPException(422, f"target is {target!r}, must be two numbers with a comma between")
    return int(x), int(y)
