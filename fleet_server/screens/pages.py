"""A question set as its kiosks show it: a page with every screen, and each of them as a picture.

Whoever may see sets may see this; what is shown and drawn is the gallery's.
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.accounts.access import SignedIn
from fleet_server.questions import service
from fleet_server.questions.models import QuestionSet
from fleet_server.screens.gallery import gallery_of, picture_below, png_of
from fleet_server.web.deps import ReadSession, RowId
from fleet_server.web.templating import render

router = APIRouter(prefix="/question-sets", include_in_schema=False)

_KEPT_S = 3600


@router.get("/{number}/screens")
def gallery(
    request: Request,
    number: RowId,
    _person: SignedIn,
    session: ReadSession,
    model: Annotated[str, Query(max_length=20)] = "",
    language: Annotated[str, Query(max_length=3)] = "",
    mode: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Every screen of the set for one model in one language and mode; switches are links."""
    row = _row(session, number)
    shown = gallery_of(service.body_of(row), _base(number), str(number), model, language, mode)
    return render(request, "questions/screens.html", set=row, **shown)


@router.get("/{number}/screens/{model}/{key}.png")
def picture(
    number: RowId,
    model: Annotated[str, Path(pattern="^[a-z0-9]{1,20}$")],
    key: Annotated[str, Path(pattern="^[a-z0-9-]{1,30}$")],
    _person: SignedIn,
    session: ReadSession,
    language: Annotated[str, Query(max_length=3)],
    mode: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """One screen as a PNG."""
    png = png_of(service.body_of(_row(session, number)), model, key, language, mode)
    return Response(png, media_type="image/png", headers={"cache-control": f"private, max-age={_KEPT_S}"})


def picture_of(number: int, fault: str) -> str:
    """The address of the picture that shows a fault of a set, '' when none does."""
    return picture_below(_base(number), fault)


def _base(number: int) -> str:
    return f"/question-sets/{number}/screens"


def _row(session: Session, number: int) -> QuestionSet:
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    return row
