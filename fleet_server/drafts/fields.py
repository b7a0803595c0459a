"""Which fields a draft has and what may stand in each; it knows no order of questions and no table.

A value is refused when the draft would no longer have a set's shape. What has the shape and yet no kiosk takes (a text
too long for a screen, a missing language) is kept and listed as a fault (questions/schema.py): nobody loses what they
typed. Invariant: the wording of a national item is never set by an operation.
"""

import re
from typing import Any

from fleet_server.questions.flows import KINDS
from fleet_server.questions.turns import has_shape
from fleet_server.questions.types import LANGUAGES, TYPES
from fleet_server.questions.words import ready_words
from fleet_server.refusals import N_, Faults

LONGEST_TEXT = 1000  # five times what a screen holds: room for what is still to be shortened
LONGEST_CODE = 20
MOST_LABELS = 7
MOST_QUESTIONS = 40  # twice what a set may have: room while one is replaced by another
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")
_LOCKED = ("text", "labels", "type", "several", "cant_say")
_LINES = {"name": 200, "version": 20}


def check(faults: Faults, body: dict[str, Any], path: str, to: Any) -> None:
    """Every reason why `to` cannot stand at `path`."""
    parts = path.split("/")
    match parts:
        case ["name" | "version" as key]:
            _line(faults, path, to, _LINES[key])
        case ["idle_s"]:
            if not isinstance(to, int) or isinstance(to, bool) or not 0 <= to <= 3600:
                faults.add(
                    path, N_("“%(value)s” is no whole number of seconds from 0 to 3600."), value=_said(to)
                )
        case ["languages"]:
            _languages(faults, path, to)
        case ["button"]:
            if to is not None:
                _code(faults, path, to)
        case ["turns"]:
            if to is not None and not has_shape(to):
                text = N_("“%(value)s” must hold `every` (day or week) and a list of codes in `then`.")
                faults.add(path, text, value=_said(to))
        case ["thanks", language]:
            _text(faults, path, to, language)
        case ["words", key, language]:
            if key not in ready_words():
                faults.add(path, N_("There is no field “%(path)s”."), path=path)
            _text(faults, path, to, language)
        case ["flows", kind]:
            _flow(faults, path, kind, to)
        case ["questions", code, *rest] if rest:
            _question(faults, body, path, code, rest, to)
        case _:
            faults.add(path, N_("There is no field “%(path)s”."), path=path)


def check_question(faults: Faults, path: str, code: str, question: Any) -> None:
    """Every reason why an own question like this cannot be added."""
    if not CODE.fullmatch(code):
        faults.add(
            path,
            N_("“%(value)s” is no code. Use 1 to %(most)s letters from A to Z, digits and hyphens."),
            value=code,
            most=LONGEST_CODE,
        )
    if not isinstance(question, dict):
        faults.add(path, N_("“%(value)s” is no question, must be an object."), value=_said(question))
        return
    for key in question.keys() - {
        "code",
        "type",
        "text",
        "labels",
        "several",
        "cant_say",
        "when",
        "status",
        "source",
    }:
        faults.add(f"{path}/{key}", N_("There is no field “%(path)s”."), path=f"{path}/{key}")
    if question.get("code", code) != code:
        faults.add(
            f"{path}/code", N_("“%(value)s” is not the code in its path."), value=_said(question["code"])
        )
    if "type" not in question:
        faults.add(f"{path}/type", N_("A question needs a type."))
    for key in ("status", "source"):
        if not _is_texts(question.get(key, {})):
            faults.add(
                f"{path}/{key}",
                N_("“%(value)s” must hold one text per language."),
                value=_said(question[key]),
            )
    if not _is_texts(question.get("text", {})):
        faults.add(
            f"{path}/text", N_("“%(value)s” must hold one text per language."), value=_said(question["text"])
        )
    for key in question.keys() & {"type", "labels", "several", "cant_say", "when"}:
        _own(faults, f"{path}/{key}", [key], question[key])


def locked(question: dict[str, Any]) -> bool:
    """Whether a question is a national item, which nobody words here."""
    return "item" in question


def question_of(body: dict[str, Any], code: str) -> dict[str, Any] | None:
    """The question with this code."""
    return next((question for question in body["questions"] if question["code"] == code), None)


def _question(faults: Faults, body: dict[str, Any], path: str, code: str, rest: list[str], to: Any) -> None:
    question = question_of(body, code)
    if question is None:
        faults.add(path, N_("There is no question “%(code)s” in this draft."), code=code)
    elif rest == ["when"]:
        _own(faults, path, rest, to)
    elif rest == ["item_version"]:
        if not locked(question):
            faults.add(path, N_("“%(code)s” is an own question and has no version."), code=code)
    elif locked(question) and rest[0] in _LOCKED:
        faults.add(
            path,
            N_(
                "“%(code)s” is a national item: its wording and its scale are locked. Choose it, move it or remove it."
            ),
            code=code,
        )
    else:
        _own(faults, path, rest, to)


def _own(faults: Faults, path: str, rest: list[str], to: Any) -> None:
    match rest:
        case ["text", language]:
            _text(faults, path, to, language)
        case ["labels"]:
            if to is not None and not (isinstance(to, dict) and all(_is_labels(row) for row in to.values())):
                faults.add(path, N_("“%(value)s” must hold a list of labels per language."), value=_said(to))
            elif to is not None:
                for language in to:
                    _language(faults, path, language)
        case ["labels", language]:
            _language(faults, path, language)
            if to is not None and not _is_labels(to):
                faults.add(
                    path,
                    N_("“%(value)s” must be a list of at most %(most)s labels."),
                    value=_said(to),
                    most=MOST_LABELS,
                )
        case ["labels", language, index]:
            if not index.isascii() or not index.isdigit() or len(index) > 1 or int(index) >= MOST_LABELS:
                faults.add(path, N_("There is no field “%(path)s”."), path=path)
            if to is None:
                faults.add(path, N_("“%(value)s” is no text."), value=_said(to))
            _text(faults, path, to, language)
        case ["type"]:
            if not isinstance(to, str) or to not in TYPES:
                faults.add(
                    path,
                    N_("“%(value)s” is no type, must be one of %(known)s."),
                    value=_said(to),
                    known=", ".join(TYPES),
                )
        case ["several" | "cant_say"]:
            if to is not None and not isinstance(to, bool):
                faults.add(path, N_("“%(value)s” must be true or false."), value=_said(to))
        case ["when"]:
            _when(faults, path, to)
        case _:
            faults.add(path, N_("There is no field “%(path)s”."), path=path)


def _when(faults: Faults, path: str, to: Any) -> None:
    if to is None:
        return
    values = to.get("values") if isinstance(to, dict) else None
    if (
        not isinstance(to, dict)
        or to.keys() != {"code", "values"}
        or not isinstance(values, list)
        or len(values) > 256
        or not all(
            isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255 for value in values
        )
    ):
        faults.add(
            path,
            N_(
                "“%(value)s” must hold the code of another question and a list of its answers, numbers from 0 to 255."
            ),
            value=_said(to),
        )
        return
    _code(faults, path, to["code"])


def _flow(faults: Faults, path: str, kind: str, to: Any) -> None:
    if kind not in KINDS:
        faults.add(path, N_("There is no field “%(path)s”."), path=path)
    if to is None:
        return
    if not isinstance(to, list) or len(to) > MOST_QUESTIONS:
        faults.add(path, N_("“%(value)s” must be a list of codes."), value=_said(to))
        return
    for entry in to:
        if isinstance(entry, dict):
            codes, take = entry.get("rotate"), entry.get("take")
            if entry.keys() != {"rotate", "take"} or not isinstance(codes, list) or type(take) is not int:
                faults.add(
                    path,
                    N_("“%(value)s” must hold codes in `rotate` and a number in `take`."),
                    value=_said(entry),
                )
                continue
            for code in codes:
                _code(faults, path, code)
        else:
            _code(faults, path, entry)


def _languages(faults: Faults, path: str, to: Any) -> None:
    if not isinstance(to, list) or not all(isinstance(one, str) for one in to) or len(set(to)) != len(to):
        faults.add(path, N_("“%(value)s” must be a list of languages, each once."), value=_said(to))
        return
    for language in to:
        _language(faults, path, language)


def _language(faults: Faults, path: str, language: str) -> None:
    if language not in LANGUAGES:
        faults.add(
            path,
            N_("“%(value)s” is no language, must be one of %(known)s."),
            value=language,
            known=", ".join(LANGUAGES),
        )


def _code(faults: Faults, path: str, to: Any) -> None:
    if not isinstance(to, str) or not CODE.fullmatch(to):
        faults.add(
            path,
            N_("“%(value)s” is no code. Use 1 to %(most)s letters from A to Z, digits and hyphens."),
            value=_said(to),
            most=LONGEST_CODE,
        )


def _line(faults: Faults, path: str, to: Any, longest: int) -> None:
    if not isinstance(to, str):
        faults.add(path, N_("“%(value)s” is no text."), value=_said(to))
    elif to:
        faults.text(path, to, longest)
    elif path == "name":
        faults.add(path, N_("This is empty. Type something here."))


def _text(faults: Faults, path: str, to: Any, language: str) -> None:
    _language(faults, path, language)
    if to is None or to == "":
        return
    if not isinstance(to, str):
        faults.add(path, N_("“%(value)s” is no text."), value=_said(to))
    else:
        faults.text(path, to.replace("\n", " ") or "-", LONGEST_TEXT)


def _is_labels(row: Any) -> bool:
    return (
        isinstance(row, list)
        and len(row) <= MOST_LABELS
        and all(isinstance(label, str) and len(label) <= LONGEST_TEXT for label in row)
    )


def _is_texts(given: Any) -> bool:
    return isinstance(given, dict) and all(
        language in LANGUAGES and isinstance(text, str) and len(text) <= LONGEST_TEXT
        for language, text in given.items()
    )


def _said(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
