"""The texts of a draft, each in every language: which there are, which one lacks, which was left behind by its source.

It knows bodies and edits, no page and no spreadsheet. Invariant: a translation is *stale* exactly when the source text
that it was last written (or called right) for is not the one that stands there now; taking an edit back takes that
back, too.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts import county
from fleet_server.drafts.models import Draft, DraftEdit
from fleet_server.questions.schema import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS
from fleet_server.questions.types import LANGUAGES, TYPES
from fleet_server.questions.words import COUNTDOWN, MAX_WORD_CHARACTERS, ready_words
from fleet_server.refusals import N_, Sentence, shown

Body = dict[str, Any]
Texts = dict[str, Any]  # path of a text: the text
_SHOWN_KEYS = 5
_EVER = 1 << 62


@dataclass(frozen=True)
class Slot:
    """One thing to be said. `key` names it (a path without the language), `kind` is question, label, thanks or word.

    number: of a label, from 1. texts: what is said now, by language; a word of the kiosk has its ready text there
    unless the draft says it otherwise. own: the languages in which the draft itself says it.
    """

    key: str
    kind: str
    code: str
    limit: int
    locked: bool
    texts: dict[str, str]
    own: frozenset[str]
    number: int = 0

    def path(self, language: str) -> str:
        """Where the text of a language stands, for an operation."""
        if self.kind == "label":
            return f"questions/{self.code}/labels/{language}/{self.number - 1}"
        return f"{self.key}/{language}"

    def op(self, language: str, text: str) -> dict[str, Any]:
        """The operation that says it so; an empty text takes it away (of a word: leaves the ready one)."""
        gone = "" if self.kind == "label" else None
        return {"do": "set", "path": self.path(language), "to": text or gone}


def slots(body: Body) -> list[Slot]:
    """Everything that a draft says, in its order: questions with their labels, the thanks, the kiosk's words."""
    found: list[Slot] = []
    for question in body["questions"]:
        code, locked = question["code"], "item" in question
        found.append(
            _slot(f"questions/{code}/text", "question", code, MAX_TEXT_CHARACTERS, question["text"], locked)
        )
        rows = question.get("labels", {})
        for number in range(_labels(question)):
            given = {language: row[number] for language, row in rows.items() if number < len(row)}
            key = f"questions/{code}/labels/{number}"
            found.append(_slot(key, "label", code, MAX_LABEL_CHARACTERS, given, locked, number + 1))
    found.append(_slot("thanks", "thanks", "", MAX_TEXT_CHARACTERS, body["thanks"], False))
    own = body.get("words", {})
    for key, ready in ready_words().items():
        given = {language: text for language, text in own.get(key, {}).items() if text}
        found.append(
            Slot(
                f"words/{key}",
                "word",
                key,
                MAX_WORD_CHARACTERS,
                False,
                {language: text for language, text in (ready | given).items() if text.strip()},
                frozenset(given),
            )
        )
    return found


def missing(body: Body, languages: Iterable[str] | None = None) -> dict[str, list[Slot]]:
    """{language: what it does not say}; of the draft's languages, or of those named. Complete ones are absent."""
    wanted = list(body["languages"] if languages is None else languages)
    all_slots = slots(body)
    found = {language: [slot for slot in all_slots if language not in slot.texts] for language in wanted}
    return {language: lacking for language, lacking in found.items() if lacking}


def required_languages(session: Session) -> list[str]:
    """The languages without which the county publishes nothing."""
    return list(county.rules(session).required_languages)


def language_faults(session: Session, body: Body) -> list[str]:
    """Why this draft may not be published as far as languages go: one that is required and not there, and texts that
    are missing in one that is there."""
    found: list[str] = [
        Sentence(N_("%(language)s is missing, and the county requires it"), language=LANGUAGES[language])
        for language in required_languages(session)
        if language not in body["languages"]
    ]
    for language, lacking in missing(body).items():
        names = ", ".join(slot.key.removeprefix("questions/") for slot in lacking[:_SHOWN_KEYS])
        text = N_("%(language)s is not complete, %(count)s texts are missing: %(keys)s")
        if len(lacking) == 1:
            text = N_("%(language)s is not complete, one text is missing: %(keys)s")
        elif len(lacking) > _SHOWN_KEYS:
            text = N_("%(language)s is not complete, %(count)s texts are missing: %(keys)s and more")
        found.append(Sentence(text, language=LANGUAGES[language], count=len(lacking), keys=names))
    return found


def stale(session: Session, draft: Draft) -> dict[str, str]:
    """{path of a translation: the source text that it was made for}, where the source says something else by now.

    The source is the draft's first language. What stood there when the draft was begun counts as right.
    """
    body = json.loads(draft.body)
    source, *others = body["languages"] or [""]
    pairs = {
        slot.path(language): (slot.path(source), slot.texts[source])
        for slot in slots(body)
        for language in others
        if not slot.locked and language in slot.texts and source in slot.texts
    }
    made_for = _made_for(session, draft, body, {path: pair[0] for path, pair in pairs.items()})
    return {
        path: made_for[path]
        for path, (_source_path, now) in pairs.items()
        if made_for[path] and made_for[path] != now
    }


def text_fault(slot: Slot, text: str) -> Sentence | None:
    """Why this cannot be said there: too long, not printable, or a countdown without its seconds."""
    if len(text) > slot.limit:
        return Sentence(
            N_("it has %(length)s characters, at most %(most)s fit"), length=len(text), most=slot.limit
        )
    odd = [character for character in text if character != "\n" and _unprintable(character)]
    if odd:
        return Sentence(N_("it has a character that cannot be shown: %(value)r"), value=odd[0])
    if slot.key == f"words/{COUNTDOWN}" and text and (text.count("%d") != 1 or text.count("%") != 1):
        return Sentence(N_("“%(value)s” must hold %%d once, for the seconds"), value=shown(text))
    return None


def tidy(text: str) -> str:
    """A text as it is kept: composed letters, one kind of line break, no spaces around it."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _slot(
    key: str, kind: str, code: str, limit: int, given: dict[str, str], locked: bool, number: int = 0
) -> Slot:
    texts = {language: text for language, text in given.items() if isinstance(text, str) and text.strip()}
    return Slot(key, kind, code, limit, locked, texts, frozenset(texts), number)


def _labels(question: dict[str, Any]) -> int:
    """How many labels a question has: what its type says, or the longest row of a choice."""
    kind = TYPES.get(str(question.get("type")))
    longest = max(map(len, question.get("labels", {}).values()), default=0)
    return longest if kind is None or kind.labels is None else max(kind.labels, longest)


def _unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co")


def _made_for(session: Session, draft: Draft, body: Body, source_of: dict[str, str]) -> dict[str, str]:
    """The source text that stood there when each translation was last touched, found going back from today.

    An edit that took another one back says nothing by itself: what held before that other one holds again.
    """
    found: dict[str, str] = {}
    open_below = dict.fromkeys(source_of, _EVER)  # path: only an edit before this revision counts
    after = _ready() | dict(_flat("thanks", body["thanks"]))
    after |= {path: text for path, text in _flat("words", body.get("words", {})) if text}
    for question in body["questions"]:
        after |= _question(question)
    edits = session.exec(
        select(DraftEdit).where(DraftEdit.draft_id == draft.id).order_by(col(DraftEdit.revision).desc())
    )
    for edit in edits:
        if not open_below:
            break
        before = dict(after)
        for op in json.loads(edit.inverse):
            _put(before, op)
        kept = {op["path"] for op in json.loads(edit.op) if op["do"] == "keep"}
        for path, below in list(open_below.items()):
            if edit.revision >= below or (path not in kept and before.get(path) == after.get(path)):
                continue
            if edit.undoes is not None:
                open_below[path] = edit.undoes
                continue
            found[path] = after.get(source_of[path]) or ""
            del open_below[path]
        after = before
    return found | {path: after.get(source_of[path]) or "" for path in open_below}


def _put(texts: Texts, op: dict[str, Any]) -> None:
    """Do an operation on a flat list of texts, as far as it is about one."""
    path, to = op["path"], op.get("to")
    if op["do"] not in ("set", "add", "remove") or path.split("/")[0] not in ("questions", "thanks", "words"):
        return
    beneath = path + "/"
    for there in [each for each in texts if each == path or each.startswith(beneath)]:
        del texts[there]
    texts |= {path: to} if isinstance(to, str) else dict(_flat(path, to))
    if path.startswith("words/") and not to:
        texts |= {key: text for key, text in _ready().items() if key == path or key.startswith(beneath)}


def _question(question: dict[str, Any]) -> Texts:
    path = f"questions/{question['code']}"
    return dict(_flat(path, {key: question.get(key, {}) for key in ("text", "labels")}))


def _ready() -> Texts:
    return dict(_flat("words", ready_words()))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text beneath a path, with its own path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        if isinstance(each, str):
            yield f"{path}/{key}", each
        else:
            yield from _flat(f"{path}/{key}", each)
