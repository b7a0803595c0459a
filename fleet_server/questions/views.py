"""The part of a question set that a kiosk model needs, as the exact bytes it is sent and hashed by.

Buttons ask one question, so their view holds that question alone; a touchscreen gets all that its flows ask. There
`position` stays the question's place in the whole set, because that is what a record names; everything else in a view
that points to a question is its place in the view's own list.
"""

import hashlib
from typing import Any

from fleet_server.questions.flows import flows_of, rotates
from fleet_server.questions.schema import canonical
from fleet_server.questions.turns import each_turn
from fleet_server.questions.types import LANGUAGES, TYPE_NAMES, TYPES, asked_by, models, offers_cant_say
from fleet_server.questions.words import lacking, words_of
from fleet_server.refusals import N_, Sentence
from provisioning.models import Model

MAX_BUTTON_VIEW_BYTES = 4 * 1024  # parsed it costs the kiosk 2.7 bytes of heap a byte
MAX_TOUCH_VIEW_BYTES = 16 * 1024  # the protocol's limit for what travels in one message
DEFAULT_IDLE_S = 20


def view_faults(body: dict[str, Any], model: str) -> list[str]:
    """Why this (otherwise good) set cannot be asked by `model`; empty when it can."""
    who = body["number"]
    if model not in models():
        known = ", ".join(models())
        text = N_("question set %(who)s: model %(model)r is unknown, must be one of %(known)s")
        return [Sentence(text, who=who, model=model, known=known)]
    kiosk = models()[model]
    if kiosk.screen == "touch":
        return _touch_faults(body) or _size_faults(body, model, MAX_TOUCH_VIEW_BYTES)
    turns = each_turn(body)
    if kiosk.screen == "none" and len(turns) > 1:
        text = N_(
            "question set %(who)s: its questions take turns; model %(model)s has a printed card and asks one question"
        )
        return [Sentence(text, who=who, model=model)]
    found = (
        _button_faults(turn, kiosk) or _size_faults(turn, model, MAX_BUTTON_VIEW_BYTES) for turn in turns
    )
    return next((faults for faults in found if faults), [])


def views_bytes(body: dict[str, Any], model: str) -> list[bytes]:
    """The views of a good set for a model that can ask it: one for each turn on buttons, see turns.py."""
    kiosk = models().get(model)
    turns = [body] if kiosk is not None and kiosk.screen == "touch" else each_turn(body)
    return [view_bytes(turn, model) for turn in turns]


def view_bytes(body: dict[str, Any], model: str) -> bytes:
    """The view of a good set for a model that can ask it; of questions that take turns that of the first one."""
    return canonical(view(body, model))


def view(body: dict[str, Any], model: str) -> dict[str, Any]:
    """The same, as an object. Raises ValueError when the model cannot ask anything of the set."""
    kiosk = models().get(model)
    if kiosk is not None and kiosk.screen == "touch":
        return _touch_view(body)
    asked = _asked(body)
    if asked is None or kiosk is None:
        raise ValueError(f"question set {body['number']} has no view for model {model}")
    position = body["questions"].index(asked)
    return {
        "number": body["number"],
        "name": body["name"],
        "languages": body["languages"],
        "questions": [_question(asked, position)],
        "thanks": body["thanks"],
        "button": {"question": position},
    }


def hash_of(view: bytes) -> str:
    """SHA-256 of a view or set, 64 hex digits."""
    return hashlib.sha256(view).hexdigest()


def _size_faults(body: dict[str, Any], model: str, most: int) -> list[str]:
    who, size = body["number"], len(view_bytes(body, model))
    if size > most:
        text = N_("question set %(who)s: is %(size)s bytes for model %(model)s, must be at most %(most)s")
        return [Sentence(text, who=who, size=size, model=model, most=most)]
    return []


def _button_faults(body: dict[str, Any], kiosk: Model) -> list[str]:
    who, model, asked = body["number"], kiosk.name, _asked(body)
    if asked is None:
        first = body["questions"][0]
        if first["type"] not in asked_by(kiosk):
            text = N_(
                "question set %(who)s: %(code)r (%(type)s) cannot be asked by a button kiosk (model %(model)s), "
                "and the set names no other question for its buttons"
            )
            return [Sentence(text, who=who, type=TYPE_NAMES[first["type"]], code=first["code"], model=model)]
        text = N_(
            "question set %(who)s: says nothing to ask on a button kiosk, so model %(model)s cannot run it"
        )
        return [Sentence(text, who=who, model=model)]
    if asked["type"] not in asked_by(kiosk):
        text = N_(
            "question set %(who)s: %(code)r (%(type)s) cannot be asked by a button kiosk (model %(model)s); "
            "it can ask %(known)s"
        )
        known = ", ".join(sorted(asked_by(kiosk)))
        return [
            Sentence(
                text, who=who, code=asked["code"], type=TYPE_NAMES[asked["type"]], model=model, known=known
            )
        ]
    if kiosk.screen == "none" and rotates(body):
        text = N_(
            "question set %(who)s: rotates its questions; model %(model)s has a printed card and cannot rotate"
        )
        return [Sentence(text, who=who, model=model)]
    return []


def _touch_faults(body: dict[str, Any]) -> list[str]:
    text = N_(
        "question set %(who)s: has no words in %(language)s for a touchscreen; give %(keys)s in `words`, model touch"
    )
    return [
        Sentence(text, who=body["number"], language=LANGUAGES[language], keys=", ".join(keys))
        for language, keys in lacking(body).items()
    ]


def _touch_view(body: dict[str, Any]) -> dict[str, Any]:
    flows = flows_of(body)
    asked = {code for flow in flows for entry in flow["ask"] for code in _codes(entry)}
    kept = [
        (position, question)
        for position, question in enumerate(body["questions"])
        if question["code"] in asked
    ]
    index = {question["code"]: place for place, (_, question) in enumerate(kept)}

    def place_of(entry: Any) -> Any:
        if isinstance(entry, str):
            return index[entry]
        return {"rotate": [index[code] for code in entry["rotate"]], "take": entry["take"]}

    return {
        "number": body["number"],
        "name": body["name"],
        "languages": body["languages"],
        "questions": [_touch_question(question, position, index) for position, question in kept],
        "flows": [
            {"kind": flow["kind"], "ask": [place_of(entry) for entry in flow["ask"]]} for flow in flows
        ],
        "thanks": body["thanks"],
        "idle_s": body.get("idle_s", DEFAULT_IDLE_S),
        "words": words_of(body),
    }


def _touch_question(question: dict[str, Any], position: int, index: dict[str, int]) -> dict[str, Any]:
    found = _question(question, position)
    if question.get("several"):
        found["several"] = True
    if offers_cant_say(question):
        found["cant_say"] = True
    if "when" in question:
        when = question["when"]
        found["when"] = {"question": index[when["code"]], "values": when["values"]}
    return found


def _question(question: dict[str, Any], position: int) -> dict[str, Any]:
    found: dict[str, Any] = {key: question[key] for key in ("code", "type", "text")}
    found["position"] = position
    if TYPES[question["type"]].labels != 0:
        found["labels"] = question["labels"]
    return found


def _codes(entry: Any) -> list[str]:
    return [entry] if isinstance(entry, str) else entry["rotate"]


def _asked(body: dict[str, Any]) -> dict[str, Any] | None:
    return next((question for question in body["questions"] if question["code"] == body.get("button")), None)
