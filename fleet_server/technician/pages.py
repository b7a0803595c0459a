"""The technician's page: devices that wait for a place, those out of service, a token for the tool, the state codes."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts import station_tokens, tokens
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import ApiToken, Role
from fleet_server.refusals import N_, Refused
from fleet_server.technician.codes import codes
from fleet_server.technician.shelf import on_shelf
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages, row_id
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False, prefix="/technician")
Technician = Annotated[Person, allow(Role.TECHNICIAN)]

DONE = {"revoked": N_("The token was revoked and is refused from now on.")}


@router.get("")
def desk(request: Request, person: Technician, session: ReadSession, now: Now, done: str = "") -> Response:
    """What waits for a technician."""
    return _desk(request, session, person, now, done=done)


@router.post("/token")
def token(
    request: Request,
    person: Technician,
    session: WriteSession,
    now: Now,
    hours: Annotated[str, Form()] = str(station_tokens.DEFAULT_HOURS),
) -> Response:
    """Make a token for the station tool and show it, this once."""
    try:
        number = row_id(hours)
        if number is None:
            text = N_("“%(value)s” is not a number of hours from 1 to %(longest)s.")
            values = {"value": hours[:60], "longest": station_tokens.LONGEST_HOURS}
            raise Refused({"hours": (text, values)})
        secret = station_tokens.create(session, person, hours=number, now=now)
    except Refused as refused:
        return _desk(request, session, person, now, {"hours": hours}, messages(refused), 422)
    address = request.app.state.settings.address_for(request.headers.get("host", ""))
    return render(
        request, "technician/token_made.html", secret=secret, address=address, hours=number, page="token"
    )


@router.post("/token/{token_id}/revoke")
def revoke(token_id: RowId, person: Technician, session: WriteSession, now: Now) -> Response:
    """Shut one of one's own tokens out; those of others do not exist here."""
    row = session.get(ApiToken, token_id)
    if row is None or row.scope is None or row.user_id != person.id:
        raise HTTPException(404)
    tokens.revoke(session, person, row, now=now)
    return RedirectResponse("/technician?done=revoked#token", 303)


@router.get("/codes")
def state_codes(request: Request, person: Annotated[Person, allow()]) -> Response:
    """What a kiosk's lights, tunes and screens mean, for whoever stands before one."""
    return render(request, "technician/codes.html", kinds=codes(), page="codes")


def _desk(
    request: Request,
    session: Session,
    person: Person,
    now: int,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
    *,
    done: str = "",
) -> Response:
    waiting, retired = on_shelf(session, person)
    context: dict[str, Any] = {
        "waiting": waiting,
        "retired": retired,
        "tokens": station_tokens.own(session, person, now=now),
        "typed": typed or {"hours": str(station_tokens.DEFAULT_HOURS)},
        "errors": errors or {},
        "longest": station_tokens.LONGEST_HOURS,
        "done": _(DONE[done]) if done in DONE else "",
        "page": "desk",
    }
    return render(request, "technician/desk.html", status, **context)
