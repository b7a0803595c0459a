"""Every screen of a body as its kiosks show it, for the pages of sets and of drafts; what is drawn is remembered.

It knows no database and no route: `base` is the address below which the pictures are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fastapi import HTTPException

from fleet_server.questions.faults import called
from fleet_server.questions.schema import faults_of
from fleet_server.questions.types import LANGUAGES
from fleet_server.questions.views import view_faults, views_bytes
from fleet_server.refusals import N_
from fleet_server.screens import drawing, marking
from fleet_server.screens.check import Mode, ScreenFault, page_of, screen_faults, turn_key
from fleet_server.screens.scenes import Shown, scenes, without_set
from fleet_server.web.forms import said
from fleet_server.web.i18n import _
from provisioning.models import MODELS

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


def gallery_of(
    body: dict[str, Any], base: str, name: str, model: str, language: str, mode: str
) -> dict[str, Any]:
    """What the page of a body's screens shows, for the model, language and mode that were asked for, or the first.

    A body with faults is shown in those of its languages that have none. `name`: what its faults call it.
    """
    own = faults_of(body)
    faults = [said(called(fault, name)) for fault in own]
    shown = without_faulty_languages(body) if own else body
    models = models_with_screens(shown) if shown else []
    context: dict[str, Any] = {"faults": faults, "models": models, "base": base}
    context["refused"] = _refusals(shown, name) if shown else {}
    if shown and models:
        chosen = _one_of(model, models)
        code = _one_of(language, shown["languages"])
        modes = _modes(mode) if MODELS[chosen].screen == "touch" else ()
        screen = screen_faults(shown, chosen)
        context |= {
            "model": chosen,
            "code": code,
            "languages": [(one, _(LANGUAGES[one])) for one in shown["languages"]],
            "mode": ",".join(modes),
            "switches": _switches(modes) if MODELS[chosen].screen == "touch" else [],
            "screen_faults": [(said(called(fault, name)), picture_below(base, fault)) for fault in screen],
            "pictures": _pictures(base, shown, chosen, code, modes),
        }
    return context


def png_of(body: dict[str, Any], model: str, key: str, language: str, mode: str) -> bytes:
    """One screen as a PNG; what has no room on it is framed. Raises HTTPException 404 for what there is not."""
    shown = without_faulty_languages(body) if faults_of(body) else body
    if not shown or model not in models_with_screens(shown) or language not in shown["languages"]:
        raise HTTPException(404)
    try:
        place, view = _turn_of(shown, model, key)
        key = key.removesuffix(f"-{place + 1}") if place else key
        return _draw(view, model, key, shown["languages"].index(language), _modes(mode))
    except KeyError:
        raise HTTPException(404) from None


def without_faulty_languages(body: dict[str, Any]) -> dict[str, Any] | None:
    """The body in those languages in which it has no fault; None when there is none."""
    languages = body.get("languages")
    if not isinstance(languages, list):
        return None
    good = [one for one in languages if not faults_of(body | {"languages": [one]})]
    return body | {"languages": good} if good and not faults_of(body | {"languages": good}) else None


def models_with_screens(body: dict[str, Any]) -> list[str]:
    """The models with a screen that can ask this good body, the touchscreen first."""
    found = [name for name, model in MODELS.items() if model.size and not view_faults(body, name)]
    return sorted(found, key=lambda name: MODELS[name].screen != "touch")


def picture_below(base: str, fault: str) -> str:
    """The address of the picture that shows a fault, '' when none does."""
    if not isinstance(fault, ScreenFault) or not fault.key:
        return ""
    return _address(base, fault.model, fault.key, fault.language, fault.mode)


def _address(base: str, model: str, key: str, language: str, mode: Mode) -> str:
    more = f"&mode={','.join(mode)}" if mode else ""
    return f"{base}/{model}/{key}.png?language={language}{more}"


def _refusals(body: dict[str, Any], name: str) -> dict[str, list[str]]:
    """Why the other models with a screen cannot ask it."""
    found = {model: view_faults(body, model) for model in MODELS if MODELS[model].size}
    return {
        model: [said(called(fault, name)) for fault in faults] for model, faults in found.items() if faults
    }


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


def _pictures(base: str, body: dict[str, Any], model: str, code: str, modes: Mode) -> list[Picture]:
    kiosk = MODELS[model]
    turns = [drawing.read_view(view) for view in views_bytes(body, model)]
    width, height = kiosk.size or (0, 0)
    found = []
    screens = [
        (turn_key(shown.key, place), shown, laid_out)
        for place, laid_out in enumerate(turns)
        for shown in _worth_a_look(scenes(laid_out, kiosk), laid_out)
    ]
    screens += [(shown.key, shown, turns[0]) for shown in without_set(kiosk)]
    for key, shown, laid_out in screens:
        language = laid_out["languages"].index(code)
        page = page_of(shown, laid_out, model, language, modes)
        question = "" if shown.question is None else laid_out["questions"][shown.question]["code"]
        found.append(
            Picture(
                address=_address(base, model, key, code, modes),
                name=_(KIND_NAMES[shown.kind]),
                question=question,
                texts=marking.texts_of(page),
                misfits=tuple(dict.fromkeys(text for _role, text in page.overflows if text)),
                width=width,
                height=height,
            )
        )
    return found


def _turn_of(body: dict[str, Any], model: str, key: str) -> tuple[int, bytes]:
    """The place in the turns of the question on this screen, and its view."""
    views = views_bytes(body, model)
    place = next((place for place in range(1, len(views)) if key.endswith(f"-{place + 1}")), 0)
    return place, views[place]


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
