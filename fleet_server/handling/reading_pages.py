"""The reading list as a page to be printed for a staff meeting, with room for notes."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.handling import finding, reading_list
from fleet_server.handling.marking import STATES
from fleet_server.handling.reach import Reader
from fleet_server.handling.texts_pages import theme_name
from fleet_server.places.models import Place, Unit
from fleet_server.results import texts
from fleet_server.results.models import ReleasedText
from fleet_server.results.subjects import reads
from fleet_server.web.deps import Now, WriteSession, read, write
from fleet_server.web.templating import render

router = APIRouter(prefix="/results/reading-list", include_in_schema=False)


@router.get("")
async def reading(request: Request, person: Reader, now: Now, done: str = "") -> Response:
    """The texts on the list, by place, oldest first. It is made to be printed, so each look is in the audit log."""
    page, count = await read(request, lambda session: _page(request, session, person, done=done))
    if count:
        await write(
            request,
            lambda session: audit.record(
                session, person, "open reading list", "person", person.id, after={"texts": count}, now=now
            ),
        )
    return page


@router.post("/clear")
def clear(
    request: Request,
    person: Reader,
    session: WriteSession,
    now: Now,
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Take all texts off the list."""
    if not confirmed:
        return _page(request, session, person, unconfirmed=True)[0]
    reading_list.take_off(session, person, reading_list.texts_of(session, person), now=now)
    return RedirectResponse("/results/reading-list?done=cleared", 303)


def _page(
    request: Request, session: Session, person: Person, *, done: str = "", unconfirmed: bool = False
) -> tuple[Response, int]:
    """The page, and how many texts are on it."""
    ids = reading_list.texts_of(session, person)
    by_place: dict[int, list[Any]] = {}
    for text, place_id in texts.chosen(session, col(ReleasedText.id).in_(ids)) if ids else []:
        by_place.setdefault(place_id, []).append(text)
    groups = []
    for place_id, listed in by_place.items():
        place = session.get_one(Place, place_id)
        # Who lost the unit since then reads its texts no more, chosen or not.
        if reads(person, session.get_one(Unit, place.unit_id).path):
            groups.append((place, finding.shown(session, listed)))
    count = sum(len(listed) for _place, listed in groups)
    page = render(
        request,
        "handling/reading_list.html",
        422 if unconfirmed else 200,
        groups=sorted(groups, key=lambda group: group[0].name.casefold()),
        count=count,
        states=STATES,
        done=done,
        unconfirmed=unconfirmed,
        theme_name=theme_name,
    )
    return page, count
