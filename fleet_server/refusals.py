"""What a person typed and why it cannot be used: faults by field, each naming the value.

The rules in the services raise `Refused` before they have written anything; a page shows each fault at its
field in the person's language, the command line prints them in English. Nothing here knows pages or commands.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

Fault = tuple[str, dict[str, Any]]
_Text = TypeVar("_Text", bound=str)
SHOWN_CHARACTERS = 60


def N_(text: _Text) -> _Text:  # noqa: N802  (gettext's own name for "translate this later")
    """Marks a text for the catalogs where it is written; it is translated where it is shown."""
    return text


class Sentence(str):
    """A fault in English that can be said in another language, too: `text` is a marked text with `%(name)s` places,
    `values` what stands there. A value that is a marked text itself (a language's name) is translated with it."""

    text: str
    values: dict[str, Any]

    def __new__(cls, text: str, /, **values: Any) -> "Sentence":
        """`text` as given to `N_`."""
        sentence = super().__new__(cls, text % values)
        sentence.text, sentence.values = text, values
        return sentence


class Refused(ValueError):
    """Refused input. `faults` maps a field's name to a text with `%(name)s` places and their values; `code` is for
    programs, see api/codes.py."""

    def __init__(self, faults: dict[str, Fault], *, code: str = "invalid") -> None:
        self.faults, self.code = faults, code
        super().__init__("; ".join(self.lines()))

    def lines(self) -> list[str]:
        """Each fault with its field, in English."""
        return [f"{name}: {text % values}" for name, (text, values) in self.faults.items()]


class Hindered(ValueError):
    """Something that cannot be done as things are; `faults` says all that is in its way, each a sentence."""

    code = "hindered"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(faults))


@dataclass
class Faults:
    """Collects faults, so that all of them are shown at once; the first at a field stays."""

    found: dict[str, Fault] = field(default_factory=dict)

    def add(self, name: str, text: str, /, **values: Any) -> None:
        """One fault of a field; long values are shortened."""
        self.found.setdefault(name, (text, {key: shown(value) for key, value in values.items()}))

    def text(self, name: str, typed: str, longest: int) -> str:
        """A line of text without spaces around it: not empty, not too long, nothing unprintable."""
        value = unicodedata.normalize("NFC", typed).strip()
        if not value:
            self.add(name, N_("This is empty. Type something here."))
        elif len(value) > longest:
            self.add(
                name,
                N_("This is too long: %(length)s characters, at most %(longest)s."),
                length=len(value),
                longest=longest,
            )
        elif any(unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co") for character in value):
            self.add(
                name, N_("“%(value)s” has a character that cannot be shown. Type it again."), value=value
            )
        return value

    def check(self) -> None:
        """Raises Refused when there is any fault."""
        if self.found:
            raise Refused(self.found)


def shown(value: Any) -> Any:
    """A value as it may stand in a message: short, without control characters."""
    if not isinstance(value, str):
        return value
    clean = "".join(c if c.isprintable() else "�" for c in value)
    return clean if len(clean) <= SHOWN_CHARACTERS else clean[: SHOWN_CHARACTERS - 1] + "…"
