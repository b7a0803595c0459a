"""Who runs what: how far each kiosk is with the set that is wished of it, from its own last report. It changes nothing.

Invariant: a state says only what the kiosk said, or that it said nothing; never what the server hopes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.devices.lines import refusal
from fleet_server.devices.models import Device
from fleet_server.places.models import Installation, Place
from fleet_server.questions import service as questions
from fleet_server.questions.models import Publication, QuestionSet
from fleet_server.refusals import N_
from fleet_server.rollouts.models import Rollout, RolloutDevice

# In the order in which a coordinator wants to know of them.
STATES = {
    "refused": N_("refused it"),
    "withheld": N_("is not given it"),
    "silent": N_("not heard since"),
    "wished": N_("has not answered yet"),
    "fetching": N_("fetches it"),
    "idle": N_("has it, waits for a quiet moment"),
    "card": N_("has it, waits for the printed card"),
    "planned": N_("has it, asks another by its schedule"),
    "asks": N_("asks it"),
    "returning": N_("goes back, has not said so yet"),
    "returned": N_("asks again what it asked before"),
    "later": N_("comes in a later stage"),
    "untouched": N_("was not reached by it"),
    "taken": N_("was given another set since"),
    "revoked": N_("shut out"),
}

_NEWEST = select(func.max(Publication.id)).group_by(col(Publication.device_id))


@dataclass(frozen=True)
class KioskState:
    """One kiosk. `since`: when it was wished the set; `heard`: its last message; `reason`: why it refused, in the
    kiosk's own words, or why it is not given it, a Sentence."""

    device_id: str
    name: str
    model: str
    place_id: int | None
    place: str
    state: str
    asks: int | None
    since: int | None
    heard: int | None
    reason: str = ""


def where(session: Session, set_number: int) -> list[KioskState]:
    """Every kiosk of which this set is wished now, by place and name."""
    wished = session.exec(
        select(Publication.device_id, Publication.published_at).where(
            col(Publication.id).in_(_NEWEST), Publication.set_number == set_number
        )
    ).all()
    return _states(session, set_number, dict(wished), {})


def of_rollout(session: Session, rollout: Rollout) -> list[KioskState]:
    """Every kiosk of a rollout, those of later stages and those that it has lost to another one too."""
    parts = session.exec(select(RolloutDevice).where(RolloutDevice.rollout_id == rollout.id)).all()
    wishes = {
        wish.device_id: wish
        for wish in session.exec(
            select(Publication).where(
                col(Publication.id).in_(_NEWEST),
                col(Publication.device_id).in_(
                    select(RolloutDevice.device_id).where(RolloutDevice.rollout_id == rollout.id)
                ),
            )
        )
    }
    settled: dict[str, str] = {}
    since: dict[str, int] = {}
    back: dict[str, int | None] = {}
    for part in parts:
        wish = wishes.get(part.device_id)
        since[part.device_id] = part.wished_at or 0
        if part.wished_at is None and (wish is None or wish.published_at <= rollout.created_at):
            settled[part.device_id] = "untouched" if rollout.state == "undone" else "later"
        elif wish is None or wish.set_number != rollout.set_number:
            gone_back = wish is not None and wish.rollout_id == rollout.id
            settled[part.device_id] = "returning" if gone_back else "taken"
            back[part.device_id] = wish.set_number if wish is not None else None
    return [
        replace(kiosk, state="returned")
        if kiosk.state == "returning" and kiosk.asks == back[kiosk.device_id]
        else kiosk
        for kiosk in _states(session, rollout.set_number, since, settled)
    ]


def counts(states: Sequence[KioskState]) -> dict[str, int]:
    """How many are in each state, in the order of STATES; those in which nobody is are left out."""
    found = dict.fromkeys(STATES, 0)
    for state in states:
        found[state.state] += 1
    return {name: count for name, count in found.items() if count}


def _states(
    session: Session, number: int, since: dict[str, int], settled: dict[str, str]
) -> list[KioskState]:
    row = session.get(QuestionSet, number)
    rows = session.exec(
        select(Device, Place.id, Place.name)
        .outerjoin(
            Installation, (col(Installation.device_id) == col(Device.id)) & col(Installation.to_at).is_(None)
        )
        .outerjoin(Place, col(Place.id) == col(Installation.place_id))
        .where(col(Device.id).in_(list(since)))
        .order_by(Place.name, Device.name, Device.id)
    )
    found = []
    for device, place_id, place in rows:
        wished_at = since[device.id] or None
        state, reason = settled.get(device.id, ""), ""
        if device.revoked_at is not None:
            state = "revoked"
        elif not state:
            state, reason = _state(device, row, wished_at)
        found.append(
            KioskState(
                device_id=device.id,
                name=device.name,
                model=device.model,
                place_id=place_id,
                place=place or "",
                state=state,
                asks=device.running_set,
                since=wished_at,
                heard=device.contact_at,
                reason=reason,
            )
        )
    return found


def _state(device: Device, row: QuestionSet | None, wished_at: int | None) -> tuple[str, str]:
    if row is not None and device.running_set == row.number:
        return "asks", ""
    if (device.contact_at or 0) < (wished_at or 0) or device.status in ("late", "lost", "new"):
        return "silent", ""
    if reason := refusal(device):
        return "refused", reason
    if row is not None and (reason := questions.withheld(row, device.model)):
        return "withheld", reason
    report: dict[str, Any] = _object(device.report)
    names = questions.view_hashes(row, device.model) if row is not None else ()
    name = names[0] if names else None
    if name and report.get("card") == name:
        return "card", ""
    if any(entry[1] == name for entry in report.get("sets") or []):
        planned = [entry.get("number") for entry in _object(device.desired).get("sets") or []]
        return ("planned" if device.running_set in planned else "idle"), ""
    return ("fetching" if report.get("want") in names else "wished"), ""


def _object(kept: str | None) -> dict[str, Any]:
    found = json.loads(kept) if kept else {}
    return found if isinstance(found, dict) else {}
