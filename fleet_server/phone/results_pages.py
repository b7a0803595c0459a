"""What everybody may see of a place: its results of the last 30 days, at its public address.

It knows no person and reads no cookie. Invariant: every figure comes from the sums that are PUBLIC, of ten visitors or
more together; while the county has not switched these pages on, there is none, whatever the code.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session, select

from fleet_server.accounts import county
from fleet_server.accounts.access import public
from fleet_server.handling.said import Note, published
from fleet_server.instants import MINUTE_MS, SECOND_MS
from fleet_server.phone.pages import NAMES
from fleet_server.places.codes import read_code
from fleet_server.places.models import Place, Unit
from fleet_server.places.periods import day_start
from fleet_server.results.items import Item, items
from fleet_server.results.models import PUBLIC
from fleet_server.results.scores import Where
from fleet_server.results.sums import PUBLIC_K
from fleet_server.web import i18n
from fleet_server.web.deps import Now, read
from fleet_server.web.forms import said
from fleet_server.web.templating import render
from fleet_server.web.units import unit_name

router = APIRouter(include_in_schema=False, dependencies=[public])
DAYS = 30
# Blocks close a few times a day at the most: ten minutes later nobody misses anything.
KEPT_S = 600


@dataclass(frozen=True)
class Seen:
    """A place as everybody may see it. `k`: visitors whose answers are shown together."""

    place: Place
    unit: Unit
    items: tuple[Item, ...]
    said_and_did: list[Note]
    since: int
    until: int
    k: int


@router.get("/p/{code}/results")
async def results(request: Request, code: str, now: Now, lang: str = "") -> Response:
    """The page in the language asked for, else the browser's."""
    accepted = request.headers.get("accept-language", "")
    language = lang if lang in i18n.LANGUAGES else i18n.negotiate(None, None, accepted)
    i18n.use(language)
    frame: dict[str, Any] = {
        "lang": language,
        "html_lang": language,
        "languages": [(one, NAMES[one], one) for one in i18n.LANGUAGES],
    }
    seen = await read(request, lambda session: see(session, code, now=now, language=language))
    if seen is None:
        return render(request, "phone/closed.html", 404, code="", place="", unit="", demo=False, **frame)
    client = request.client.host if request.client else ""
    if wait_ms := request.app.state.read_limits.take(seen.place.id or 0, client, now=now):
        minutes = -(-wait_ms // MINUTE_MS)
        answer = render(request, "phone/results_busy.html", 429, place="", minutes=minutes, **frame)
        answer.headers["retry-after"] = str(-(-wait_ms // SECOND_MS))
        return answer
    page = render(
        request,
        "phone/results.html",
        seen=seen,
        code=seen.place.code,
        place=seen.place.name,
        unit=unit_name(seen.unit),
        said=said,
        said_and_did=seen.said_and_did,
        language=language,
        **frame,
    )
    return _kept(request, page)


def see(session: Session, typed: str, *, now: int, language: str) -> Seen | None:
    """What may be seen of the place with this code; None: no such place, or these pages are not switched on."""
    rules = county.rules(session)
    code = read_code(typed) if rules.public_results else None
    place = session.exec(select(Place).where(Place.code == code)).first() if code else None
    if place is None:
        return None
    start, stop = day_start(now, 1 - DAYS), day_start(now, 1)
    found = items(
        session, Where(PUBLIC, place.id or 0), [start], lambda _day: start, stop=stop, language=language
    )
    shown = tuple(item for item in found if item.headline)
    k = max(PUBLIC_K, rules.least_respondents)
    notes = published(session, place.id or 0, language, now=now)
    return Seen(place, session.get_one(Unit, place.unit_id), shown, notes, start, stop - 1, k)


def _kept(request: Request, page: Response) -> Response:
    """Browsers and proxies may keep the page; who has it as it is gets no second copy."""
    tag = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
    headers = {"cache-control": f"public, max-age={KEPT_S}", "etag": tag, "vary": "Accept-Language"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    page.headers.update(headers)
    return page
