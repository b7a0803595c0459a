"""What a question set may look like, and every fault that one has; it knows no database and no device.

Shape (JSON): {"number": 1-65535, "name", "version", "languages": ["fi", …], "questions": [{"code", "type",
"text": {lang: str}, "labels": {lang: [str, …]}, "status", "source"}], "thanks": {lang: str}, "idle_s": seconds,
"button": code of the question that a button kiosk asks, or null}.
"""

import json
from dataclasses import dataclass
from typing import Any

LANGUAGES = {
    "fi": "Finnish",
    "sv": "Swedish",
    "en": "English",
    "sme": "Northern Sámi",
    "smn": "Inari Sámi",
    "sms": "Skolt Sámi",
}
CANT_SAY = 255
MAX_SET_BYTES = 16 * 1024  # the protocol's limit for a whole set
MAX_QUESTIONS = 20  # a visit of more is a survey, not a kiosk
MAX_TEXT_CHARACTERS = 200  # four lines on a 480x320 screen at the smallest size
MAX_LABEL_CHARACTERS = 60
IDLE_S = range(10, 121)  # below 10 s an old hand has no time to read


@dataclass(frozen=True)
class QuestionType:
    """One way of answering: the values that a record may carry, and how many labels go with it (None: 2 to 7)."""

    name: str
    values: frozenset[int]
    labels: int | None

    def allows(self, value: int) -> bool:
        """Whether a record of this type may carry `value`."""
        return value in self.values


TYPES = {
    kind.name: kind
    for kind in (
        QuestionType("nps", frozenset(range(11)), 2),
        QuestionType("agree5", frozenset({*range(1, 6), CANT_SAY}), 5),
        QuestionType("pei", frozenset({0, 1, 2, CANT_SAY}), 3),
        QuestionType("smiley5", frozenset(range(1, 6)), 5),
        QuestionType("smiley4", frozenset(range(1, 5)), 4),
        QuestionType("choice", frozenset(range(1, 128)), None),
        QuestionType("text", frozenset({0}), 0),
    )
}

# Which types each model can ask: a button kiosk has one row of faces and no keyboard.
MODELS: dict[str, frozenset[str]] = {
    "button4": frozenset({"smiley4"}),
    "button5": frozenset({"smiley5", "agree5"}),
}


def faults_of(body: Any) -> list[str]:
    """Every fault of a question set, each one a line that names the field and the value; empty when it is good."""
    if not isinstance(body, dict):
        return [f"a question set is a JSON object, not {type(body).__name__}"]
    number = body.get("number")
    who = f"question set {number}"
    faults: list[str] = []
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 0xFFFF:
        faults.append(f"question set: number is {number!r}, must be 1 to 65535")
    for key in ("name", "version"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            faults.append(f"{who}: {key} is {body.get(key)!r}, must be a text")
    languages = _languages(body, who, faults)
    idle = body.get("idle_s", 20)
    if not isinstance(idle, int) or idle not in IDLE_S:
        faults.append(f"{who}: idle_s is {idle!r}, must be {IDLE_S.start} to {IDLE_S.stop - 1} seconds")
    _texts(body.get("thanks"), "thanks", languages, MAX_TEXT_CHARACTERS, who, faults)
    _questions(body, languages, who, faults)
    try:
        size = len(canonical(body))
    except UnicodeEncodeError as fault:
        faults.append(half_a_character(who, fault))
    else:
        if size > MAX_SET_BYTES:
            faults.append(f"{who}: is {size} bytes, must be at most {MAX_SET_BYTES}")
    return faults


def half_a_character(who: str, fault: UnicodeEncodeError) -> str:
    """The line for a text that no UTF-8 can hold: JSON may escape half of a surrogate pair."""
    return f"{who}: has {fault.object[fault.start : fault.end]!r}, half of a character, in one of its texts"


def canonical(body: dict[str, Any]) -> bytes:
    """The one byte form of a set or view: sorted keys, no spaces, UTF-8. Its SHA-256 is the hash.

    Raises UnicodeEncodeError for a text with half of a character.
    """
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _languages(body: dict[str, Any], who: str, faults: list[str]) -> list[str]:
    languages = body.get("languages")
    if not isinstance(languages, list) or not languages:
        faults.append(f"{who}: languages is {languages!r}, must be a list such as ['fi', 'sv', 'en']")
        return []
    for language in languages:
        if not isinstance(language, str) or language not in LANGUAGES:
            faults.append(f"{who}: language {language!r} is unknown, must be one of {', '.join(LANGUAGES)}")
    if len(set(map(str, languages))) != len(languages):
        faults.append(f"{who}: languages names one twice: {languages!r}")
    return [language for language in languages if isinstance(language, str) and language in LANGUAGES]


def _questions(body: dict[str, Any], languages: list[str], who: str, faults: list[str]) -> None:
    questions = body.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= MAX_QUESTIONS:
        count = len(questions) if isinstance(questions, list) else repr(questions)
        faults.append(f"{who}: has {count} questions, must have 1 to {MAX_QUESTIONS}")
        return
    codes: list[str] = []
    for position, question in enumerate(questions):
        if not isinstance(question, dict):
            faults.append(f"{who}: question {position + 1} is {question!r}, must be an object")
            continue
        code = question.get("code")
        if not isinstance(code, str) or not code:
            faults.append(f"{who}: question {position + 1} has code {code!r}, must be a text")
            code = f"question {position + 1}"
        if code in codes:
            faults.append(f"{who}: code {code!r} stands twice")
        codes.append(code)
        kind = TYPES.get(str(question.get("type")))
        if kind is None:
            faults.append(
                f"{who}: {code!r} has type {question.get('type')!r}, must be one of {', '.join(TYPES)}"
            )
        _texts(question.get("text"), code, languages, MAX_TEXT_CHARACTERS, who, faults)
        if kind is not None:
            _labels(question.get("labels"), code, kind, languages, who, faults)
    button = body.get("button")
    if button is not None and button not in codes:
        faults.append(f"{who}: button asks {button!r}, which is none of its questions")


def _texts(texts: Any, name: str, languages: list[str], limit: int, who: str, faults: list[str]) -> None:
    if not isinstance(texts, dict):
        faults.append(f"{who}: text {name!r} is {texts!r}, must hold one text per language")
        return
    for language in languages:
        text = texts.get(language)
        if not isinstance(text, str) or not text.strip():
            faults.append(f"{who}: text {name!r} has no {LANGUAGES[language]}")
        elif len(text) > limit:
            faults.append(
                f"{who}: text {name!r} in {LANGUAGES[language]} has {len(text)} characters, at most {limit} fit"
            )


def _labels(
    labels: Any, code: str, kind: QuestionType, languages: list[str], who: str, faults: list[str]
) -> None:
    if kind.labels == 0:
        return
    if not isinstance(labels, dict):
        faults.append(f"{who}: {code!r} has no labels; {kind.name} needs them in each language")
        return
    for language in languages:
        given = labels.get(language)
        wanted = f"{kind.labels}" if kind.labels is not None else "2 to 7"
        fits = isinstance(given, list) and (
            len(given) == kind.labels if kind.labels is not None else 2 <= len(given) <= 7
        )
        if not fits:
            count = len(given) if isinstance(given, list) else 0
            faults.append(
                f"{who}: {code!r} has {count} labels in {LANGUAGES[language]}, {kind.name} needs {wanted}"
            )
            continue
        for label in given or []:
            if not isinstance(label, str) or not label.strip() or len(label) > MAX_LABEL_CHARACTERS:
                faults.append(
                    f"{who}: {code!r} has the label {label!r} in {LANGUAGES[language]}, "
                    f"must be 1 to {MAX_LABEL_CHARACTERS} characters"
                )
