"""`/api/v1/openapi.json`: the description of the whole API. It knows its parts, and what none of them answers."""

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from fleet_server.accounts.access import public
from fleet_server.api import (
    choosing,
    desk,
    drafting,
    harvesting,
    holidays,
    results,
    rolling,
    scheduling,
    station,
    v1,
)

router = APIRouter(prefix="/api/v1")

PARTS = (v1, results, desk, drafting, choosing, holidays, rolling, scheduling, station, harvesting)
DESCRIPTION = (
    "Send `Authorization: Bearer hymio_…`. Volumes (`counts`: how many pressed) are as of now. What was answered "
    "(`results`, `texts`) is given in closed blocks of at least as many visitors as the county decided, never singly, "
    "to supervisors and coordinators of the unit; what is in no block yet is `withheld`, which is not zero."
)


@router.get("/openapi.json", include_in_schema=False, dependencies=[public])
def openapi() -> JSONResponse:
    """The description of this API. It tells how to ask, not what is answered, so anybody may read it."""
    description = get_openapi(
        title="Hymiö",
        version="1",
        summary="Feedback kiosks: devices, places, counts, results, question sets and their way to the kiosks",
        description=DESCRIPTION,
        routes=[route for part in PARTS for route in part.router.routes],
    )
    description["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    description["security"] = [{"token": []}]
    return JSONResponse(description)
