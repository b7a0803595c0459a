"""A question set as its kiosks show it: a page with every screen, and each of them as a picture.

Whoever may see sets may see this. What is drawn is remembered: a set never changes, and drawing is slow work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.accounts.access import SignedIn
from fleet_server.questions import service
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of
from fleet_server.questions.types import LANGUAGES
from fleet_server.questions.views import view_bytes, view_faults
from fleet_server.refusals import N_
from fleet_server.screens import drawing, marking
from fleet_server.screens.check import Mode, ScreenFault, page_of, screen_faults
from fleet_server.screens.scenes import Shown, scenes, without_set
from fleet_server.web.deps import ReadSession, RowId
from fleet_server.web.forms import said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render
from provisioning.models import MODELS

router = APIRouter(prefix="/question-sets", include_in_schema=False)

MODE_SWITCHES = {"contrast": N_("High contrast"), "large": N_("Large text"), "low": N_("Low reach")}
KIND_NAMES = {
    "rest": N_("Resting screen"),
    "ask": N_("Asked"),
    "chosen": N_("An answer is marked"),
    "countdown": N_("Nobody touches it any more"),
    "text": N_("Open text"),
    "written": N_("Something is written"),
    "phone": N_("Go on with a phone"),
    "thanks": N_("Thank you"),
    "start": N_("Starting"),
    "wait": N_("Being cleaned, or one moment"),
    "full": N_("Cannot store answers"),
    "out": N_("Out of service"),
}
_DRAWN = 400  # pictures of some 10 kB: a set in three languages and a few modes
_KEPT_S = 3600


@dataclass(frozen=True)
class Picture:
    """One screen of the page. `question`: its code, '' for a screen of none. `texts`: what is read on it."""

    address: str
    name: str
    question: str
    texts: tuple[str, ...]
    misfits: tuple[str, ...]
    width: int
    height: int


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
    body = service.body_of(row)
    faults = [said(fault) for fault in faults_of(body)]
    models = [] if faults else _models(body)
    refused = {} if faults else _refusals(body)
    context: dict[str, Any] = {"set": row, "faults": faults, "models": models, "refused": refused}
    if models:
        chosen = _one_of(model, models)
        code = _one_of(language, body["languages"])
        modes = _modes(mode) if MODELS[chosen].screen == "touch" else ()
        screen = screen_faults(body, chosen)
        context |= {
            "model": chosen,
            "code": code,
            "languages": [(one, _(LANGUAGES[one])) for one in body["languages"]],
            "mode": ",".join(modes),
            "switches": _switches(modes) if MODELS[chosen].screen == "touch" else [],
            "screen_faults": [(said(fault), picture_of(number, fault)) for fault in screen],
            "pictures": _pictures(row, body, chosen, code, modes),
        }
    return render(request, "questions/screens.html", **context)


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
    """One screen as a PNG; what has no room on it is framed."""
    body = service.body_of(_row(session, number))
    if faults_of(body) or model not in _models(body) or language not in body["languages"]:
        raise HTTPException(404)
    try:
        png = _draw(view_bytes(body, model), model, key, body["languages"].index(language), _modes(mode))
    except KeyError:
        raise HTTPException(404) from None
    return Response(png, media_type="image/png", headers={"cache-control": f"private, max-age={_KEPT_S}"})


def picture_of(number: int, fault: str) -> str:
    """The address of the picture that shows a fault, '' when none does."""
    if not isinstance(fault, ScreenFault) or not fault.key:
        return ""
    return _address(number, fault.model, fault.key, fault.language, fault.mode)


def _address(number: int, model: str, key: str, language: str, mode: Mode) -> str:
    more = f"&mode={','.join(mode)}" if mode else ""
    return f"/question-sets/{number}/screens/{model}/{key}.png?language={language}{more}"


def _row(session: Session, number: int) -> QuestionSet:
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    return row


def _models(body: dict[str, Any]) -> list[str]:
    """The models with a screen that can ask this good set, the touchscreen first."""
    found = [name for name, model in MODELS.items() if model.size and not view_faults(body, name)]
    return sorted(found, key=lambda name: MODELS[name].screen != "touch")


def _refusals(body: dict[str, Any]) -> dict[str, list[str]]:
    """Why the other models with a screen cannot ask it."""
    found = {name: view_faults(body, name) for name, model in MODELS.items() if model.size}
    return {name: [said(fault) for fault in faults] for name, faults in found.items() if faults}


def _one_of(wanted: str, known: list[str]) -> str:
    return wanted if wanted in known else known[0]


def _modes(wanted: str) -> Mode:
    return tuple(name for name in MODE_SWITCHES if name in wanted.split(","))


def _switches(modes: Mode) -> list[tuple[str, bool, str]]:
    """(name, whether it is on, the mode after switching it)."""
    found = []
    for name, text in MODE_SWITCHES.items():
        others = [one for one in MODE_SWITCHES if (one in modes) != (one == name)]
        found.append((_(text), name in modes, ",".join(others)))
    return found


def _pictures(row: QuestionSet, body: dict[str, Any], model: str, code: str, modes: Mode) -> list[Picture]:
    kiosk = MODELS[model]
    laid_out = drawing.read_view(view_bytes(body, model))
    language = laid_out["languages"].index(code)
    width, height = kiosk.size or (0, 0)
    found = []
    for shown in [*_worth_a_look(scenes(laid_out, kiosk), laid_out), *without_set(kiosk)]:
        page = page_of(shown, laid_out, model, language, modes)
        question = "" if shown.question is None else laid_out["questions"][shown.question]["code"]
        found.append(
            Picture(
                address=_address(row.number, model, shown.key, code, modes),
                name=_(KIND_NAMES[shown.kind]),
                question=question,
                texts=marking.texts_of(page),
                misfits=tuple(dict.fromkeys(text for _role, text in page.overflows if text)),
                width=width,
                height=height,
            )
        )
    return found


def _worth_a_look(shown: list[Shown], laid_out: dict[str, Any]) -> Iterator[Shown]:
    """All but what only repeats: a marked answer, and a text that was begun, once for each way of answering."""
    seen: set[tuple[str, str]] = set()
    for one in shown:
        if one.kind in ("chosen", "written") and one.question is not None:
            way = one.kind, laid_out["questions"][one.question]["type"]
            if way in seen:
                continue
            seen.add(way)
        yield one


@lru_cache(maxsize=_DRAWN)
def _draw(raw: bytes, model: str, key: str, language: int, mode: Mode) -> bytes:
    """Raises KeyError for a key that this view has not."""
    laid_out, kiosk = drawing.read_view(raw), MODELS[model]
    by_key: dict[str, Shown] = {shown.key: shown for shown in [*scenes(laid_out, kiosk), *without_set(kiosk)]}
    page = page_of(by_key[key], laid_out, model, language, mode)
    return drawing.picture(marking.framed(page), model)
