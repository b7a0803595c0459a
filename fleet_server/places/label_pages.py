"""The page on which places get their labels, by which question sets are rolled out and scheduled."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.places.choosing import all_labels, label_place, read_labels
from fleet_server.places.keeping import kept_units
from fleet_server.places.models import Place, PlaceLabel
from fleet_server.refusals import Refused
from fleet_server.web.deps import Now, ReadSession, read, write
from fleet_server.web.forms import messages
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False, prefix="/labels")
Labeller = Annotated[Person, allow(Role.COORDINATOR, Role.TECHNICIAN)]


@router.get("")
def labels_form(request: Request, person: Labeller, session: ReadSession, done: str = "") -> Response:
    """Every place that the reader keeps, with its labels."""
    return _form(request, session, person, done=bool(done))


@router.post("")
async def save_labels(request: Request, person: Labeller, now: Now) -> Response:
    """Save the labels of all places of the form; with any fault none of them."""
    form = await request.form(max_fields=10_000)
    typed = {name: str(form[name]) for name in form if name.startswith("place-")}
    wanted: dict[str, list[str]] = {}
    errors: dict[str, str] = {}
    for name, text in typed.items():
        try:
            wanted[name] = read_labels(text)
        except Refused as refused:
            errors[name] = messages(refused)["labels"]
    if errors:
        return await read(request, lambda session: _form(request, session, person, typed, errors, 422))

    def save(session: Session) -> None:
        for place in _places(session, person):
            if (name := f"place-{place.id}") in wanted:
                label_place(session, person, place, wanted[name], now=now)

    await write(request, save)
    return RedirectResponse("/labels?done=saved", 303)


def _form(
    request: Request,
    session: Session,
    person: Person,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
    *,
    done: bool = False,
) -> Response:
    found = _places(session, person)
    if typed is None:
        kept: dict[int, list[str]] = {}
        for place_id, label in session.exec(select(PlaceLabel.place_id, PlaceLabel.label)).all():
            kept.setdefault(place_id, []).append(label)
        typed = {f"place-{place.id}": ", ".join(sorted(kept.get(place.id or 0, []))) for place in found}
    return render(
        request,
        "places/labels.html",
        status,
        places=found,
        labels=all_labels(session, person),
        typed=typed,
        errors=errors or {},
        done=done,
    )


def _places(session: Session, person: Person) -> list[Place]:
    units = [unit.id for unit in kept_units(session, person)]
    return list(session.exec(select(Place).where(col(Place.unit_id).in_(units)).order_by(Place.name)))
