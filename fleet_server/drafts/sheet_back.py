"""What a spreadsheet that came back would change in its draft as it is by now. It knows no page, and changes nothing.

Invariant: with any fault in the sheet there is no change at all; each change says whether its text, or its source, was
altered here while the sheet was away.
"""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from fleet_server.drafts import service
from fleet_server.drafts.models import Draft
from fleet_server.drafts.sheet import Sheet, changes, read, what
from fleet_server.drafts.texts import Body, Slot, slots, tidy
from fleet_server.questions.types import LANGUAGES
from fleet_server.refusals import N_, Sentence
from fleet_server.web.i18n import _


@dataclass(frozen=True)
class Change:
    """One text that the sheet says otherwise. `moved`: its source was altered here since, `theirs`: it was itself."""

    index: int
    what: str
    code: str
    language: str
    name: str
    now: str
    then: str
    moved: bool
    theirs: bool


def come_back(
    session: Session, draft: Draft, data: bytes
) -> tuple[list[tuple[Change, dict[str, Any]]], list[str]]:
    """What the sheet in `data` would change, each beside its operation, or every fault of it."""
    found, faults = read(data)
    if found is None:
        return [], faults
    foreign = _foreign(found, draft.id or 0, draft.revision)
    if foreign:
        return [], [foreign]
    base = service.body_at(session, draft, found.revision)
    wanted, more = changes(base, found)
    faults = faults + more
    return ([] if faults else _listed(base, service.body(draft), wanted)), faults


def by_path(body: Body) -> dict[str, tuple[Slot, str]]:
    """Every text that can be translated and its language, by path."""
    return {
        slot.path(language): (slot, language)
        for slot in slots(body)
        if not slot.locked
        for language in body["languages"]
    }


def _foreign(sheet: Sheet, draft_id: int, revision: int) -> Sentence | None:
    if sheet.draft != draft_id:
        return Sentence(
            N_("This sheet was made of draft %(value)s, not of this one (%(draft)s)."),
            value=sheet.draft,
            draft=draft_id,
        )
    if sheet.revision > revision:
        return Sentence(
            N_(
                "This sheet was made of revision %(value)s, and the draft has only %(draft)s. Make a new sheet."
            ),
            value=sheet.revision,
            draft=revision,
        )
    return None


def _listed(base: Body, now: Body, wanted: list[dict[str, Any]]) -> list[tuple[Change, dict[str, Any]]]:
    """What would change, each beside its operation; what says so already is no change."""
    before, present = by_path(base), by_path(now)
    source = now["languages"][0]
    listed: list[tuple[Change, dict[str, Any]]] = []
    for op in wanted:
        there = present.get(op["path"])
        if there is None:  # the question or the language is gone
            continue
        slot, language = there
        then_slot = before[op["path"]][0]
        text, says = op["to"] or "", slot.texts.get(language, "")
        if tidy(says) == text:
            continue
        change = Change(
            index=len(listed),
            what=what(slot),
            code=slot.code,
            language=language,
            name=_(LANGUAGES[language]),
            now=says,
            then=text,
            moved=then_slot.texts.get(source) != slot.texts.get(source),
            theirs=then_slot.texts.get(language) != slot.texts.get(language),
        )
        listed.append((change, op))
    return listed
