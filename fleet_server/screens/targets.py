"""What can be touched on a touch kiosk now, as the kiosk told it, with words for those who do not see the screen.

It knows no kiosk and no page of ours. What a kiosk says is checked: a target that is none is left out.
"""

from dataclasses import dataclass
from typing import Any

from fleet_server.refusals import N_
from fleet_server.web.i18n import _

# A language is offered by its own name.
_LANGUAGES = {
    "fi": "Suomi",
    "sv": "Svenska",
    "en": "English",
    "sme": "Davvisámegiella",
    "smn": "Anarâškielâ",
    "sms": "Nuõrttsääʹmǩiõll",
}
_PLAIN = {
    "next": N_("Next"),
    "skip": N_("Skip this question"),
    "back": N_("Back"),
    "leave": N_("Leave"),
    "phone": N_("Go on with your own phone"),
    "write": N_("Write"),
    "stay": N_("I am still here"),
    "rub": N_("Rub out the last letter"),
    "caps": N_("Capital letters"),
}
_NAMED = {
    ("mode", "contrast"): N_("High contrast"),
    ("mode", "large"): N_("Large text"),
    ("mode", "low"): N_("Everything within low reach"),
    ("kind", "child"): N_("For children"),
    ("kind", "kin"): N_("For those close to a patient"),
    ("kind", "visitor"): N_("For visitors"),
    ("layer", 0): N_("Letters"),
    ("layer", 1): N_("Sámi letters"),
    ("layer", 2): N_("Digits and signs"),
    ("key", " "): N_("Space"),
}


@dataclass(frozen=True)
class Target:
    """One place to touch: what it does (`("answer", 3)`, `("next",)`) and where it is, in pixels."""

    action: tuple[Any, ...]
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        """Where a steady finger goes."""
        return self.x + self.width // 2, self.y + self.height // 2


def targets_of(show: dict[str, Any]) -> list[Target]:
    """The targets in what a kiosk shows, as a reader goes: row by row."""
    told = show.get("targets")
    found = [target for row in told if (target := _target(row))] if isinstance(told, list) else []
    return sorted(found, key=lambda target: (target.y, target.x))


def name_of(target: Target, view: dict[str, Any] | None, index: Any, language: str) -> str:
    """Words for a target. view: the question set as the kiosk has it, index: the question that it asks, for labels."""
    question = question_of(view, index)
    what, value = target.action[0], target.action[1] if len(target.action) > 1 else None
    if what in ("answer", "toggle") and isinstance(value, int):
        return _answer(value, question, language)
    if what in _PLAIN:
        return _(_PLAIN[what])
    if (what, value) in _NAMED:
        return _(_NAMED[what, value])
    if what == "key":
        return str(value)
    if what == "language" and view and isinstance(value, int) and 0 <= value < len(view["languages"]):
        code = str(view["languages"][value])
        return _LANGUAGES.get(code, code)
    return " ".join(str(part) for part in target.action)


def question_of(view: dict[str, Any] | None, index: Any) -> dict[str, Any] | None:
    """The question at a place in a view; None where there is none."""
    if view is None or not isinstance(index, int) or isinstance(index, bool):
        return None
    asked: list[dict[str, Any]] = view["questions"]
    return asked[index] if 0 <= index < len(asked) else None


def _answer(value: int, question: dict[str, Any] | None, language: str) -> str:
    if value < 0:
        return _("Can't say")
    labels = ((question or {}).get("labels") or {}).get(language) or []
    if question and question["type"] == "nps":
        return str(value)
    if value < len(labels):
        return str(labels[value])
    return _("Answer %(number)s") % {"number": value + 1}


def _target(row: Any) -> Target | None:
    if not isinstance(row, list) or len(row) < 5 or not isinstance(row[0], str):
        return None
    *action, x, y, width, height = row
    numbers = (x, y, width, height)
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        return None
    return Target(tuple(action), *numbers) if width > 0 and height > 0 else None
