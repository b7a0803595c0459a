"""`/api/v1` for rollouts: begun, paused, resumed, taken back and read, with the services and rules of the pages."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, allow, visible_devices
from fleet_server.accounts.models import Role
from fleet_server.api import desk_shapes as shapes
from fleet_server.api.shapes import FAULTS
from fleet_server.db import after_commit
from fleet_server.instants import utc
from fleet_server.places.choosing import devices, read_choice
from fleet_server.questions import service as questions
from fleet_server.rollouts import service
from fleet_server.rollouts.managing import may_manage
from fleet_server.rollouts.models import Rollout, RolloutDevice
from fleet_server.rollouts.plan import read_stages, read_stop_rule
from fleet_server.rollouts.stop_rule import said_of
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write

router = APIRouter(prefix="/api/v1/rollouts", responses=FAULTS)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
_STEPS = {"pause": service.pause, "resume": service.resume, "go-on": service.go_on, "back": service.back}


@router.get("")
def rollouts(
    person: SignedIn,
    session: ReadSession,
    after: Annotated[int, Query(ge=0, lt=2**31, description="the last one already had")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="at most so many in one answer")] = 100,
) -> shapes.Rollouts:
    """Rollouts that concern a kiosk that you may see, by id."""
    rows = session.exec(
        select(Rollout)
        .where(col(Rollout.id) > after, col(Rollout.id).in_(_mine(person)))
        .order_by(col(Rollout.id))
        .limit(limit + 1)
    ).all()
    shown = [shapes.Rollout(**_rollout(row)) for row in rows[:limit]]
    return shapes.Rollouts(rollouts=shown, next=shown[-1].id if len(rows) > limit else None)


@router.get("/{rollout_id}")
def rollout(person: SignedIn, session: ReadSession, rollout_id: RowId) -> shapes.OneRollout:
    """One rollout, kiosk by kiosk."""
    row = _seen(session, person, rollout_id)
    parts = session.exec(
        select(RolloutDevice)
        .where(
            RolloutDevice.rollout_id == rollout_id,
            col(RolloutDevice.device_id).in_(visible_devices(person)),
        )
        .order_by(col(RolloutDevice.device_id))
    )
    return shapes.OneRollout(**_rollout(row), devices=[_part(part) for part in parts])


@router.post("", status_code=201)
async def start(request: Request, person: Coordinator, now: Now, asked: shapes.NewRollout) -> shapes.Rollout:
    """Begin: kiosks at which you may not publish are none of those chosen."""
    choice = read_choice(asked.choice.model_dump())
    stages, rule = read_stages(asked.stages), read_stop_rule(asked.stop_rule)

    def look(session: Session) -> None:  # lays it out, which nobody else should wait for
        ids = [device.id for device in devices(session, person, choice)]
        questions.look_at_screens(session, asked.set_number, ids)

    def begin(session: Session) -> Rollout:
        row = service.start(session, person, asked.set_number, choice, stages, rule, asked.go_back, now=now)
        _tell(request, session, row.id or 0)
        return row

    await read(request, look)
    return shapes.Rollout(**_rollout(await write(request, begin)))


@router.post("/{rollout_id}/{step}")
def go(
    request: Request,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    rollout_id: RowId,
    step: shapes.Step,
) -> shapes.Rollout:
    """Pause, resume, begin the next stage now, or take back; for whoever may publish to every kiosk of it."""
    row = _seen(session, person, rollout_id)
    if not may_manage(session, person, row):
        raise HTTPException(403, f"rollout {rollout_id} has kiosks at which you may not publish")
    row = _STEPS[step](session, person, rollout_id, now=now)
    _tell(request, session, rollout_id)
    return shapes.Rollout(**_rollout(row))


def _mine(person: Person) -> Any:
    return select(RolloutDevice.rollout_id).where(col(RolloutDevice.device_id).in_(visible_devices(person)))


def _seen(session: Session, person: Person, rollout_id: int) -> Rollout:
    query = select(Rollout).where(Rollout.id == rollout_id, col(Rollout.id).in_(_mine(person)))
    row = session.exec(query).one_or_none()
    if row is None:
        raise HTTPException(404, f"rollout {rollout_id} does not exist")
    return row


def _rollout(row: Rollout) -> dict[str, Any]:
    return {
        "id": row.id,
        "set_number": row.set_number,
        "state": row.state,
        "stage": row.stage,
        "choice": json.loads(row.choice),
        "stages": json.loads(row.stages),
        "stop_rule": json.loads(row.stop_rule),
        "go_back": row.go_back,
        "created_at": utc(row.created_at),
        "created_by": row.created_by,
        "ended_at": None if row.ended_at is None else utc(row.ended_at),
        "reason": str(said_of(row.reason)),
    }


def _part(part: RolloutDevice) -> shapes.RolloutDevice:
    return shapes.RolloutDevice(
        device_id=part.device_id,
        stage=part.stage,
        before_set=part.before_set,
        wished_at=None if part.wished_at is None else utc(part.wished_at),
        reported_at=None if part.reported_at is None else utc(part.reported_at),
        refused=part.refused,
    )


def _tell(request: Request, session: Session, rollout_id: int) -> None:
    after_commit(session, lambda: request.app.state.changes.notify(f"rollout:{rollout_id}"))
