"""The page behind a place's QR code: one form, for whoever scanned it; nobody signs in and nobody is told apart.

It reads no cookie and sets none, and no address of a phone is stored. Invariant: the thanks come after the commit, and
whatever is refused comes back filled in.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from fleet_server.accounts import county
from fleet_server.accounts.access import public
from fleet_server.answers.wire import MAX_TEXT_BYTES
from fleet_server.instants import MINUTE_MS, SECOND_MS
from fleet_server.phone import numbers, sheet
from fleet_server.phone.receiving import Sent, Spot, book_form, read_form, set_of, spot_of
from fleet_server.places.tree import unit_name
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.types import HTML_CODES
from fleet_server.refusals import N_, Refused
from fleet_server.web import i18n
from fleet_server.web.deps import Now, read, write
from fleet_server.web.forms import messages
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False, dependencies=[public])

NAMES = {"fi": "Suomi", "sv": "Svenska", "en": "English"} | {
    "sme": "Davvisámegiella", "smn": "Anarâškielâ", "sms": "Nuõrttsääʹmǩiõll",
}  # fmt: skip

OLD = N_("This form was open for a long time. Your answers are still here: please send them again.")
OTHER = N_("This form belongs to another place or time. Please look at the questions here and send again.")
EMPTY = N_("Nothing is filled in yet. One answer is enough.")
FAULTY = N_("Something needs another look; it is marked below. Your answers are still here.")
HUGE = N_("That was too much to take in, and nothing was saved.")


@router.get("/p/{code}")
async def form(request: Request, code: str, now: Now, lang: str = "") -> Response:
    """An empty form in the language asked for, else the phone's."""
    spot = await _spot(request, code, now)
    if spot is None or spot.current is None:
        return _closed(request, spot, lang)
    return _form(request, spot, spot.current, lang, numbers.new_number(now), Sent({}))


@router.post("/p/{code}")
async def send(request: Request, code: str, now: Now) -> Response:
    """Book a filled-in form, once, and go on to the thanks; or give it back filled in, with the reason."""
    spot = await _spot(request, code, now)
    if spot is None or spot.current is None:
        return _closed(request, spot, "")
    sent = await read_form(request)
    if sent is None:
        return _form(request, spot, spot.current, "", numbers.new_number(now), Sent({}), HUGE, 413)
    asked = await read(request, lambda session: set_of(session, spot, sent.one("set")))
    row = asked or spot.current
    lang = _language(request, questions.body_of(row)["languages"], sent.one("to") or sent.one("lang"))
    is_open = numbers.is_open(sent.one("number"), now)
    number = sent.one("number") if is_open else numbers.new_number(now)

    def again(notice: str = "", status: int = 200, faults: Mapping[str, str] | None = None) -> Response:
        return _form(request, spot, row, lang, number, sent, notice, status, faults)

    if sent.one("to"):
        return again()
    if asked is None or lang != sent.one("lang"):
        return again(OTHER, 409)
    if not is_open:
        return again(OLD, 409)
    try:
        shown = sheet.questions_of(questions.body_of(row), lang, number, sent.fields)
        answers = sheet.answers_of(shown, sent.fields)
    except Refused as refused:
        return again(FAULTY, 422, messages(refused))
    if not answers:
        return again(EMPTY, 422)
    client = request.client.host if request.client else ""
    if wait_ms := request.app.state.phone_limits.take(spot.place.id, client, now=now):
        answer = again(_wait(wait_ms), 429)
        answer.headers["retry-after"] = str(-(-wait_ms // SECOND_MS))
        return answer
    is_new = await write(request, lambda session: book_form(session, spot, number, row, lang, answers, now))
    if is_new:
        request.app.state.changes.notify(f"place:{spot.place.id}")
    what = f"lang={lang}&set={row.number}{'' if is_new else '&again=1'}"
    return RedirectResponse(f"/p/{spot.place.code}/thanks?{what}", 303)


@router.get("/p/{code}/thanks")
async def thanks(
    request: Request,
    code: str,
    now: Now,
    lang: str = "",
    set: str = "",  # noqa: A002  (the address's word)
    again: str = "",
) -> Response:
    """The thanks of the set that was answered; `again`: it had been sent before."""
    spot = await _spot(request, code, now)
    if spot is None or spot.current is None:
        return _closed(request, spot, lang)
    row = await read(request, lambda session: set_of(session, spot, set))
    body = questions.body_of(row or spot.current)
    lang = _language(request, body["languages"], lang)
    shared = await read(request, lambda session: county.rules(session).public_results)
    words = {"thanks": body["thanks"][lang], "again": bool(again), "shared": shared}
    return render(request, "phone/thanks.html", **_frame(spot, lang, ()), **words)


async def _spot(request: Request, code: str, now: int) -> Spot | None:
    public_address = request.app.state.settings.public_address
    return await read(request, lambda session: spot_of(session, code, public_address, now=now))


def _language(request: Request, languages: Sequence[str], wanted: str) -> str:
    """The language of the page, one of the set's; the words around it are Finnish where there are none in it."""
    if wanted not in languages:
        wanted = i18n.negotiate(None, None, request.headers.get("accept-language", ""))
    if wanted not in languages:
        wanted = languages[0]
    i18n.use(wanted)
    return wanted


def _wait(wait_ms: int) -> str:
    minutes = -(-wait_ms // MINUTE_MS)
    return i18n.ngettext(
        "A great many answers come from here just now. Yours are still here: "
        "please send them again in %(num)s minute.",
        "A great many answers come from here just now. Yours are still here: "
        "please send them again in %(num)s minutes.",
        minutes,
    ) % {"num": minutes}


def _form(
    request: Request,
    spot: Spot,
    row: QuestionSet,
    lang: str,
    number: str,
    sent: Sent,
    notice: str = "",
    status: int = 200,
    faults: Mapping[str, str] | None = None,
) -> Response:
    """The form of this set with what was filled in."""
    body = questions.body_of(row)
    lang = _language(request, body["languages"], lang)
    context: dict[str, Any] = {
        "set": row.number,
        "number": number,
        "questions": sheet.questions_of(body, lang, number, sent.fields),
        "filled": sent.fields,
        "errors": faults or {},
        "notice": _(notice) if notice else "",
        "most_bytes": MAX_TEXT_BYTES,
        "cant_say": _(sheet.CANT_SAY_LABEL),
    }
    return render(request, "phone/form.html", status, **_frame(spot, lang, body["languages"]), **context)


def _closed(request: Request, spot: Spot | None, lang: str) -> Response:
    """Calmly: there is no such place (and nobody learns which there are), or it asks nothing now."""
    lang = _language(request, i18n.LANGUAGES, lang)
    status = 404 if spot is None else 200
    return render(request, "phone/closed.html", status, **_frame(spot, lang, i18n.LANGUAGES))


def _frame(spot: Spot | None, lang: str, languages: Sequence[str]) -> dict[str, Any]:
    return {
        "code": spot.place.code if spot else "",
        "place": spot.place.name if spot else "",
        "unit": unit_name(spot.unit, i18n.language()) if spot else "",
        "demo": bool(spot and spot.place.demo),
        "lang": lang,
        "html_lang": HTML_CODES.get(lang, lang),
        "languages": [(code, NAMES[code], HTML_CODES.get(code, code)) for code in languages],
    }
