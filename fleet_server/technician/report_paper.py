"""An acceptance report as a PDF of one sheet, for the kiosk's papers. It decides nothing of what is in it."""

import asyncio

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.accounts.access import SignedIn
from fleet_server.instants import local
from fleet_server.results.pdf_pages import NO_PDF, VIEWER
from fleet_server.results.printing import CannotPrint
from fleet_server.technician.report_pages import DeviceId, content
from fleet_server.web.deps import Now, RowId, read
from fleet_server.web.i18n import _, language
from fleet_server.web.templating import templates

router = APIRouter(include_in_schema=False, prefix="/devices/{device_id}/acceptance")


@router.get("/{report_id}.pdf")
async def pdf(
    request: Request, device_id: DeviceId, report_id: RowId, person: SignedIn, now: Now
) -> Response:
    """The report with serial number, versions and date."""

    def page(session: Session) -> tuple[str, str]:
        shown = content(session, person, device_id, report_id)
        day = local(shown["kept"].tested_at).date().isoformat()
        template = templates.get_template("technician/report_paper.html")
        return template.render(
            language=language(), printed_at=now, **shown
        ), f"acceptance-{device_id}-{day}.pdf"

    html, name = await read(request, page)
    try:
        made = await asyncio.wrap_future(request.app.state.printer.print(html))
    except CannotPrint:
        raise HTTPException(503, _(NO_PDF)) from None
    headers = {"content-disposition": f'inline; filename="{name}"', "content-security-policy": VIEWER}
    return Response(made, media_type="application/pdf", headers=headers)
