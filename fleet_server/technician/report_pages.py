"""A device's acceptance reports: a list, and each as a page that prints on one sheet."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, visible_devices
from fleet_server.devices.models import Device
from fleet_server.results.printing import available
from fleet_server.technician import reports
from fleet_server.technician.steps import step_name
from fleet_server.web.deps import ReadSession, RowId
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False, prefix="/devices/{device_id}/acceptance")
DeviceId = Annotated[str, Path(pattern="^[a-z0-9]{12}$")]


@router.get("")
def newest(request: Request, device_id: DeviceId, person: SignedIn, session: ReadSession) -> Response:
    """The newest report; a page that says what will be here while there is none."""
    device = _visible(session, person, device_id)
    kept = reports.of_device(session, device_id)
    if kept:
        return RedirectResponse(f"/devices/{device_id}/acceptance/{kept[0].id}", 303)
    return render(request, "technician/no_report.html", device=device)


@router.get("/{report_id}")
def one(
    request: Request, device_id: DeviceId, report_id: RowId, person: SignedIn, session: ReadSession
) -> Response:
    """One report, to read and to print."""
    shown = content(session, person, device_id, report_id)
    others = [report for report in reports.of_device(session, device_id) if report.id != report_id]
    return render(request, "technician/report.html", others=others, can_print=available(), **shown)


def content(session: Session, person: Person, device_id: str, report_id: int) -> dict[str, Any]:
    """What page and paper show of a report. Raises HTTPException 404 for one that this person may not see."""
    device = _visible(session, person, device_id)
    found = next((one for one in reports.of_device(session, device_id) if one.id == report_id), None)
    if found is None:
        raise HTTPException(404)
    results = {name: _(text) for name, text in reports.RESULTS.items()}
    return {"device": device, "kept": found, "results": results, "step_name": step_name}


def _visible(session: Session, person: Person, device_id: str) -> Device:
    row = session.exec(
        select(Device).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    ).first()
    if row is None:
        raise HTTPException(404)
    return row
