"""What a question set may look like, and every fault that one has; it knows no database and no device.

Shape (JSON): {"number": 1-65535, "name", "version", "languages": ["fi", …], "questions": [{"code", "type",
"text": {lang: str}, "labels": {lang: [str, …]}, "status", "source"}], "thanks": {lang: str}, "idle_s": seconds,
"button": code of the question that a button kiosk asks, or null}.
"""

import json
from dataclasses import dataclass
from typing import Any

from fleet_server.refusals import N_, Sentence

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
        return [Sentence(N_("a question set is a JSON object, not %(type)s"), type=type(body).__name__)]
    number = body.get("number")
    faults = _Faults(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 0xFFFF:
        faults.add(N_("question set: number is %(value)r, must be 1 to 65535"), value=number)
    for key in ("name", "version"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            faults.add(
                N_("question set %(who)s: %(key)s is %(value)r, must be a text"),
                key=key,
                value=body.get(key),
            )
    languages = _languages(body, faults)
    idle = body.get("idle_s", 20)
    if not isinstance(idle, int) or idle not in IDLE_S:
        faults.add(
            N_("question set %(who)s: idle_s is %(value)r, must be %(least)s to %(most)s seconds"),
            value=idle,
            least=IDLE_S.start,
            most=IDLE_S.stop - 1,
        )
    _texts(body.get("thanks"), "thanks", languages, MAX_TEXT_CHARACTERS, faults)
    _questions(body, languages, faults)
    try:
        size = len(canonical(body))
    except UnicodeEncodeError as fault:
        faults.found.append(half_a_character(number, fault))
    else:
        if size > MAX_SET_BYTES:
            faults.add(
                N_("question set %(who)s: is %(size)s bytes, must be at most %(most)s"),
                size=size,
                most=MAX_SET_BYTES,
            )
    return faults.found


def half_a_character(number: Any, fault: UnicodeEncodeError) -> Sentence:
    """The line for a text that no UTF-8 can hold: JSON may escape half of a surrogate pair."""
    half = fault.object[fault.start : fault.end]
    text = N_("question set %(who)s: has %(value)r, half of a character, in one of its texts")
    return Sentence(text, who=number, value=half)


def canonical(body: dict[str, Any]) -> bytes:
    """The one byte form of a set or view: sorted keys, no spaces, UTF-8. Its SHA-256 is the hash.

    Raises UnicodeEncodeError for a text with half of a character.
    """
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class _Faults:
    """Collects faults of the set with this number."""

    def __init__(self, number: Any) -> None:
        self.found: list[str] = []
        self._number = number

    def add(self, text: str, **values: Any) -> None:
        """`text` as given to `N_`; `%(who)s` stands for the set's number."""
        self.found.append(Sentence(text, who=self._number, **values))


def _languages(body: dict[str, Any], faults: _Faults) -> list[str]:
    languages = body.get("languages")
    if not isinstance(languages, list) or not languages:
        faults.add(
            N_("question set %(who)s: languages is %(value)r, must be a list such as ['fi', 'sv', 'en']"),
            value=languages,
        )
        return []
    for language in languages:
        if not isinstance(language, str) or language not in LANGUAGES:
            faults.add(
                N_("question set %(who)s: language %(value)r is unknown, must be one of %(known)s"),
                value=language,
                known=", ".join(LANGUAGES),
            )
    if len(set(map(str, languages))) != len(languages):
        faults.add(N_("question set %(who)s: languages names one twice: %(value)r"), value=languages)
    return [language for language in languages if isinstance(language, str) and language in LANGUAGES]


def _questions(body: dict[str, Any], languages: list[str], faults: _Faults) -> None:
    questions = body.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= MAX_QUESTIONS:
        count = len(questions) if isinstance(questions, list) else repr(questions)
        faults.add(
            N_("question set %(who)s: has %(count)s questions, must have 1 to %(most)s"),
            count=count,
            most=MAX_QUESTIONS,
        )
        return
    codes: list[str] = []
    for position, question in enumerate(questions):
        if not isinstance(question, dict):
            faults.add(
                N_("question set %(who)s: question %(position)s is %(value)r, must be an object"),
                position=position + 1,
                value=question,
            )
            continue
        code = question.get("code")
        if not isinstance(code, str) or not code:
            faults.add(
                N_("question set %(who)s: question %(position)s has code %(value)r, must be a text"),
                position=position + 1,
                value=code,
            )
            code = f"question {position + 1}"
        if code in codes:
            faults.add(N_("question set %(who)s: code %(code)r stands twice"), code=code)
        codes.append(code)
        kind = TYPES.get(str(question.get("type")))
        if kind is None:
            faults.add(
                N_("question set %(who)s: %(code)r has type %(value)r, must be one of %(known)s"),
                code=code,
                value=question.get("type"),
                known=", ".join(TYPES),
            )
        _texts(question.get("text"), code, languages, MAX_TEXT_CHARACTERS, faults)
        if kind is not None:
            _labels(question.get("labels"), code, kind, languages, faults)
    button = body.get("button")
    if button is not None and button not in codes:
        faults.add(
            N_("question set %(who)s: button asks %(value)r, which is none of its questions"),
            value=button,
        )


def _texts(texts: Any, name: str, languages: list[str], limit: int, faults: _Faults) -> None:
    if not isinstance(texts, dict):
        faults.add(
            N_("question set %(who)s: text %(name)r is %(value)r, must hold one text per language"),
            name=name,
            value=texts,
        )
        return
    for language in languages:
        text = texts.get(language)
        if not isinstance(text, str) or not text.strip():
            faults.add(
                N_("question set %(who)s: text %(name)r has no %(language)s"),
                name=name,
                language=LANGUAGES[language],
            )
        elif len(text) > limit:
            faults.add(
                N_(
                    "question set %(who)s: text %(name)r in %(language)s has %(length)s characters, "
                    "at most %(most)s fit"
                ),
                name=name,
                language=LANGUAGES[language],
                length=len(text),
                most=limit,
            )


def _labels(labels: Any, code: str, kind: QuestionType, languages: list[str], faults: _Faults) -> None:
    if kind.labels == 0:
        return
    if not isinstance(labels, dict):
        faults.add(
            N_("question set %(who)s: %(code)r has no labels; %(type)s needs them in each language"),
            code=code,
            type=kind.name,
        )
        return
    for language in languages:
        given = labels.get(language)
        wanted = f"{kind.labels}" if kind.labels is not None else "2–7"
        fits = isinstance(given, list) and (
            len(given) == kind.labels if kind.labels is not None else 2 <= len(given) <= 7
        )
        if not fits:
            count = len(given) if isinstance(given, list) else 0
            faults.add(
                N_(
                    "question set %(who)s: %(code)r has %(count)s labels in %(language)s, %(type)s needs %(wanted)s"
                ),
                code=code,
                count=count,
                language=LANGUAGES[language],
                type=kind.name,
                wanted=wanted,
            )
            continue
        for label in given or []:
            if not isinstance(label, str) or not label.strip() or len(label) > MAX_LABEL_CHARACTERS:
                faults.add(
                    N_(
                        "question set %(who)s: %(code)r has the label %(value)r in %(language)s, "
                        "must be 1 to %(most)s characters"
                    ),
                    code=code,
                    value=label,
                    language=LANGUAGES[language],
                    most=MAX_LABEL_CHARACTERS,
                )
