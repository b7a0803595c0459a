"""`/api/v1/holidays`: the days that schedules take for holidays, and which eves the county counts among them.

The services and rules of the page of schedules.
"""

from datetime import timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Request
from sqlmodel import Session

from fleet_server.accounts.access import WHOLE_COUNTY, Person, SignedIn, allow, require
from fleet_server.accounts.models import Role
from fleet_server.api import draft_shapes as shapes
from fleet_server.api.shapes import FAULTS
from fleet_server.instants import local
from fleet_server.schedules import service
from fleet_server.schedules.holidays import choose_eves, eves_of, holidays
from fleet_server.schedules.pages import tell
from fleet_server.web.deps import Now, ReadSession, WriteSession

router = APIRouter(prefix="/api/v1/holidays", responses=FAULTS)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
_DAYS = 365


@router.get("")
def days(person: SignedIn, session: ReadSession, now: Now) -> shapes.Holidays:
    """The holidays of the coming year, the chosen eves among them."""
    return _holidays(session, now)


@router.put("")
def choose(
    request: Request, person: Coordinator, session: WriteSession, now: Now, asked: shapes.Eves
) -> shapes.Holidays:
    """Choose the eves that count as holidays, for the whole county; kiosks with schedules are told at once."""
    require(person, WHOLE_COUNTY, Role.COORDINATOR)
    choose_eves(session, person, list(asked.eves), now=now)
    tell(request, session, service.by_holidays(session, now=now), now)
    return _holidays(session, now)


def _holidays(session: Session, now: int) -> shapes.Holidays:
    first, eves = local(now).date(), eves_of(session)
    found = holidays(first, first + timedelta(days=_DAYS), eves)
    return shapes.Holidays(
        eves=cast(list[shapes.Eve], list(eves)),
        holidays=[shapes.Holiday(day=f"{day}", name=name) for day, name in found.items()],
    )
