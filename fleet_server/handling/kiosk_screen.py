"""A note of what was said and done on a touch kiosk's resting screen: whether it has room there, and how it looks.

It lays out what the kiosk would, with the kiosk's own code, and knows no database. Invariant: a note with which `look`
finds no fault has room on every resting screen that shows notes, whatever the kiosk asks.
"""

from functools import cache, lru_cache
from typing import Any

from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view
from fleet_server.refusals import N_, Faults
from fleet_server.screens import drawing

from kiosk.said_rules import LANGUAGES, MOST_TEXT  # isort: skip

MODEL = "touch"
EXAMPLE_SET = 5  # one question of five faces: what a kiosk is taken to ask where none says better


def look(faults: Faults, kept: dict[str, str]) -> None:
    """Adds a fault for each text (`said_fi`: …) that has a letter no kiosk can draw, or no room on its screen."""
    known = drawing.letters(MODEL)
    for language in LANGUAGES:
        texts = {side: kept[f"{side}_{language}"] for side in ("said", "did")}
        if not all(texts.values()):
            continue
        for side, text in texts.items():
            for letter in sorted(set(text) - known):
                faults.add(
                    f"{side}_{language}",
                    N_(
                        "The kiosks cannot draw the letter “%(letter)s” (%(code)s). Write it without, or leave the "
                        "kiosks out."
                    ),
                    letter=letter,
                    code=f"U+{ord(letter):04X}",
                )
        note = {"id": 0, "until": None, language: list(texts.values())}
        tight = [side for side, _text in page_of(note, language, example_view()).overflows if side in texts]
        tight += [side for side, text in texts.items() if len(text.encode()) > MOST_TEXT]
        for side in tight:
            faults.add(
                f"{side}_{language}",
                N_(
                    "“%(value)s” has no room on the kiosks' screen, where both parts have three lines together. "
                    "Say it shorter, or leave the kiosks out."
                ),
                value=texts[side],
            )


def page_of(note: dict[str, Any], language: str, seen: dict[str, Any]) -> Any:
    """The resting screen with this note, as a kiosk that asks by this view lays it out; without room for it, the page
    has no widget of role `said`."""
    first = seen["flows"][0]["ask"][0]
    scene = {
        "page": "rest",
        "question": first if isinstance(first, int) else first["rotate"][0],
        "kinds": [flow["kind"] for flow in seen["flows"][1:]],
        "said": note,
    }
    codes = seen["languages"]
    return drawing.page(scene, seen, codes.index(language) if language in codes else 0)


@lru_cache(maxsize=64)  # a unit's kiosks ask the same few
def leaves_room(raw: bytes) -> bool:
    """Whether the question at rest of a view (its bytes) leaves a note its room, in the language in which it rests."""
    seen = drawing.read_view(raw)
    note = {"id": 0, "until": None, LANGUAGES[0]: ["", ""]}
    return has_room(page_of(note, seen["languages"][0], seen))


def has_room(page: Any) -> bool:
    """Whether the resting screen had room for the note."""
    return any(widget.role == "said" for widget in page.widgets)


@cache
def example_view() -> dict[str, Any]:
    """The view of the ready set EXAMPLE_SET."""
    return view(next(body for body in national_sets() if body["number"] == EXAMPLE_SET), MODEL)
