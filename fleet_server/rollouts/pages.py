"""The coordinator's pages of rollouts: the list, a new one's plan with who would get it, and how one goes, live."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import WHOLE_COUNTY, Person, SignedIn, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.devices.models import Device
from fleet_server.places.choosing import Choice, all_labels, devices, read_choice, unit_paths
from fleet_server.places.keeping import kept_units
from fleet_server.places.models import Installation, Place
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.refusals import N_, Fault, Refused
from fleet_server.rollouts import service, stop_rule
from fleet_server.rollouts.models import Rollout, RolloutDevice, RolloutEvent
from fleet_server.rollouts.plan import (
    USUAL,
    Stage,
    StopRule,
    read_stages,
    read_stop_rule,
    stages_of,
    stop_rule_of,
)
from fleet_server.rollouts.where import STATES, counts, of_rollout
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write
from fleet_server.web.forms import messages, row_id, said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render, render_block
from fleet_server.web.units import unit_options
from provisioning.models import MODELS

router = APIRouter(include_in_schema=False, prefix="/rollouts")
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]

ROLLOUT_STATES = {
    "running": N_("under way"),
    "paused": N_("paused"),
    "halted": N_("halted by its stop rule"),
    "done": N_("done"),
    "undone": N_("rolled back"),
}
EVENTS = {
    "begun": N_("begun"),
    "stage": N_("next stage begun"),
    "paused": N_("paused"),
    "resumed": N_("gone on with"),
    "halted": N_("halted"),
    "done": N_("done"),
    "undone": N_("rolled back"),
}
RULE_NAMES = {
    "refused": N_("kiosks that refuse the set"),
    "silent": N_("kiosks that fall silent"),
    "presses": N_("fewer visits than usual"),
    "completion": N_("fewer visits answered to their end"),
}
ACTIONS = {
    "pause": service.pause,
    "resume": service.resume,
    "go-on": service.go_on,
    "back": service.back,
}
SHOWN = 200  # kiosks on a page; the numbers above them lead to the rest
STAGE_FIELDS = 3
_Read = TypeVar("_Read")


@router.get("")
def rollouts(request: Request, person: SignedIn, session: ReadSession) -> Response:
    """Those that concern a kiosk that the reader may see, the newest first."""
    mine = select(RolloutDevice.rollout_id).where(col(RolloutDevice.device_id).in_(visible_devices(person)))
    rows = session.exec(
        select(Rollout, QuestionSet.name)
        .join(QuestionSet, col(QuestionSet.number) == col(Rollout.set_number))
        .where(col(Rollout.id).in_(mine))
        .order_by(col(Rollout.id).desc())
        .limit(100)
    ).all()
    return render(
        request,
        "rollouts/list.html",
        rollouts=rows,
        states=_translated(ROLLOUT_STATES),
        may_start=may(person, Role.COORDINATOR),
    )


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


@router.get("/{rollout_id}")
def one(
    request: Request,
    rollout_id: RowId,
    person: SignedIn,
    session: ReadSession,
    state: str = "",
    part: str = "",
) -> Response:
    """How it goes: numbers, kiosk by kiosk (of one `state`), its history. `part=live` is all but the title."""
    return _page(request, session, person, rollout_id, state=state, part=part)


@router.post("/{rollout_id}/{action}")
def act(
    request: Request, rollout_id: RowId, action: str, person: Coordinator, session: WriteSession, now: Now
) -> Response:
    """Pause, resume, go on, back: for whoever may publish to every kiosk of it."""
    rollout = _seen(session, person, rollout_id)
    if action not in ACTIONS:
        raise HTTPException(404)
    if not may_manage(session, person, rollout):
        raise HTTPException(403)
    try:
        ACTIONS[action](session, person, rollout_id, now=now)
    except service.NotDone as fault:
        return _page(
            request, session, person, rollout_id, faults=[said(each) for each in fault.faults], status=409
        )
    after_commit(session, lambda: request.app.state.changes.notify(f"rollout:{rollout_id}"))
    return RedirectResponse(f"/rollouts/{rollout_id}", 303)


def may_manage(session: Session, person: Person, rollout: Rollout) -> bool:
    """Whether this person may publish to every kiosk of the rollout: only then may he halt it or take it back."""
    if may(person, Role.COORDINATOR, WHOLE_COUNTY):
        return True
    ids = list(
        session.exec(select(RolloutDevice.device_id).where(RolloutDevice.rollout_id == rollout.id)).all()
    )
    paths = unit_paths(session, ids)
    return all(may(person, Role.COORDINATOR, paths.get(device_id, WHOLE_COUNTY)) for device_id in ids)


def _seen(session: Session, person: Person, rollout_id: int) -> Rollout:
    mine = select(RolloutDevice.rollout_id).where(col(RolloutDevice.device_id).in_(visible_devices(person)))
    rollout = session.exec(
        select(Rollout).where(Rollout.id == rollout_id, col(Rollout.id).in_(mine))
    ).one_or_none()
    if rollout is None:
        raise HTTPException(404)
    return rollout


def _page(
    request: Request,
    session: Session,
    person: Person,
    rollout_id: int,
    *,
    state: str = "",
    part: str = "",
    faults: list[str] | None = None,
    status: int = 200,
) -> Response:
    rollout = _seen(session, person, rollout_id)
    visible = set(session.scalars(visible_devices(person)))
    kiosks = [kiosk for kiosk in of_rollout(session, rollout) if kiosk.device_id in visible]
    order = list(STATES)
    kiosks.sort(key=lambda kiosk: order.index(kiosk.state))
    chosen = [kiosk for kiosk in kiosks if not state or kiosk.state == state]
    stages = stages_of(rollout.stages)
    next_at = rollout.stage_at + stages[rollout.stage].wait_ms
    more_stages = service.next_stage(session, rollout) is not None
    used = set(session.exec(select(RolloutDevice.stage).where(RolloutDevice.rollout_id == rollout_id)))
    rule = stop_rule_of(rollout.stop_rule).as_json()
    context: dict[str, Any] = {
        "rollout": rollout,
        "set": session.get_one(QuestionSet, rollout.set_number),
        "state_name": _(ROLLOUT_STATES[rollout.state]),
        "reason": said(stop_rule.said_of(rollout.reason)),
        "stages": [(_stage_text(stage), place in used) for place, stage in enumerate(stages)],
        "next_at": next_at,
        "rule": [(_(RULE_NAMES[kind]), value) for kind, value in rule.items() if value is not None],
        "total": len(kiosks),
        "counts": counts(kiosks),
        "going_back": sum(kiosk.state in ("returning", "returned") for kiosk in kiosks),
        "more_stages": more_stages,
        "waits": rollout.state == "running"
        and request.app.state.clock() >= next_at
        and not service.arrived_enough(session, rollout),
        "names": _translated(STATES),
        "state": state if state in STATES else "",
        "kiosks": chosen[:SHOWN],
        "left_out": max(0, len(chosen) - SHOWN),
        "history": _history(session, rollout),
        "events": _translated(EVENTS),
        "manages": may(person, Role.COORDINATOR) and may_manage(session, person, rollout),
        "faults": faults or [],
    }
    if part == "live":
        return render_block(request, "rollouts/one.html", "live", **context)
    return render(request, "rollouts/one.html", status, **context)


def _history(session: Session, rollout: Rollout) -> list[tuple[RolloutEvent, str]]:
    rows = session.exec(
        select(RolloutEvent)
        .where(RolloutEvent.rollout_id == rollout.id)
        .order_by(col(RolloutEvent.id).desc())
    ).all()
    return [(row, _note(row)) for row in rows]


def _note(event: RolloutEvent) -> str:
    if event.what == "halted":
        return said(stop_rule.said_of(event.note))
    if event.what == "stage":
        return _("Stage %(number)s") % {"number": event.note}
    if event.what == "resumed" and event.note:
        kinds = ", ".join(_(RULE_NAMES[kind]) for kind in event.note.split(",") if kind in RULE_NAMES)
        return _("No longer a reason to halt: %(kinds)s") % {"kinds": kinds}
    return ""


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
        rules=_translated(RULE_NAMES),
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
            (_stage_text(stage), sum(which == place for which in of_stage.values()))
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


def _stage_text(stage: Stage) -> str:
    hours = f"{stage.wait_min / 60:g}"
    if stage.kind == "all" and stage.wait_min == 0:
        return _("All that are left")
    if stage.kind == "places":
        return _("%(count)s places, watched for %(hours)s h") % {"count": stage.count, "hours": hours}
    if stage.kind == "share":
        return _("%(count)s %% of the places, watched for %(hours)s h") % {
            "count": stage.count,
            "hours": hours,
        }
    return _("All that are left, watched for %(hours)s h") % {"hours": hours}


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


def _translated(names: dict[str, str]) -> dict[str, str]:
    return {name: _(text) for name, text in names.items()}
