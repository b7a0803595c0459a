"""What an edit did, what a fault is about and where its field is, as people read it. It knows no table.

A sentence here is made of marked texts and said in the reader's language where it is shown.
"""

import re
from dataclasses import dataclass
from typing import Any

from fleet_server.drafts.fields import locked, question_of
from fleet_server.drafts.ops import Body, Op
from fleet_server.questions.schema import faults_of
from fleet_server.questions.types import LANGUAGES
from fleet_server.questions.words import ready_words
from fleet_server.refusals import N_, Sentence, shown

STATE_NAMES = {
    "open": N_("being made"),
    "asked": N_("waits for approval"),
    "approved": N_("approved"),
    "published": N_("published"),
    "dropped": N_("dropped"),
}
KIND_NAMES = {"visitor": N_("Clients"), "child": N_("Children"), "kin": N_("Relatives")}
_FIELDS = {
    "name": N_("name: %(to)s"),
    "version": N_("version: %(to)s"),
    "idle_s": N_("seconds without a touch: %(to)s"),
    "languages": N_("languages: %(to)s"),
    "button": N_("question of button kiosks: %(to)s"),
    "turns": N_("in turn on button kiosks: %(to)s"),
}
_PARTS = {
    "type": N_("%(code)s, way of answering: %(to)s"),
    "labels": N_("%(code)s, answers: %(to)s"),
    "several": N_("%(code)s, several answers: %(to)s"),
    "cant_say": N_("%(code)s, “can't say”: %(to)s"),
    "when": N_("%(code)s, when it is asked: %(to)s"),
}
_PLACE = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True)
class DraftFault:
    """One fault, and the field that it is about ('' for the draft as a whole)."""

    text: str
    path: str


def anchor(path: str) -> str:
    """The id of a field on the draft's page."""
    return "f-" + _PLACE.sub("-", path)


def faults(body: Body) -> list[DraftFault]:
    """Everything that keeps this draft from being a set, each with its field."""
    found = []
    for fault in faults_of(body | {"number": 1}):
        values = getattr(fault, "values", {})
        text = (
            Sentence(fault.text, **values | {"who": body["name"]}) if isinstance(fault, Sentence) else fault
        )
        found.append(DraftFault(text, _path(getattr(fault, "text", ""), values)))
    return found


def target(path: str, body: Body) -> str:
    """The id on the draft's page at which the fault of a field is put right; '' when it is on another page.

    A locked field leads to its question.
    """
    parts = path.split("/")
    if parts[0] == "words":
        return ""
    if parts[0] == "questions" and len(parts) > 2:
        question = question_of(body, parts[1])
        if question is None or (locked(question) and parts[2] != "when"):
            return anchor("/".join(parts[:2]))
    return anchor(path) if path else ""


def page_of(path: str, body: Body) -> str:
    """Where it is put right, from the draft's address on: a text in a language beside the other languages'."""
    parts = path.split("/")
    in_language = "text" in parts[2:3] or parts[0] in ("thanks", "words")
    question = question_of(body, parts[1]) if parts[0] == "questions" and len(parts) > 1 else None
    if in_language and len(parts) > 1 and not (question and locked(question)):
        return f"/texts#{path}"
    place = target(path, body)
    return f"#{place}" if place else ""


def without_name(text: str, name: str) -> str:
    """What a fault says, on a page that is about this draft alone: without "question set <name>: "."""
    return text.partition(f" {name}: ")[2] or text


def told(op: Op) -> Sentence:
    """What an operation did."""
    path, to = op["path"].split("/"), op.get("to")
    code = path[1] if len(path) > 1 else ""
    said = shown("–" if to is None or to == "" else to if isinstance(to, str) else _plain(to))
    match [op["do"], *path]:
        case ["add", *_]:
            return Sentence(N_("%(code)s was added"), code=code)
        case ["remove", *_]:
            return Sentence(N_("%(code)s was removed"), code=code)
        case ["move", *_] if op["after"] is None:
            return Sentence(N_("%(code)s was moved to the top"), code=code)
        case ["move", *_]:
            return Sentence(N_("%(code)s was moved below %(after)s"), code=code, after=op["after"])
        case ["set", "thanks", language]:
            return Sentence(N_("thank-you in %(language)s: %(to)s"), language=LANGUAGES[language], to=said)
        case ["set", "words", key, language]:
            return Sentence(
                N_("word %(key)s in %(language)s: %(to)s"), key=key, language=LANGUAGES[language], to=said
            )
        case ["set", "flows", kind]:
            asked = "–" if to is None else shown(", ".join(map(_asked, to)))
            return Sentence(N_("%(kind)s are asked: %(to)s"), kind=Sentence(KIND_NAMES[kind]), to=asked)
        case ["set", "questions", _]:
            return Sentence(N_("%(code)s was brought up to date with the library"), code=code)
        case ["set", "questions", _, "text" | "labels" as part, language, *_]:
            text = N_("%(code)s in %(language)s: %(to)s")
            if part == "labels":
                text = N_("%(code)s, an answer in %(language)s: %(to)s")
            return Sentence(text, code=code, language=LANGUAGES[language], to=said)
        case ["set", "questions", _, part]:
            return Sentence(_PARTS[part], code=code, to=said)
    return Sentence(_FIELDS[path[0]], to=said)


def _asked(entry: Any) -> str:
    """An entry of a flow: a code, or how many of which take turns."""
    return entry if isinstance(entry, str) else f"{entry['take']} × ({', '.join(entry['rotate'])})"


def _plain(to: Any) -> str:
    if isinstance(to, dict):
        return "; ".join(f"{key}: {_plain(value)}" for key, value in to.items())
    return ", ".join(map(_plain, to)) if isinstance(to, list) else str(to)


def _path(text: str, values: dict[str, Any]) -> str:
    language = next((code for code, name in LANGUAGES.items() if name == values.get("language")), "")
    name = values.get("name") or values.get("key")
    if name in ("name", "version"):
        return str(name)
    if name == "thanks":
        return f"thanks/{language}" if language else "thanks/fi"
    if name in ready_words() and "code" not in values:
        return f"words/{name}/{language or 'fi'}"
    if "kind" in values:
        return f"flows/{values['kind']}"
    code = values.get("code") or name
    if code:
        if "label" in text:
            return f"questions/{code}/labels/{language or 'fi'}/0"
        if "depends" in text or " when " in text:
            return f"questions/{code}/when"
        return f"questions/{code}/text/{language}" if language else f"questions/{code}"
    for key in ("turns", "idle_s", "button", "languages"):
        if key in text:
            return key
    return "add" if "questions, must" in text else ""
