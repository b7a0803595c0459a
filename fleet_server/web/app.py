"""Puts the web application together: routers, middleware, static files; the link lives as long as it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.instants import now_ms
from fleet_server.mails.postman import Postman
from fleet_server.phone.limits import READ_PER_ADDRESS, READ_PER_PLACE, Limits
from fleet_server.results.printing import Printer
from fleet_server.settings import Settings
from fleet_server.web import errors
from fleet_server.web.identity import Identity
from fleet_server.web.security import MAX_BODY_BYTES, SameOriginOnly, SecurityHeaders
from fleet_server.web.templating import STATIC

# In this order; each module has a `router`. The administration of places comes before their pages:
# /places/new is none.
ROUTERS = (
    "fleet_server.accounts.pages",
    "fleet_server.accounts.people_pages",
    "fleet_server.accounts.audit_pages",
    "fleet_server.accounts.county_pages",
    "fleet_server.places.unit_pages",
    "fleet_server.places.pages",
    "fleet_server.places.hours_pages",
    "fleet_server.places.label_pages",
    "fleet_server.places.overview",
    "fleet_server.devices.pages",
    "fleet_server.devices.care_pages",
    "fleet_server.devices.epoch_pages",
    "fleet_server.devices.network_pages",
    "fleet_server.technician.pages",
    "fleet_server.technician.device_pages",
    "fleet_server.technician.report_paper",
    "fleet_server.technician.report_pages",
    "fleet_server.drafts.pages",
    "fleet_server.drafts.publish_pages",
    "fleet_server.questions.version_pages",
    "fleet_server.questions.compare_pages",
    "fleet_server.questions.pages",
    "fleet_server.drafts.sheet_pages",
    "fleet_server.drafts.texts_pages",
    "fleet_server.rollouts.new_pages",
    "fleet_server.handling.reading_pages",
    "fleet_server.handling.theme_pages",
    "fleet_server.handling.texts_pages",
    "fleet_server.handling.text_pages",
    "fleet_server.handling.question_pages",
    "fleet_server.handling.kiosk_pages",
    "fleet_server.handling.said_pages",
    "fleet_server.results.pdf_pages",
    "fleet_server.results.front_pages",
    "fleet_server.results.pages",
    "fleet_server.results.compare_pages",
    "fleet_server.results.volumes_pages",
    "fleet_server.results.export_pages",
    "fleet_server.results.national_pages",
    "fleet_server.alerts.pages",
    "fleet_server.alerts.watch_pages",
    "fleet_server.mails.pages",
    "fleet_server.mails.sent_pages",
    "fleet_server.rollouts.pages",
    "fleet_server.schedules.pages",
    "fleet_server.screens.pages",
    "fleet_server.screens.walk_pages",
    "fleet_server.drafts.look_pages",
    "fleet_server.phone.pages",
    "fleet_server.phone.results_pages",
    "fleet_server.phone.poster_pages",
    "fleet_server.web.live",
    "fleet_server.api.description",
    "fleet_server.api.v1",
    "fleet_server.api.harvesting",
    "fleet_server.api.results",
    "fleet_server.api.desk",
    "fleet_server.api.drafting",
    "fleet_server.api.choosing",
    "fleet_server.api.holidays",
    "fleet_server.api.rolling",
    "fleet_server.api.scheduling",
    "fleet_server.api.station",
    "fleet_server.api.networking",
    "fleet_server.api.health",
)
_YEAR_S = 365 * 24 * 3600


class Link(Protocol):
    """What runs beside the pages (the connection to the kiosks, the jobs), as far as they are concerned."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End in good order."""


class Static(StaticFiles):
    """Static files; those asked for with their content's hash may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        lasting = (
            f"public, max-age={_YEAR_S}, immutable"
            if scope["query_string"].startswith(b"v=")
            else "public, max-age=3600"
        )
        response.headers["cache-control"] = lasting
        return response


def create_app(
    settings: Settings,
    database: Database,
    changes: Changes,
    link: Link | None,
    jobs: Link | None = None,
    mails: Postman | None = None,
) -> FastAPI:
    """The application; `link`, `jobs` and `mails` (None: pages alone) start and stop with it."""
    printer = mails.printer if mails is not None else Printer()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts = [part for part in (link, jobs, mails) if part is not None]
        for part in parts:
            await asyncio.to_thread(part.start)
        try:
            yield
        finally:
            for part in reversed(parts):
                await asyncio.to_thread(part.stop)
            await asyncio.to_thread(printer.stop)

    app = FastAPI(
        title="Hymiö",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        max_body_size=MAX_BODY_BYTES,
    )
    state: Any = app.state
    state.settings, state.database, state.changes, state.link = settings, database, changes, link
    state.clock = now_ms
    state.printer = printer
    state.write_gate = asyncio.Lock()
    state.phone_limits = Limits()
    state.read_limits = Limits(per_place=READ_PER_PLACE, per_address=READ_PER_ADDRESS)
    app.add_middleware(Identity)
    app.add_middleware(SameOriginOnly)
    app.add_middleware(SecurityHeaders)
    errors.install(app)
    app.mount("/static", Static(directory=STATIC), name="static")
    app.router.routes.extend(_routes(settings.demo))
    return app


# What each route needs is worked out when it is first asked for, which takes longer than most answers.
@cache
def _routes(demo: bool) -> list[BaseRoute]:
    """The routes of all applications of this process."""
    whole = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=MAX_BODY_BYTES)
    for module in ROUTERS + (("fleet_server.demo.screen_pages", "fleet_server.demo.pages") if demo else ()):
        whole.include_router(import_module(module).router)
    return whole.router.routes
