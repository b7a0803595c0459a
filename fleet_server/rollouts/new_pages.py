"""The coordinator's form of a new rollout: first the plan with who would get the set, then it begins.

It knows nothing of how a rollout goes; see pages.py.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.devices.models import Device
from fleet_server.places.choosing import Choice, all_labels, devices, read_choice
from fleet_server.places.keeping import kept_units
from fleet_server.places.models import Installation, Place
from fleet_server.questions import service as questions
from fleet_server.refusals import N_, Fault, Refused
from fleet_server.rollouts import service, stop_rule
from fleet_server.rollouts.plan import USUAL, Stage, StopRule, read_stages, read_stop_rule
from fleet_server.rollouts.wording import RULE_NAMES, stage_text, translated
from fleet_server.web.deps import Now, ReadSession, read, write
from fleet_server.web.forms import messages, row_id, said
from fleet_server.web.templating import render
from fleet_server.web.units import unit_options
from provisioning.models import MODELS

router = APIRouter(include_in_schema=False, prefix="/rollouts")
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
STAGE_FIELDS = 3
_Read = TypeVar("_Read")


@router.get("/new")
def new(request: Request, person: Coordinator, session: ReadSession, set: str = "") -> Response:
    """The form of a new one, with the usual stages and stop rule."""
    typed = {"set": set} | _typed_stages(USUAL) | _typed_rule(StopRule())
    return _form(request, session, person, typed, read_choice({}))


@router.post("/new")
async def plan_or_start(request: Request, person: Coordinator, now: Now) -> Response:
    """First the plan: who would get the set, and which models cannot ask it; with `go` it begins.

    `planned` says which plan was shown. When the form or the fleet was changed since, the plan is shown anew: nothing
    begins that nobody has seen.
    """
    form = await request.form(max_fields=5_000)
    typed = {name: str(form[name]) for name in form if name not in ("units", "labels", "models", "places")}
    choice: Choice = {
        "units": [int(str(value)) for value in form.getlist("units") if row_id(str(value))],
        "labels": [str(value) for value in form.getlist("labels")],
        "models": [str(value) for value in form.getlist("models")],
        "places": [int(str(value)) for value in form.getlist("places") if row_id(str(value))],
    }
    found: dict[str, Fault] = {}
    number = row_id(typed.get("set", "")) or 0
    if not number:
        found["set"] = (N_("Choose the question set that is to be rolled out."), {})
    choice = _read(read_choice, choice, found) or choice
    stages = _read(read_stages, _stages(typed), found) or ()
    percents = {kind: _percent(typed.get(kind, "")) for kind in RULE_NAMES}
    rule = _read(read_stop_rule, percents, found) or StopRule()
    if found:
        faults = messages(Refused(found))
        return await read(
            request, lambda session: _form(request, session, person, typed, choice, errors=faults, status=422)
        )

    def look(session: Session) -> str:
        ids = [device.id for device in devices(session, person, choice)]
        questions.look_at_screens(session, number, ids)
        whole = [
            number,
            choice,
            [stage.as_json() for stage in stages],
            rule.as_json(),
            "go_back" in typed,
            ids,
        ]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()

    planned = await read(request, look)
    changed = typed.get("planned", planned) != planned
    if "go" not in typed or changed:
        return await read(
            request,
            lambda session: _form(
                request,
                session,
                person,
                typed | {"planned": planned},
                choice,
                plan=(number, stages),
                changed=changed and "go" in typed,
            ),
        )
    try:
        rollout_id = await write(
            request,
            lambda session: (
                service.start(
                    session, person, number, choice, stages, rule, bool(typed.get("go_back")), now=now
                ).id
            ),
        )
    except service.NotDone as fault:
        faults = {"set": " ".join(said(each) for each in fault.faults)}
        return await read(
            request, lambda session: _form(request, session, person, typed, choice, errors=faults, status=422)
        )
    return RedirectResponse(f"/rollouts/{rollout_id}", 303)


def _form(
    request: Request,
    session: Session,
    person: Person,
    typed: dict[str, str],
    choice: Choice,
    *,
    errors: dict[str, str] | None = None,
    plan: tuple[int, tuple[Stage, ...]] | None = None,
    changed: bool = False,
    status: int = 200,
) -> Response:
    seen = (
        select(Place)
        .where(col(Place.unit_id).in_([unit.id for unit in kept_units(session, person)]))
        .order_by(Place.name)
    )
    shown: dict[str, Any] = {}
    if plan is not None:
        shown = _plan(session, person, choice, *plan)
    return render(
        request,
        "rollouts/new.html",
        status,
        typed=typed,
        choice=choice,
        errors=errors or {},
        sets=[
            (row.number, f"{row.number} · {row.name} ({row.version})")
            for row in questions.all_sets(session)
            if row.archived_at is None
        ],
        units=unit_options(kept_units(session, person)),
        labels=[(label, f"{label} · {count}") for label, count in all_labels(session, person).items()],
        models=[(model, model) for model in MODELS],
        places=[(place.id, place.name) for place in session.exec(seen)],
        rules=translated(RULE_NAMES),
        stage_numbers=range(1, STAGE_FIELDS + 1),
        plan=shown,
        changed=changed,
    )


def _plan(
    session: Session, person: Person, choice: Choice, number: int, stages: tuple[Stage, ...]
) -> dict[str, Any]:
    found = devices(session, person, choice)
    of_stage = service.draw(session, found, stages, 0)
    return {
        "faults": [said(fault) for fault in service.faults(session, number, found)],
        "devices": len(found),
        "away": sum(device.status not in stop_rule.HERE for device in found),
        "where": _standing(session, found),
        "models": ", ".join(sorted({device.model for device in found})),
        "stages": [
            (stage_text(stage), sum(which == place for which in of_stage.values()))
            for place, stage in enumerate(stages)
        ],
    }


def _standing(session: Session, found: Sequence[Device]) -> list[str]:
    """Names of the places at which these kiosks stand; of one that stands nowhere its own."""
    rows = session.exec(
        select(Device.name, Place.name)
        .outerjoin(
            Installation, (col(Installation.device_id) == col(Device.id)) & col(Installation.to_at).is_(None)
        )
        .outerjoin(Place, col(Place.id) == col(Installation.place_id))
        .where(col(Device.id).in_([device.id for device in found]))
    )
    return sorted({place or name for name, place in rows}, key=str.casefold)


def _read(reader: Callable[[Any], _Read], typed: Any, found: dict[str, Fault]) -> _Read | None:
    """What a part of the form says; None when it is wrong, with its faults among those `found`."""
    try:
        return reader(typed)
    except Refused as refused:
        found |= refused.faults
        return None


def _typed_stages(stages: tuple[Stage, ...]) -> dict[str, str]:
    typed = {}
    for number, stage in enumerate(stages, 1):
        typed[f"kind{number}"] = stage.kind
        typed[f"count{number}"] = str(stage.count) if stage.kind != "all" else ""
        typed[f"hours{number}"] = f"{stage.wait_min / 60:g}"
    return typed


def _typed_rule(rule: StopRule) -> dict[str, str]:
    return {kind: str(value or "") for kind, value in rule.as_json().items()}


def _stages(typed: dict[str, str]) -> list[dict[str, Any]]:
    """What `read_stages` reads, of the form; what is no number goes in as it was typed, and is named there."""
    found = []
    for number in range(1, STAGE_FIELDS + 1):
        kind = typed.get(f"kind{number}", "")
        if kind not in ("places", "share", "all"):
            continue
        hours = typed.get(f"hours{number}", "").replace(",", ".").strip() or "0"
        try:
            wait: Any = round(float(hours) * 60)
        except (ValueError, OverflowError):
            wait = hours
        found.append(
            {kind: True if kind == "all" else _percent(typed.get(f"count{number}", "")), "wait_min": wait}
        )
    return found


def _percent(typed: str) -> Any:
    """A whole number; None for nothing; what is none stays text, to be named as a fault."""
    typed = typed.strip()
    if not typed:
        return None
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else typed
