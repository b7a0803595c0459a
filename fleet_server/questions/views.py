"""The part of a question set that a kiosk model needs, as the exact bytes it is sent and hashed by.

A button kiosk asks one question, so its view holds that question alone; `position` stays the question's place in
the whole set, because that is what the record names.
"""

import hashlib
from typing import Any

from fleet_server.questions.schema import MODELS, TYPES, canonical
from fleet_server.refusals import N_, Sentence

MAX_BUTTON_VIEW_BYTES = 4 * 1024  # parsed it costs the kiosk 2.7 bytes of heap a byte


def view_faults(body: dict[str, Any], model: str) -> list[str]:
    """Why this (otherwise good) set cannot be asked by `model`; empty when it can."""
    who, asked = body["number"], _asked(body)
    if model not in MODELS:
        known = ", ".join(MODELS)
        text = N_("question set %(who)s: model %(model)r is unknown, must be one of %(known)s")
        return [Sentence(text, who=who, model=model, known=known)]
    if asked is None:
        text = N_(
            "question set %(who)s: says nothing to ask on a button kiosk, so model %(model)s cannot run it"
        )
        return [Sentence(text, who=who, model=model)]
    if asked["type"] not in MODELS[model]:
        text = N_("question set %(who)s: %(code)r is of type %(type)s, model %(model)s can ask %(known)s")
        known = ", ".join(sorted(MODELS[model]))
        return [Sentence(text, who=who, code=asked["code"], type=asked["type"], model=model, known=known)]
    size = len(view_bytes(body, model))
    if size > MAX_BUTTON_VIEW_BYTES:
        text = N_("question set %(who)s: is %(size)s bytes for model %(model)s, must be at most %(most)s")
        return [Sentence(text, who=who, size=size, model=model, most=MAX_BUTTON_VIEW_BYTES)]
    return []


def view_bytes(body: dict[str, Any], model: str) -> bytes:
    """The view of a good set for a model that can ask it."""
    asked = _asked(body)
    if asked is None or model not in MODELS:
        raise ValueError(f"question set {body['number']} has no view for model {model}")
    position = body["questions"].index(asked)
    question: dict[str, Any] = {key: asked[key] for key in ("code", "type", "text")}
    question["position"] = position
    if TYPES[asked["type"]].labels:
        question["labels"] = asked["labels"]
    return canonical(
        {
            "number": body["number"],
            "name": body["name"],
            "languages": body["languages"],
            "questions": [question],
            "thanks": body["thanks"],
            "button": {"question": position},
        }
    )


def hash_of(view: bytes) -> str:
    """SHA-256 of a view or set, 64 hex digits."""
    return hashlib.sha256(view).hexdigest()


def _asked(body: dict[str, Any]) -> dict[str, Any] | None:
    return next((question for question in body["questions"] if question["code"] == body.get("button")), None)
