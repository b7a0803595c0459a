"""What a question set may look like, and every fault that one has; it knows no database and no device.

Shape (JSON): {"number": 1-65535, "name", "version", "languages": ["fi", …], "questions": [{"code", "type",
"text": {lang: str}, "labels": {lang: [str, …]}, "status", "source"}], "thanks": {lang: str}, "idle_s": seconds,
"button": code of the question that a button kiosk asks, or null}.

"turns": {"every": "day" | "week", "then": [codes]} lets others follow that one on button kiosks, see turns.py.

May be left out: "turns"; of a question "when": {"code", "values": [answers]} (asked only after such an answer),
"several": true (a choice with more than one answer), "cant_say": whether "can't say" is offered; of the set "words":
{key: {lang: str}} and "flows": [{"kind": "visitor" | "child" | "kin", "ask": [code | {"rotate": [codes], "take":
number}, …]}].
"""

import json
from typing import Any

from fleet_server.questions.faults import SetFaults, half_a_character, texts, yes_or_no
from fleet_server.questions.flows import flow_faults
from fleet_server.questions.turns import turn_faults
from fleet_server.questions.types import LANGUAGES, OPTIONS, TYPES, QuestionType
from fleet_server.questions.words import word_faults
from fleet_server.refusals import N_, Sentence

MAX_SET_BYTES = 16 * 1024  # the protocol's limit for a whole set
MAX_QUESTIONS = 20  # a visit of more is a survey, not a kiosk
MAX_TEXT_CHARACTERS = 200  # four lines on a 480x320 screen at the smallest size
MAX_LABEL_CHARACTERS = 60
IDLE_S = range(10, 121)  # below 10 s an old hand has no time to read


def faults_of(body: Any) -> list[str]:
    """Every fault of a question set, each one a line that names the field and the value; empty when it is good."""
    if not isinstance(body, dict):
        return [Sentence(N_("a question set is a JSON object, not %(type)s"), type=type(body).__name__)]
    number = body.get("number")
    faults = SetFaults(number)
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
    texts(body.get("thanks"), "thanks", languages, MAX_TEXT_CHARACTERS, faults)
    word_faults(body, languages, faults)
    if _questions(body, languages, faults):
        flow_faults(body, faults)
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


def canonical(body: dict[str, Any]) -> bytes:
    """The one byte form of a set or view: sorted keys, no spaces, UTF-8. Its SHA-256 is the hash.

    Raises UnicodeEncodeError for a text with half of a character.
    """
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _languages(body: dict[str, Any], faults: SetFaults) -> list[str]:
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


def _questions(body: dict[str, Any], languages: list[str], faults: SetFaults) -> bool:
    """Whether all have codes of their own, so that it can be said in which order they are asked."""
    questions = body.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= MAX_QUESTIONS:
        count = len(questions) if isinstance(questions, list) else repr(questions)
        faults.add(
            N_("question set %(who)s: has %(count)s questions, must have 1 to %(most)s"),
            count=count,
            most=MAX_QUESTIONS,
        )
        return False
    named = True
    codes: list[str] = []
    for position, question in enumerate(questions):
        if not isinstance(question, dict):
            faults.add(
                N_("question set %(who)s: question %(position)s is %(value)r, must be an object"),
                position=position + 1,
                value=question,
            )
            named = False
            continue
        code = question.get("code")
        if not isinstance(code, str) or not code.strip():
            faults.add(
                N_("question set %(who)s: question %(position)s has code %(value)r, must be a text"),
                position=position + 1,
                value=code,
            )
            code, named = f"question {position + 1}", False
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
        texts(question.get("text"), code, languages, MAX_TEXT_CHARACTERS, faults)
        if kind is not None:
            _labels(question.get("labels"), code, kind, languages, faults)
            _ways(question, code, kind, faults)
    button = body.get("button")
    if button is not None and button not in codes:
        faults.add(
            N_("question set %(who)s: button asks %(value)r, which is none of its questions"),
            value=button,
        )
    turn_faults(body, codes, faults)
    return named and len(set(codes)) == len(codes)


def _ways(question: dict[str, Any], code: str, kind: QuestionType, faults: SetFaults) -> None:
    """`several` is a choice's, `cant_say` that of the types which have it."""
    several, cant_say = question.get("several", False), question.get("cant_say", False)
    if yes_or_no(several, "several", code, faults) and several and kind.name != "choice":
        faults.add(
            N_("question set %(who)s: %(code)r has several, which only a choice can have, not %(type)s"),
            code=code,
            type=kind.name,
        )
    if yes_or_no(cant_say, "cant_say", code, faults) and cant_say and kind.cant_say is None:
        faults.add(
            N_(
                "question set %(who)s: %(code)r has cant_say, but %(type)s has no such answer; it can be skipped"
            ),
            code=code,
            type=kind.name,
        )


def _labels(labels: Any, code: str, kind: QuestionType, languages: list[str], faults: SetFaults) -> None:
    if kind.labels == 0:
        return
    if not isinstance(labels, dict):
        faults.add(
            N_("question set %(who)s: %(code)r has no labels; %(type)s needs them in each language"),
            code=code,
            type=kind.name,
        )
        return
    lengths = {len(labels[one]) for one in languages if isinstance(labels.get(one), list)}
    if kind.labels is None and len(lengths) > 1:
        faults.add(
            N_("question set %(who)s: %(code)r has %(value)s labels, must have as many in each language"),
            code=code,
            value=", ".join(map(str, sorted(lengths))),
        )
    for language in languages:
        given = labels.get(language)
        counts = OPTIONS if kind.labels is None else range(kind.labels, kind.labels + 1)
        wanted = f"{counts.start}–{counts.stop - 1}" if len(counts) > 1 else f"{counts.start}"
        if not isinstance(given, list) or len(given) not in counts:
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
        for label in given:
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
