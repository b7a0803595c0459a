"""For whoever may see a place: its public address, and a poster of it to print. It books nothing."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, visible_places
from fleet_server.phone.address import address_of, qr_path
from fleet_server.places.models import Place, Unit
from fleet_server.web.deps import ReadSession, RowId
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False)


@router.get("/places/{place_id}/poster")
def poster(request: Request, place_id: RowId, person: SignedIn, session: ReadSession) -> Response:
    """A page for paper, A5 or A4, in Finnish, Swedish and English."""
    place = _visible(session, person, place_id)
    code = code_of(request, place)
    if code is None:
        raise HTTPException(404)
    return render(
        request, "phone/poster.html", place=place, unit=session.get_one(Unit, place.unit_id), **code
    )


def code_of(request: Request, place: Place) -> dict[str, Any] | None:
    """`address`, and `qr_size` and `qr_path` of its picture; None while the county has given no public address."""
    address = address_of(request.app.state.settings.public_address, place.code)
    if not address:
        return None
    size, path = qr_path(address)
    return {"address": address, "qr_size": size, "qr_path": path}


def _visible(session: Session, person: Person, place_id: int) -> Place:
    place = session.exec(
        select(Place).where(Place.id == place_id, col(Place.id).in_(visible_places(person)))
    ).one_or_none()
    if place is None:
        raise HTTPException(404)
    return place
