"""The words on a touchscreen beside the questions: skip, back, thank you and more.

It knows which words there are and their text in the county's languages (data/words.json); a set may say one
otherwise in any language, and has to where the county asks in a language that they do not have.
"""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from fleet_server.questions.faults import SetFaults, texts
from fleet_server.refusals import N_

MAX_WORD_CHARACTERS = 90  # two lines of a hint; what is drawn on a button is held by the fit check
COUNTDOWN = "countdown"


@lru_cache(maxsize=1)
def ready_words() -> dict[str, dict[str, str]]:
    """{key: {language: text}} of data/words.json."""
    path = files("fleet_server.questions").joinpath("data", "words.json")
    words: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8"))["words"]
    return words


def words_of(body: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Every word in the languages of a set without faults; one that a language lacks is absent there."""
    own = body.get("words", {})
    return {
        key: {
            language: text
            for language in body["languages"]
            if (text := own.get(key, {}).get(language) or ready.get(language)) is not None
        }
        for key, ready in ready_words().items()
    }


def lacking(body: dict[str, Any]) -> dict[str, list[str]]:
    """{language: keys of words that neither the ready ones nor the set have in it}."""
    words = words_of(body)
    found = {language: [key for key in words if language not in words[key]] for language in body["languages"]}
    return {language: keys for language, keys in found.items() if keys}


def word_faults(body: dict[str, Any], languages: list[str], faults: SetFaults) -> None:
    """Every fault of a set's own words."""
    words = body.get("words", {})
    if not isinstance(words, dict):
        faults.add(
            N_("question set %(who)s: words is %(value)r, must be an object, or be left out"), value=words
        )
        return
    for key, given in words.items():
        if key not in ready_words():
            faults.add(
                N_("question set %(who)s: word %(value)r is unknown, must be one of %(known)s"),
                value=key,
                known=", ".join(ready_words()),
            )
            continue
        own = [
            each
            for each in languages
            if not isinstance(given, dict) or each in given or each not in ready_words()[key]
        ]
        texts(given, key, own, MAX_WORD_CHARACTERS, faults)
        for language in languages if key == COUNTDOWN and isinstance(given, dict) else ():
            text = given.get(language)
            if isinstance(text, str) and (text.count("%d") != 1 or text.count("%") != 1):
                faults.add(
                    N_(
                        "question set %(who)s: word %(key)r is %(value)r, must hold %%d once, for the seconds"
                    ),
                    key=key,
                    value=text,
                )
