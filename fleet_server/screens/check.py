"""Whether a question set can be read on a model's screen: every text has room there, and every letter a font.

It lays out what a kiosk would, with the kiosk's own code, in every language and mode, and draws no pixel.
Invariant: a set without a fault here has no screen with a text that is cut, on any model with this screen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fleet_server.questions.turns import each_turn
from fleet_server.questions.types import LANGUAGES
from fleet_server.questions.views import view, view_bytes
from fleet_server.refusals import N_, Sentence
from fleet_server.screens import drawing
from fleet_server.screens.scenes import Shown, scenes
from provisioning.models import MODELS

Mode = tuple[str, ...]
# High contrast changes colours alone. Each of these may be chosen by a visitor, so each has to hold.
MODES: tuple[Mode, ...] = ((), ("large",), ("low",), ("large", "low"))
MODE_NAMES: dict[Mode, str] = {
    ("large",): N_("large text"),
    ("low",): N_("low reach"),
    ("large", "low"): N_("large text and low reach"),
}
SHOWN_TEXT = 80


@dataclass(frozen=True)
class Misfit:
    """`text` has no room on the screen `key` (see scenes.py) in this language and mode."""

    key: str
    language: str
    mode: Mode
    text: str


class ScreenFault(Sentence):
    """A fault that can be looked at: `key`, `language`, `mode` and `model` name the picture ('' without one)."""

    key: str = ""
    language: str = ""
    mode: Mode = ()
    model: str = ""


def screen_faults(body: dict[str, Any], model: str) -> list[str]:
    """Why a set that `model` can ask cannot be read there: letters first, for a box in the place of one has a width."""
    if MODELS[model].screen == "none":
        return []
    if MODELS[model].screen == "paper" and len(turns := each_turn(body)) > 1:
        return [fault for place, turn in enumerate(turns) for fault in _of_turn(turn, model, place)]
    who = body["number"]
    letters = [
        Sentence(
            N_(
                "question set %(who)s: %(language)s has the letter %(letter)r (%(code)s), "
                "which no font of model %(model)s has"
            ),
            who=who, language=LANGUAGES[language], letter=letter, code=f"U+{ord(letter):04X}", model=model,
        )
        for language, letter in _unknown_letters(view(body, model), MODELS[model].screen)
    ]  # fmt: skip
    return [*letters, *(_said(who, model, misfit) for misfit in misfits(body, model))]


def _of_turn(turn: dict[str, Any], model: str, place: int) -> list[str]:
    """The faults of one of several questions that take turns; their pictures are named by `turn_key`."""
    faults = screen_faults(turn, model)
    for fault in faults:
        if isinstance(fault, ScreenFault) and fault.key:
            fault.key = turn_key(fault.key, place)
    return faults


def turn_key(key: str, place: int) -> str:
    """The name of a screen of the question at this place in the turns."""
    return f"{key}-{place + 1}" if place else key


def misfits(body: dict[str, Any], model: str) -> tuple[Misfit, ...]:
    """Each text that has no room, once per language, where that shows first. Remembered: a set never changes."""
    return _misfits(view_bytes(body, model), model)


@lru_cache(maxsize=64)
def _misfits(raw: bytes, model: str) -> tuple[Misfit, ...]:
    return tuple(_look(drawing.read_view(raw), model))


def _look(laid_out: dict[str, Any], model: str) -> Iterator[Misfit]:
    kiosk = MODELS[model]
    seen: set[tuple[str, str]] = set()
    for mode in MODES if kiosk.screen == "touch" else MODES[:1]:
        for shown in scenes(laid_out, kiosk):
            for place, language in enumerate(laid_out["languages"]):
                for _role, text in page_of(shown, laid_out, model, place, mode).overflows:
                    # A picture without room is the layout's own fault and its tests' to find, no author's.
                    if text and (language, text) not in seen:
                        seen.add((language, text))
                        yield Misfit(shown.key, language, mode, text)


def page_of(shown: Shown, laid_out: dict[str, Any], model: str, language: int, mode: Mode) -> Any:
    """The page of one screen, by the code of the model's kiosk."""
    if MODELS[model].screen == "paper":
        return drawing.paper_page(shown.scene, laid_out, language)
    return drawing.page(shown.scene, laid_out, language, mode)


def _said(who: int, model: str, misfit: Misfit) -> ScreenFault:
    text = misfit.text if len(misfit.text) <= SHOWN_TEXT else misfit.text[: SHOWN_TEXT - 1] + "…"
    values = {"who": who, "model": model, "language": LANGUAGES[misfit.language], "text": text}
    if misfit.mode:
        said = ScreenFault(
            N_(
                "question set %(who)s: “%(text)s” (%(language)s) has no room on the screen of model %(model)s "
                "with %(mode)s; say it shorter"
            ),
            mode=MODE_NAMES[misfit.mode],
            **values,
        )
    else:
        said = ScreenFault(
            N_(
                "question set %(who)s: “%(text)s” (%(language)s) has no room on the screen of model %(model)s; "
                "say it shorter"
            ),
            **values,
        )
    said.key, said.language, said.mode, said.model = misfit.key, misfit.language, misfit.mode, model
    return said


def _unknown_letters(laid_out: dict[str, Any], screen: str) -> list[tuple[str, str]]:
    """(language, letter) of each letter that no font of this screen has."""
    known = drawing.letters(screen)
    found = []
    for language in laid_out["languages"]:
        letters = {letter for text in _texts(laid_out, language) for letter in text}
        found += [(language, letter) for letter in sorted(letters - known)]
    return found


def _texts(laid_out: dict[str, Any], language: str) -> Iterator[str]:
    for question in laid_out["questions"]:
        yield question["text"][language]
        yield from question.get("labels", {}).get(language, ())
    yield laid_out["thanks"][language]
    for texts in laid_out.get("words", {}).values():
        yield texts[language]
