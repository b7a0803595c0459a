"""`/api/v1` for schedules: listed, made and ended, with the services and rules of the pages."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from sqlmodel import Session, col, select

from fleet_server.accounts.access import WHOLE_COUNTY, Person, SignedIn, allow, require
from fleet_server.accounts.models import Role
from fleet_server.api import desk_shapes as shapes
from fleet_server.api.shapes import FAULTS
from fleet_server.instants import utc
from fleet_server.places.choosing import read_choice
from fleet_server.places.hours import read_week
from fleet_server.refusals import N_, Refused
from fleet_server.schedules import service
from fleet_server.schedules.models import Schedule
from fleet_server.schedules.pages import tell
from fleet_server.schedules.reading import LAST_MS, choice_of, fault_of, weekly_of
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession

router = APIRouter(prefix="/api/v1/schedules", responses=FAULTS)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]


@router.get("")
def schedules(
    person: SignedIn,
    session: ReadSession,
    after: Annotated[int, Query(ge=0, lt=2**31, description="the last one already had")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="at most so many in one answer")] = 100,
) -> shapes.Schedules:
    """Schedules by id, also those that have ended."""
    query = select(Schedule).where(col(Schedule.id) > after).order_by(col(Schedule.id)).limit(limit + 1)
    rows = session.exec(query).all()
    shown = [_schedule(row) for row in rows[:limit]]
    return shapes.Schedules(schedules=shown, next=shown[-1].id if len(rows) > limit else None)


@router.post("", status_code=201)
def create(
    request: Request, person: Coordinator, session: WriteSession, now: Now, asked: shapes.NewSchedule
) -> shapes.Schedule:
    """Make a schedule for places that you look after."""
    return _save(request, person, session, now, None, asked)


@router.post("/{schedule_id}")
def change(
    request: Request,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    schedule_id: RowId,
    asked: shapes.NewSchedule,
) -> shapes.Schedule:
    """Change a schedule that has not ended; what is left out is what a new one would have."""
    row = _kept(session, person, schedule_id)
    if row.ended_at is not None:
        text = N_("Schedule %(value)s has ended. Make a new one.")
        raise Refused({"schedule": (text, {"value": schedule_id})})
    return _save(request, person, session, now, row, asked)


def _save(
    request: Request,
    person: Person,
    session: Session,
    now: int,
    before: Schedule | None,
    asked: shapes.NewSchedule,
) -> shapes.Schedule:
    row, concerned = service.save(
        session,
        person,
        before,
        name=asked.name,
        set_number=asked.set_number,
        choice=read_choice(asked.choice.model_dump()),
        first_day=asked.first_day,
        last_day=asked.last_day,
        weekly=read_week({str(day): hours for day, hours in asked.weekly.items()}),
        holidays=asked.holidays,
        now=now,
    )
    tell(request, session, concerned, now)
    return _schedule(row)


@router.post("/{schedule_id}/end")
def end(
    request: Request, person: Coordinator, session: WriteSession, now: Now, schedule_id: RowId
) -> shapes.Schedule:
    """End a schedule now; its places ask what they asked without it."""
    row = _kept(session, person, schedule_id)
    tell(request, session, service.end(session, person, row, now=now), now)
    return _schedule(row)


def _kept(session: Session, person: Person, schedule_id: int) -> Schedule:
    """A schedule whose places this person looks after."""
    row = session.get(Schedule, schedule_id)
    if row is None:
        raise HTTPException(404, f"schedule {schedule_id} does not exist")
    if not service.keeps(session, person, choice_of(row)):
        require(person, WHOLE_COUNTY, Role.COORDINATOR)
    return row


def _schedule(row: Schedule) -> shapes.Schedule:
    def instant(at: int | None) -> Any:
        return utc(at) if at is not None and 0 <= at < LAST_MS else None

    return shapes.Schedule(
        id=row.id or 0,
        name=row.name,
        set_number=row.set_number,
        choice=choice_of(row) or {},
        from_at=instant(row.from_at),
        to_at=instant(row.to_at),
        weekly=weekly_of(row) or {},
        holidays=row.holidays,
        created_by=row.created_by,
        ended_at=instant(row.ended_at),
        fault=fault_of(row),
    )
