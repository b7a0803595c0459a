"""Finds out, once for each request, who asks and in which language to answer. It allows and refuses nothing.

`request.state.person` is a Person or None. A browser is known by its session's cookie; a program by a bearer
token, and only below /api/.
"""

from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from fleet_server.accounts import sessions, tokens
from fleet_server.accounts.access import Person, may
from fleet_server.accounts.models import Role
from fleet_server.alerts import service as alerts
from fleet_server.web import i18n
from fleet_server.web.deps import read, write

# Who answers by phone is nobody, whatever cookies the phone has.
_WITHOUT = ("/static/", "/health/", "/p/")


class Identity:
    """ASGI middleware: sets the person and the language of the request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and not scope["path"].startswith(_WITHOUT):
            request = Request(scope)
            person, request.state.alerts = await _who(request)
            request.state.person = person
            i18n.use(
                i18n.negotiate(
                    person.language if person and person.kind == "user" else None,
                    request.cookies.get(i18n.COOKIE),
                    request.headers.get("accept-language", ""),
                )
            )
        await self.app(scope, receive, send)


def session_cookie(secure: bool) -> str:
    """Name of the session's cookie; behind HTTPS with the prefix that binds it to this host and to HTTPS."""
    return "__Host-hymio_session" if secure else "hymio_session"


async def _who(request: Request) -> tuple[Person | None, int]:
    """Who asks, and how many alerts wait for them: one look for both, since every page shows it."""
    now = request.app.state.clock()
    kind: Any = sessions
    secret = request.cookies.get(session_cookie(request.app.state.settings.secure_cookies), "")
    if request.url.path.startswith("/api/") and "authorization" in request.headers:
        scheme, _space, sent = request.headers["authorization"].partition(" ")
        kind, secret = tokens, sent.strip() if scheme.lower() == "bearer" else ""
    if not secret:
        return None, 0

    def look(session: Session) -> tuple[Person | None, bool, int]:
        person, stale = kind.person_of(session, secret, now=now)
        return person, stale, alerts.open_count(session, person) if _has_alerts(person) else 0

    person, stale, waiting = await read(request, look)
    if stale:
        await write(request, lambda session: kind.touch(session, secret, now=now))
    return person, waiting


def _has_alerts(person: Person | None) -> bool:
    """Whose menu has them: programs and other roles have none, and need no look."""
    if person is None or person.kind != "user":
        return False
    return may(person, Role.SUPERVISOR) or may(person, Role.COORDINATOR)
