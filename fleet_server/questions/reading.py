"""Reads from the body of a question set what is there, also from one with faults: a draft, or a set edited by hand.

It judges nothing; what is not of the right kind is read as absent. For good sets see schema.py.
"""

from typing import Any, TypeGuard

from fleet_server.questions.types import LANGUAGES


def questions_of(body: Any) -> dict[str, dict[str, Any]]:
    """{code: question} of those that have a code; the first of two with the same."""
    found: dict[str, dict[str, Any]] = {}
    questions = body.get("questions") if isinstance(body, dict) else None
    for question in questions if isinstance(questions, list) else ():
        if isinstance(question, dict) and isinstance(question.get("code"), str) and question["code"]:
            found.setdefault(question["code"], question)
    return found


def languages_of(body: Any) -> list[str]:
    """The known languages, each once."""
    languages = body.get("languages") if isinstance(body, dict) else None
    known = [one for one in languages if one in LANGUAGES] if _texts_only(languages) else []
    return list(dict.fromkeys(known))


def text_in(question: dict[str, Any], language: str, key: str = "text") -> str:
    """The text (or the `status`, `source`) in a language, "" without one."""
    texts = question.get(key)
    text = texts.get(language) if isinstance(texts, dict) else None
    return text if isinstance(text, str) else ""


def labels_of(question: dict[str, Any], language: str) -> list[str]:
    """The labels in a language, none where they are no list of texts."""
    labels = question.get("labels")
    row = labels.get(language) if isinstance(labels, dict) else None
    return list(row) if _texts_only(row) else []


def texts_of(body: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{"thanks" or a word's key: {language: text}}: what the set says beside its questions."""
    words = body.get("words")
    given = {"thanks": body.get("thanks"), **(words if isinstance(words, dict) else {})}
    return {
        str(key): {language: text for language, text in texts.items() if isinstance(text, str)}
        for key, texts in given.items()
        if isinstance(texts, dict)
    }


def _texts_only(given: Any) -> TypeGuard[list[str]]:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)
