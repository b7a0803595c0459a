"""The coordinator's pages of rollouts: the list, and how one goes, live. See new_pages.py for how one begins."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, allow, may, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.db import after_commit
from fleet_server.questions.models import QuestionSet
from fleet_server.rollouts import service, stop_rule
from fleet_server.rollouts.advancing import arrived_enough
from fleet_server.rollouts.managing import may_manage
from fleet_server.rollouts.models import Rollout, RolloutDevice, RolloutEvent
from fleet_server.rollouts.plan import (
    stages_of,
    stop_rule_of,
)
from fleet_server.rollouts.where import STATES, counts, of_rollout
from fleet_server.rollouts.wording import EVENTS, ROLLOUT_STATES, RULE_NAMES, stage_text, translated
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render, render_block

router = APIRouter(include_in_schema=False, prefix="/rollouts")
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]

ACTIONS = {
    "pause": service.pause,
    "resume": service.resume,
    "go-on": service.go_on,
    "back": service.back,
}
SHOWN = 200  # kiosks on a page; the numbers above them lead to the rest


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
        states=translated(ROLLOUT_STATES),
        may_start=may(person, Role.COORDINATOR),
    )


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
    used = set(session.exec(select(RolloutDevice.stage).where(RolloutDevice.rollout_id == rollout_id)))
    rule = stop_rule_of(rollout.stop_rule).as_json()
    context: dict[str, Any] = {
        "rollout": rollout,
        "set": session.get_one(QuestionSet, rollout.set_number),
        "state_name": _(ROLLOUT_STATES[rollout.state]),
        "reason": said(stop_rule.said_of(rollout.reason)),
        "stages": [(stage_text(stage), place in used) for place, stage in enumerate(stages)],
        "next_at": next_at,
        "rule": [(_(RULE_NAMES[kind]), value) for kind, value in rule.items() if value is not None],
        "total": len(kiosks),
        "counts": counts(kiosks),
        "going_back": sum(kiosk.state in ("returning", "returned") for kiosk in kiosks),
        "more_stages": service.next_stage(session, rollout) is not None,
        "waits": rollout.state == "running"
        and request.app.state.clock() >= next_at
        and not arrived_enough(session, rollout),
        "names": translated(STATES),
        "state": state if state in STATES else "",
        "kiosks": chosen[:SHOWN],
        "left_out": max(0, len(chosen) - SHOWN),
        "history": _history(session, rollout),
        "events": translated(EVENTS),
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
