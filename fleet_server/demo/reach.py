"""Who may reach which virtual kiosk, and one request to it. It knows neither its front nor its pages."""

from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person, visible_devices
from fleet_server.demo.kiosks import DemoKiosk
from provisioning.errors import ProvisioningError


def visible(request: Request, person: Person, session: Session) -> list[DemoKiosk]:
    """The kiosks of the demonstration that this person may see."""
    may_see = set(session.connection().execute(visible_devices(person)).scalars())
    return [kiosk for kiosk in request.app.state.kiosks.values() if kiosk.device_id in may_see]


def kiosk_of(kiosks: list[DemoKiosk], device_id: str) -> DemoKiosk:
    """The one with this id; 404 when it is not among them."""
    for kiosk in kiosks:
        if kiosk.device_id == device_id:
            return kiosk
    raise HTTPException(404, f"there is no virtual kiosk {device_id!r}")


async def do(request: Request, kiosk: DemoKiosk, what: str, **arguments: Any) -> Response:
    """Ask the kiosk; then back to its page, or `{"ok": true}` for a script. 409 with the kiosk's own line."""
    try:
        await kiosk.kiosk.ask(what, **arguments)
    except ProvisioningError as fault:
        return JSONResponse({"error": str(fault)}, status_code=409)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"ok": True})
    return RedirectResponse(f"/try/{kiosk.device_id}", status_code=303)
