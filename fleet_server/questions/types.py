"""The ways of answering a question: which values a record may carry, how many labels go with it, which model asks it.

It knows no texts and no device. Invariant: a value that a question allowed once stays allowed, because records of old
sets are booked for ever.
"""

from dataclasses import dataclass
from typing import Any

from fleet_server.refusals import N_
from provisioning.models import MODELS, Model

LANGUAGES = {
    "fi": "Finnish",
    "sv": "Swedish",
    "en": "English",
    "sme": "Northern Sámi",
    "smn": "Inari Sámi",
    "sms": "Skolt Sámi",
}
HTML_CODES = {"sme": "se"}  # of BCP 47, which browsers want; the others are those already
CANT_SAY = 255
OPTIONS = range(2, 7)  # of a choice: six rows are what a 480x320 screen holds at a finger's size
_MOST_OPTIONS_EVER = 7  # sets published before the screens had a say might offer seven


@dataclass(frozen=True)
class QuestionType:
    """One way of answering.

    values: what a record may carry, without "can't say". labels: how many go with it (None: OPTIONS).
    cant_say: whether "can't say" is offered unless the question says otherwise; None: it never is.
    """

    name: str
    values: frozenset[int]
    labels: int | None
    cant_say: bool | None = None


# A face, and a number from 0 to 10, have no "can't say": there `skip` serves, which is no answer.
TYPES = {
    kind.name: kind
    for kind in (
        QuestionType("nps", frozenset(range(11)), 2),
        QuestionType("agree5", frozenset(range(1, 6)), 5, cant_say=True),
        QuestionType("pei", frozenset({0, 1, 2}), 3, cant_say=True),
        QuestionType("smiley5", frozenset(range(1, 6)), 5),
        QuestionType("smiley4", frozenset(range(1, 5)), 4),
        QuestionType("choice", frozenset(range(1, 1 << _MOST_OPTIONS_EVER)), None, cant_say=False),
        QuestionType("text", frozenset({0}), 0),
    )
}
TYPE_NAMES = {
    "nps": N_("recommendation 0-10"),
    "agree5": N_("five steps of agreement"),
    "pei": N_("PEI, three steps"),
    "smiley5": N_("five faces"),
    "smiley4": N_("four faces"),
    "choice": N_("choice"),
    "text": N_("open text"),
}
_FACES = {4: frozenset({"smiley4"}), 5: frozenset({"smiley5", "agree5"})}


def asked_by(model: Model) -> frozenset[str]:
    """The types that a model can ask: buttons are one row of faces, and only a touchscreen has a keyboard."""
    return frozenset(TYPES) if model.screen == "touch" else _FACES[model.faces]


def models() -> dict[str, Model]:
    """Every kiosk model by its name."""
    return MODELS


def offers_cant_say(question: dict[str, Any]) -> bool:
    """Whether this question of a known type offers "can't say"."""
    usual = TYPES[question["type"]].cant_say
    return usual is not None and bool(question.get("cant_say", usual))


def values_of(question: dict[str, Any]) -> frozenset[int] | None:
    """What a record may carry for this question, "can't say" with it; None for a type that is not known.

    The question may have faults: what cannot be read from it is allowed.
    """
    kind = TYPES.get(str(question.get("type")))
    if kind is None:
        return None
    values = kind.values
    if kind.name == "choice":
        count = _options(question)
        several = question.get("several") is True
        values = frozenset(range(1, 1 << count)) if several else frozenset(1 << i for i in range(count))
    if kind.cant_say is not None and question.get("cant_say", kind.cant_say) is not False:
        values |= {CANT_SAY}
    return values


def _options(question: dict[str, Any]) -> int:
    labels = question.get("labels")
    rows = [row for row in labels.values() if isinstance(row, list)] if isinstance(labels, dict) else []
    return min(max(map(len, rows), default=_MOST_OPTIONS_EVER), _MOST_OPTIONS_EVER)
