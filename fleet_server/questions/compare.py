"""What is different between two versions of a question set, of which kind each difference is, and what it costs.

It knows no database and no page, and takes bodies with faults (a draft's) as far as they can be read. Invariants: a set
differs from itself in nothing; a code breaks only when it is in both and its source wording or its scale changed.
"""

from dataclasses import dataclass, field
from typing import Any

from fleet_server.questions.order import Asked, asked_in, moved
from fleet_server.questions.reading import labels_of, languages_of, questions_of, text_in, texts_of
from fleet_server.questions.types import LANGUAGES, TYPE_NAMES, TYPES, offers_cant_say
from fleet_server.questions.views import DEFAULT_IDLE_S
from fleet_server.refusals import N_, Sentence

CLASSES = ("wording", "scale", "order", "translation", "added", "removed")
CLASS_NAMES = {
    "wording": N_("wording"),
    "scale": N_("scale"),
    "order": N_("order"),
    "translation": N_("translation"),
    "added": N_("questions added"),
    "removed": N_("questions removed"),
}
_UNKNOWN = N_("unknown")
_BETWEEN = " · "


@dataclass(frozen=True)
class Text:
    """One text that is another now. `code`: of its question, "" for one of the set. `what`: `text`, `labels`, `thanks`
    or a word's key. `old`, `new`: "" where there was or is none; of labels, joined by " · "."""

    code: str
    what: str
    language: str
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """What became of one question beside its texts, in a sentence. `words`: the labels that it is about."""

    code: str
    said: Sentence
    words: Text | None = None


@dataclass
class Comparison:
    """Every difference; empty for two sets that ask the same. `breaks`: {code: why}. `other`: what changes no question,
    in sentences. `source`: the language whose wording decides, None when the two have no language in common."""

    source: str | None
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    reworded: list[Text] = field(default_factory=list)
    moved: list[Change] = field(default_factory=list)
    rescaled: list[Change] = field(default_factory=list)
    translated: list[Text] = field(default_factory=list)
    other: list[Sentence] = field(default_factory=list)
    breaks: dict[str, list[Sentence]] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """The kinds of change, in the order of CLASSES."""
        found = (self.reworded, self.rescaled, self.moved, self.translated, self.added, self.removed)
        return tuple(name for name, entries in zip(CLASSES, found, strict=True) if entries)

    @property
    def change(self) -> str:
        """`classes` as QuestionSet.change keeps them: `wording,order`."""
        return ",".join(self.classes)

    @property
    def same(self) -> bool:
        """Whether nothing at all is different."""
        return not (self.classes or self.other)

    def _break(self, code: str, text: str, **values: Any) -> None:
        said = Sentence(text, code=code, **values)
        if said not in self.breaks.setdefault(code, []):
            self.breaks[code].append(said)


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """What `new` has otherwise than `old`; both in the shape of questions/schema.py, with or without faults."""
    before, after = _Side(old), _Side(new)
    found = Comparison(source=next((one for one in before.languages if one in after.languages), None))
    found.added = [code for code in after.questions if code not in before.questions]
    found.removed = [code for code in before.questions if code not in after.questions]
    for code in (code for code in after.questions if code in before.questions):
        _texts(found, code, before, after)
        _scale(found, code, before, after)
        if found.source is None:
            found._break(code, N_("%(code)s: is asked in none of the languages that it was asked in before"))
    _order(found, old, new)
    _own_texts(found, before, after)
    _other(found, before, after)
    return found


class _Side:
    """One of the two as it is asked: texts in a language that the set does not offer are nobody's."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.questions = questions_of(body)
        self.languages = languages_of(body)
        self.own_texts = texts_of(body)

    def text(self, code: str, language: str, key: str = "text") -> str:
        return text_in(self.questions[code], language, key) if language in self.languages else ""

    def labels(self, code: str, language: str) -> list[str]:
        return labels_of(self.questions[code], language) if language in self.languages else []

    def own_text(self, what: str, language: str) -> str:
        return self.own_texts.get(what, {}).get(language, "") if language in self.languages else ""


def _languages(before: _Side, after: _Side) -> list[str]:
    return list(dict.fromkeys([*before.languages, *after.languages]))


def _texts(found: Comparison, code: str, before: _Side, after: _Side) -> None:
    for language in _languages(before, after):
        text = Text(code, "text", language, before.text(code, language), after.text(code, language))
        became = before.text(code, language, "status"), after.text(code, language, "status")
        if became == ("reconstructed", "verbatim"):
            found.translated.append(text)  # the official wording takes the place of ours
        elif text.old == text.new:
            continue
        elif language not in after.languages or not text.old:
            found.translated.append(text)
        else:
            found.reworded.append(text)
            if language == found.source:
                found._break(
                    code,
                    N_(
                        "%(code)s: its %(language)s wording changed, "
                        "so answers before and after are answers to different questions"
                    ),
                    language=LANGUAGES[language],
                )


def _scale(found: Comparison, code: str, before: _Side, after: _Side) -> None:
    def rescale(said: str, words: Text | None = None, **values: Any) -> None:
        found.rescaled.append(Change(code, Sentence(said, code=code, **values), words))
        found._break(code, said, **values)

    old, new = before.questions[code], after.questions[code]
    kinds = [str(question.get("type")) for question in (old, new)]
    if kinds[0] != kinds[1]:
        was, type_ = (TYPE_NAMES.get(kind, _UNKNOWN) for kind in kinds)
        rescale(
            N_("%(code)s: is answered by %(type)s, before by %(before_type)s"), type=type_, before_type=was
        )
    elif (old.get("several") is True) != (new.get("several") is True):
        if new.get("several") is True:
            rescale(N_("%(code)s: several answers may be chosen, before only one"))
        else:
            rescale(N_("%(code)s: only one answer may be chosen, before several"))
    elif _cant_say(old) != _cant_say(new):
        if _cant_say(new):
            rescale(N_("%(code)s: “can't say” is offered, before it was not"))
        else:
            rescale(N_("%(code)s: “can't say” is offered no more"))
    for language in _languages(before, after):
        labels = before.labels(code, language), after.labels(code, language)
        text = Text(code, "labels", language, _BETWEEN.join(labels[0]), _BETWEEN.join(labels[1]))
        if labels[0] == labels[1]:
            continue
        if language not in after.languages or not labels[0]:
            found.translated.append(text)
        elif language != found.source:
            found.reworded.append(text)
        elif len(labels[0]) != len(labels[1]):
            said = N_("%(code)s: has %(after)s answers to choose from, before %(before)s")
            rescale(said, text, after=len(labels[1]), before=len(labels[0]))
        else:
            said = N_("%(code)s: the %(language)s words of its scale changed")
            rescale(said, text, language=LANGUAGES[language])


def _cant_say(question: Any) -> bool:
    return question.get("type") in TYPES and offers_cant_say(question)


def _order(found: Comparison, old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = asked_in(old), asked_in(new)
    elsewhere = moved(old, new)
    for code in after:
        if code in before:
            for text, values in _ways(before[code], after[code], code in elsewhere):
                found.moved.append(Change(code, Sentence(text, code=code, **values)))


def _ways(before: Asked, after: Asked, moved: bool) -> list[tuple[str, dict[str, Any]]]:
    said: list[tuple[str, dict[str, Any]]] = []
    if before.kinds != after.kinds:
        said.append((N_("%(code)s: is asked of others than before"), {}))
    if before.rotated != after.rotated:
        if not after.rotated:
            said.append((N_("%(code)s: is asked of everybody, before in rotation with others"), {}))
        elif not before.rotated:
            said.append((N_("%(code)s: is asked in rotation with others, before of everybody"), {}))
        else:
            said.append((N_("%(code)s: its rotation changed"), {}))
    if before.when != after.when:
        if after.when is None:
            said.append((N_("%(code)s: depends no more on an earlier answer"), {}))
        else:
            said.append((N_("%(code)s: is asked after other answers than before"), {}))
    if moved and not said:
        said.append((N_("%(code)s: is asked at another place"), {}))
    return said


def _own_texts(found: Comparison, before: _Side, after: _Side) -> None:
    for what in dict.fromkeys([*before.own_texts, *after.own_texts]):
        for language in _languages(before, after):
            text = Text("", what, language, before.own_text(what, language), after.own_text(what, language))
            if text.old != text.new:
                kept = language in before.languages and language in after.languages
                (found.reworded if kept else found.translated).append(text)


def _other(found: Comparison, before: _Side, after: _Side) -> None:
    def say(text: str, **values: Any) -> None:
        found.other.append(Sentence(text, **values))

    for language in _languages(before, after):
        if language not in before.languages:
            say(N_("%(language)s is new"), language=LANGUAGES[language])
        elif language not in after.languages:
            say(N_("%(language)s is left out"), language=LANGUAGES[language])
    for code, question in after.questions.items():
        was, now = before.questions.get(code, {}).get("item_version"), question.get("item_version")
        if was is not None and now is not None and was != now:
            said = N_("%(code)s: is version %(after)s of the national item, before version %(before)s")
            say(said, code=code, after=now, before=was)
    old, new = before.body, after.body
    if old.get("button") != new.get("button"):
        asked = [body.get("button") or "–" for body in (old, new)]
        say(N_("button kiosks ask %(after)s, before %(before)s"), after=asked[1], before=asked[0])
    turns = [_turns_text(body) for body in (old, new)]
    if turns[0] != turns[1]:
        say(N_("in turn on button kiosks: %(after)s, before %(before)s"), after=turns[1], before=turns[0])
    idle = [body.get("idle_s", DEFAULT_IDLE_S) for body in (old, new)]
    if idle[0] != idle[1]:
        said = N_("a visit ends after %(after)s seconds without a touch, before after %(before)s")
        say(said, after=idle[1], before=idle[0])


def _turns_text(body: dict[str, Any]) -> str:
    turns = body.get("turns")
    if not isinstance(turns, dict):
        return "–"
    then = turns.get("then")
    return f"{', '.join(map(str, then if isinstance(then, list) else []))} ({turns.get('every')})"
