"""The PDF of a results page. It decides nothing about what may be shown."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.accounts.access import Person
from fleet_server.refusals import N_
from fleet_server.results import choosing, paper
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.pages import Reader, Shown
from fleet_server.results.printing import CannotPrint
from fleet_server.results.spans import as_of
from fleet_server.results.summary import summary
from fleet_server.web.deps import Now, RowId, read
from fleet_server.web.i18n import _, language

router = APIRouter(prefix="/results", include_in_schema=False)
Choice = Annotated[Shown, Depends()]
# Browsers show a PDF in a page of their own making, for which the policy of the pages is too strict.
VIEWER = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
NO_PDF = N_("PDFs cannot be made on this server. Print the page instead.")


@router.get("/units/{unit_id}.pdf")
async def unit_pdf(request: Request, unit_id: RowId, person: Reader, now: Now, choice: Choice) -> Response:
    """What was answered in a unit and all below it, on paper."""
    return await _pdf(request, person, f"{UNIT}-{unit_id}", choice, now)


@router.get("/places/{place_id}.pdf")
async def place_pdf(request: Request, place_id: RowId, person: Reader, now: Now, choice: Choice) -> Response:
    """What was answered at a place, on paper."""
    return await _pdf(request, person, f"{PLACE}-{place_id}", choice, now)


async def _pdf(request: Request, person: Person, value: str, choice: Shown, now: int) -> Response:
    now = as_of(choice.until, now)

    def page(session: Session) -> tuple[str, str]:
        subject = choosing.chosen(session, person, value)
        if subject is None:
            raise HTTPException(404)
        found = summary(session, subject, choice.span, now=now, language=language())
        return paper.paper(session, subject, choice.span, now=now, found=found), paper.file_name(
            subject, found
        )

    html, name = await read(request, page)
    try:
        pdf = await asyncio.wrap_future(request.app.state.printer.print(html))
    except CannotPrint:
        raise HTTPException(503, _(NO_PDF)) from None
    headers = {"content-disposition": f'inline; filename="{name}"', "content-security-policy": VIEWER}
    return Response(pdf, media_type="application/pdf", headers=headers)
