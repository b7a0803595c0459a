"""What the form of a question set asks, and what somebody filled in; it knows no database, no request and no HTML.

Every question is optional, none is hidden: a page without JavaScript cannot open one by an answer, so follow-ups stand
on the sheet like the others. Where the set asks each visitor some of several questions, the form's number draws them:
the same form shows the same ones however often it comes back.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet_server.answers.wire import MAX_TEXT_BYTES
from fleet_server.questions.types import CANT_SAY, offers_cant_say
from fleet_server.refusals import N_, Refused

CANT_SAY_LABEL = N_("I cannot say")
_HIGHEST = {
    "smiley4": 4,
    "smiley5": 5,
    "agree5": 5,
    "pei": 2,
}  # the value of the first label; each next is one less


@dataclass(frozen=True)
class Option:
    """One answer that can be chosen. `label` empty: the page has its own words for it (can't say)."""

    value: int
    label: str


@dataclass(frozen=True)
class Question:
    """One question of the sheet. `position`: in the whole set. `several`: more than one option may be chosen."""

    position: int
    code: str
    type: str
    text: str
    options: tuple[Option, ...]
    several: bool
    ends: tuple[str, str] | None  # of a scale: what its lowest and its highest number mean

    @property
    def name(self) -> str:
        """Its field in the form. With its code, so that what was filled in is found again on a newer set's form."""
        return f"{self.type}-{self.code}"


@dataclass(frozen=True)
class Answer:
    """An answer as a record holds it."""

    position: int
    value: int
    body: bytes = b""


Filled = Mapping[str, Sequence[str]]  # by field, as sent


def questions_of(body: dict[str, Any], language: str, number: str, filled: Filled) -> list[Question]:
    """The questions of this set for the form with this number, in a language of the set, in their order.

    What is filled in already is among them, also when another form's number had drawn it.
    """
    every = [_question(one, position, language) for position, one in enumerate(body["questions"])]
    flow = next((flow for flow in body.get("flows") or () if flow.get("kind") == "visitor"), None)
    if flow is None:
        return every
    by_code = {question.code: question for question in every}
    draw = random.Random(number)  # noqa: S311  (a fair draw, no secret)
    shown: dict[int, Question] = {}
    for step in flow["ask"]:
        codes = _drawn(step, draw) if isinstance(step, dict) else [step]
        codes += [code for code in _offered(step) if filled.get(by_code[code].name)]
        found = {by_code[code].position: by_code[code] for code in codes}
        shown |= dict(sorted(found.items()))
    return list(shown.values())


def _offered(step: str | dict[str, Any]) -> list[str]:
    return step["rotate"] if isinstance(step, dict) else [step]


def _drawn(step: dict[str, Any], draw: random.Random) -> list[str]:
    return draw.sample(step["rotate"], min(step["take"], len(step["rotate"])))


def _question(question: dict[str, Any], position: int, language: str) -> Question:
    kind = question["type"]
    labels = question.get("labels", {}).get(language, [])
    options: tuple[Option, ...] = ()
    if kind == "nps":
        options = tuple(Option(value, str(value)) for value in range(11))
    elif kind == "choice":
        options = tuple(Option(1 << place, label) for place, label in enumerate(labels))
    elif kind in _HIGHEST:
        options = tuple(Option(_HIGHEST[kind] - place, label) for place, label in enumerate(labels))
    if offers_cant_say(question):
        options += (Option(CANT_SAY, ""),)
    return Question(
        position=position,
        code=question["code"],
        type=kind,
        text=question["text"][language],
        options=options,
        several=kind == "choice" and bool(question.get("several")),
        ends=(labels[1], labels[0]) if kind == "nps" else None,
    )


def answers_of(questions: Sequence[Question], filled: Filled) -> list[Answer]:
    """The answers that were given, in the order of the sheet; raises Refused with every field that cannot be booked."""
    answers, faults = [], {}
    for question in questions:
        given = [one for one in filled.get(question.name, ()) if one.strip()]
        if not given:
            continue
        if question.type == "text":
            body = text_of(given[0])
            if len(body) > MAX_TEXT_BYTES:
                text = N_("This is %(more)s characters too long. Please shorten it.")
                faults[question.name] = (text, {"more": _characters_over(body)})
            else:
                answers.append(Answer(question.position, 0, body))
            continue
        values = {str(option.value): option.value for option in question.options}
        if not set(given) <= values.keys() or (len(given) > 1 and not question.several):
            faults[question.name] = (N_("Please choose again."), {})
            continue
        answers.append(Answer(question.position, sum({values[one] for one in given})))
    if faults:
        raise Refused(faults)
    return answers


def text_of(typed: str) -> bytes:
    """A text as it is kept: browsers send lines with CR LF, which would cost a byte each."""
    return typed.replace("\r\n", "\n").strip().encode("utf-8", "replace")


def _characters_over(body: bytes) -> int:
    """How many characters at the end must go: ä and ö have two bytes, which nobody wants to be told."""
    return len(body.decode()) - len(body[:MAX_TEXT_BYTES].decode("utf-8", "ignore"))
