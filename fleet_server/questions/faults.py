"""How the faults of a question set are said: each a sentence with the set's number, in every language of the pages.

It knows no rule of a set; those are where their part of a set is.
"""

from typing import Any

from fleet_server.questions.types import LANGUAGES
from fleet_server.refusals import N_, Sentence


class SetFaults:
    """Collects what is wrong with one set, so that all of it is shown in one go."""

    def __init__(self, number: Any) -> None:
        self.found: list[str] = []
        self._number = number

    def add(self, text: str, **values: Any) -> None:
        """`text` as given to `N_`; `%(who)s` stands for the set's number."""
        self.found.append(Sentence(text, who=self._number, **values))


def texts(given: Any, name: str, languages: list[str], limit: int, faults: SetFaults) -> None:
    """One text per language, none of them empty or longer than `limit` characters."""
    if not isinstance(given, dict):
        faults.add(
            N_("question set %(who)s: text %(name)r is %(value)r, must hold one text per language"),
            name=name,
            value=given,
        )
        return
    for language in languages:
        text = given.get(language)
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


def yes_or_no(given: Any, name: str, code: str, faults: SetFaults) -> bool:
    """Whether a key that is a plain yes or no is one; says so when not."""
    if isinstance(given, bool):
        return True
    faults.add(
        N_("question set %(who)s: %(code)r has %(name)s %(value)r, must be true or false"),
        code=code,
        name=name,
        value=given,
    )
    return False


def half_a_character(number: Any, fault: UnicodeEncodeError) -> Sentence:
    """The line for a text that no UTF-8 can hold: JSON may escape half of a surrogate pair."""
    half = fault.object[fault.start : fault.end]
    text = N_("question set %(who)s: has %(value)r, half of a character, in one of its texts")
    return Sentence(text, who=number, value=half)


def called(fault: str, name: str) -> str:
    """The same fault of a set that has no number yet: a draft is called by its name."""
    if not isinstance(fault, Sentence) or "who" not in fault.values:
        return fault
    again = type(fault)(fault.text, **fault.values | {"who": name})
    again.__dict__.update({key: value for key, value in vars(fault).items() if key != "values"})
    return again
