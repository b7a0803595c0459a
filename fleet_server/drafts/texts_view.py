"""The texts of a draft as the page of translating shows them: sections, rows, one cell a language.

It knows no request. Invariant: a cell that can be typed into carries the path of exactly one unlocked text.
"""

from dataclasses import dataclass

from fleet_server.drafts.sheet import what
from fleet_server.drafts.texts import Body, Slot, slots, text_fault
from fleet_server.questions.types import HTML_CODES, LANGUAGES, TYPE_NAMES
from fleet_server.web.forms import said
from fleet_server.web.i18n import _

SHOWS = ("all", "missing", "stale")


@dataclass(frozen=True)
class Cell:
    """One text in one language. was: the source text that it was made for, when that says something else by now."""

    language: str
    lang: str
    name: str
    path: str
    text: str
    locked: bool
    missing: bool
    was: str
    ready: bool
    fault: str


@dataclass(frozen=True)
class Row:
    """One thing to be said, in every language of the draft."""

    key: str
    what: str
    limit: int
    cells: list[Cell]
    long: bool


@dataclass(frozen=True)
class Section:
    """A question with its answers, the thanks, or the kiosk's words."""

    title: str
    kind: str
    national: bool
    rows: list[Row]


@dataclass(frozen=True)
class LanguageState:
    """A language of the draft, and how far its texts are."""

    code: str
    name: str
    source: bool
    missing: int
    stale: int
    required: bool


def sections(
    body: Body, stale: dict[str, str], *, show: str, editable: bool, typed: dict[str, str]
) -> list[Section]:
    """What the page shows; `typed` (by path) stands instead of what the draft says."""
    types = {
        question["code"]: TYPE_NAMES.get(str(question.get("type")), "") for question in body["questions"]
    }
    found: list[Section] = []
    begun = None
    for slot in slots(body):
        belongs_to = slot.code if slot.kind in ("question", "label") else slot.kind
        if belongs_to != begun:
            begun = belongs_to
            title = {"thanks": _("Thank you"), "word": _("Words on the screen")}.get(belongs_to, slot.code)
            kind = _(types[slot.code]) if types.get(belongs_to) else ""
            found.append(Section(title, kind, slot.locked, []))
        cells = [_cell(slot, language, stale, editable, typed) for language in body["languages"]]
        if (show == "missing" and not any(cell.missing for cell in cells)) or (
            show == "stale" and not any(cell.was for cell in cells)
        ):
            continue
        name = what(slot) if slot.kind != "word" else slot.code
        found[-1].rows.append(Row(slot.key, name, slot.limit, cells, slot.kind in ("question", "thanks")))
    return [section for section in found if section.rows]


def language_states(body: Body, stale: dict[str, str], required: list[str]) -> list[LanguageState]:
    """Every language of the draft, with what it lacks."""
    states = []
    for place, language in enumerate(body["languages"]):
        lacking = [slot for slot in slots(body) if language not in slot.texts]
        old = [slot for slot in slots(body) if slot.path(language) in stale]
        name = _(LANGUAGES[language])
        states.append(LanguageState(language, name, place == 0, len(lacking), len(old), language in required))
    return states


def _cell(slot: Slot, language: str, stale: dict[str, str], editable: bool, typed: dict[str, str]) -> Cell:
    path = slot.path(language)
    text = typed.get(path, slot.texts.get(language, ""))
    fault = text_fault(slot, text)
    return Cell(
        language=language,
        lang=HTML_CODES.get(language, language),
        name=_(LANGUAGES[language]),
        path=path,
        text=text,
        locked=slot.locked or not editable,
        missing=language not in slot.texts,
        was=stale.get(path, ""),
        ready=slot.kind == "word" and bool(text) and language not in slot.own,
        fault=said(fault) if fault else "",
    )
