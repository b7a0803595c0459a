"""The coordinator's pages: what a set says, to whom it goes, and which kiosk asks what."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.devices import desired
from fleet_server.devices.lines import refusal
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.questions import service
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.turns import codes_in_turn
from fleet_server.questions.types import TYPE_NAMES
from fleet_server.refusals import N_, Sentence
from fleet_server.screens.pages import picture_of
from fleet_server.web.deps import ReadSession, RowId, read, write
from fleet_server.web.forms import said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render, render_block

router = APIRouter(prefix="/question-sets")

LANGUAGE_NAMES = {
    "fi": N_("Finnish"),
    "sv": N_("Swedish"),
    "en": N_("English"),
    "sme": N_("Northern Sámi"),
    "smn": N_("Inari Sámi"),
    "sms": N_("Skolt Sámi"),
}
STATUS_NAMES = {
    "verbatim": N_("word for word"),
    "reconstructed": N_("reconstructed"),
    "own": N_("own question"),
}


@dataclass(frozen=True)
class DeviceRow:
    """One device beside a set. `refused`: the device's own reason, empty when it did not refuse. `withheld`: why it is
    not sent the set, in the reader's language."""

    id: str
    name: str
    model: str
    place: str
    asks: int | None
    wishes: int | None
    wished: bool
    runs: bool
    refused: str
    withheld: str
    may_publish: bool


@dataclass(frozen=True)
class ShownFault:
    """A fault in the reader's language; `picture`: the address of the screen that shows it, '' when none does."""

    text: str
    picture: str


@router.get("/{number}")
def one(
    request: Request,
    number: RowId,
    person: SignedIn,
    session: ReadSession,
    part: str = "",
) -> Response:
    """One set: its texts, and the devices with what they ask. `part=devices` is the live part alone."""
    return _page(request, session, person, number, part=part)


@router.post("/{number}/publish")
async def publish(
    request: Request,
    number: RowId,
    person: Annotated[Person, allow(Role.COORDINATOR)],
    device: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Wish this set of the chosen devices; with any fault nothing is sent and the choice stays on the page."""
    chosen = device or []
    await read(request, lambda session: service.look_at_screens(session, number, chosen))
    faults = await write(request, lambda session: _publish(request, session, person, number, chosen))
    if faults:
        return await read(
            request,
            lambda session: _page(
                request, session, person, number, faults=faults, chosen=chosen, status_code=422
            ),
        )
    return RedirectResponse(f"/question-sets/{number}", status_code=303)


def _publish(request: Request, session: Session, person: Person, number: int, chosen: list[str]) -> list[str]:
    """Every fault; without any the wishes are sent once they are committed."""
    allowed = {row.id for row in _devices(session, person, number) if row.may_publish}
    faults: list[str] = [
        Sentence(N_("device %(device)r does not exist, or is not yours to publish to"), device=wanted)
        for wanted in chosen
        if wanted not in allowed
    ]
    now = request.app.state.clock()
    faults = faults or service.publish(session, number, chosen, actor=person, now=now)
    if faults:
        return faults
    messages = [desired.refresh(session, wanted, now=now) for wanted in chosen]
    state = request.app.state

    def tell() -> None:
        for message in messages:
            if message is not None and state.link is not None:
                state.link.send(*message)
        state.changes.notify(f"set:{number}", *(f"device:{wanted}" for wanted in chosen))

    after_commit(session, tell)
    return []


def _page(
    request: Request,
    session: Session,
    person: Person,
    number: int,
    *,
    part: str = "",
    faults: list[str] | None = None,
    chosen: list[str] | None = None,
    status_code: int = 200,
) -> Response:
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    if not service.is_intact(row):
        faults = faults or [service.altered(row)]
    body = service.body_of(row)
    devices = _devices(session, person, number)
    context = {
        "set": row,
        "questions": body.get("questions") or [],
        "on_buttons": codes_in_turn(body),
        "languages": body.get("languages") or [],
        "language_names": {code: _(name) for code, name in LANGUAGE_NAMES.items()},
        "types": {name: _(text) for name, text in TYPE_NAMES.items()},
        "statuses": {name: _(text) for name, text in STATUS_NAMES.items()},
        "devices": devices,
        "topics": " ".join([f"set:{number}", *(f"device:{device.id}" for device in devices)]),
        "faults": [ShownFault(said(fault), picture_of(number, fault)) for fault in faults or []],
        "chosen": chosen or [],
        "may_publish": may(person, Role.COORDINATOR),
    }
    if part == "devices":
        return render_block(request, "questions/one.html", "devices", **context)
    return render(request, "questions/one.html", status_code=status_code, **context)


def _devices(session: Session, person: Person, number: int) -> list[DeviceRow]:
    query = (
        select(Device, Place.name, Unit.path)
        .outerjoin(
            Installation, (col(Installation.device_id) == col(Device.id)) & col(Installation.to_at).is_(None)
        )
        .outerjoin(Place, col(Place.id) == col(Installation.place_id))
        .outerjoin(Unit, col(Unit.id) == col(Place.unit_id))
        .where(col(Device.id).in_(visible_devices(person)), col(Device.revoked_at).is_(None))
        .order_by(col(Place.name), col(Device.name))
    )
    rows = []
    for device, place, unit_path in session.exec(query):
        wished = service.published_to(session, device.id)
        wishes = wished.number if wished else None
        rows.append(
            DeviceRow(
                id=device.id,
                name=device.name,
                model=device.model,
                place=place or "",
                asks=device.running_set,
                wishes=wishes,
                wished=wishes == number,
                runs=device.running_set == number,
                refused=refusal(device) if wishes == number else "",
                withheld=said(service.withheld(wished, device.model)) if wished and wishes == number else "",
                # A device that stands nowhere belongs to the whole county.
                may_publish=may(person, Role.COORDINATOR, unit_path or "/"),
            )
        )
    return rows
