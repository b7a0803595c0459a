"""The page that shows what is different between two sets, in plain words; a draft's page is made by the same function.

It decides nothing: every difference and what breaks by it is the comparison's.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session

from fleet_server.accounts.access import SignedIn
from fleet_server.questions import service
from fleet_server.questions.compare import CLASS_NAMES, Text, compare
from fleet_server.questions.difference import difference
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.reading import questions_of, text_in
from fleet_server.questions.types import LANGUAGES
from fleet_server.refusals import N_
from fleet_server.web.deps import ReadSession, RowId
from fleet_server.web.forms import said
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/question-sets", include_in_schema=False)

_WHAT = {"text": N_("question"), "labels": N_("answers"), "thanks": N_("thank-you text")}


@dataclass(frozen=True)
class Shown:
    """One text that changed. `parts`: see difference.py."""

    code: str
    what: str
    language: str
    language_name: str
    old: str
    new: str
    parts: list[tuple[str, str]]


@router.get("/{number}/compare/{other}")
def compared(
    request: Request, number: RowId, other: RowId, _person: SignedIn, session: ReadSession
) -> Response:
    """What set `other` has otherwise than set `number`."""
    old, new = _row(session, number), _row(session, other)
    return comparison_page(
        request,
        service.body_of(old),
        service.body_of(new),
        old_name=f"{old.number} · {old.name} {old.version}",
        new_name=f"{new.number} · {new.name} {new.version}",
        crumbs=[("/question-sets", _("Question sets")), (f"/question-sets/{other}", f"{other} · {new.name}")],
    )


def comparison_page(
    request: Request,
    old: dict[str, Any],
    new: dict[str, Any],
    *,
    old_name: str,
    new_name: str,
    crumbs: list[tuple[str, str]],
) -> Response:
    """The page of two bodies."""
    found = compare(old, new)
    before, after = questions_of(old), questions_of(new)

    def named(code: str, questions: dict[str, Any], language: str | None) -> tuple[str, str, str]:
        texts = questions[code].get("text")
        code_of = language or next(iter(texts if isinstance(texts, dict) else {}), "")
        return code, text_in(questions[code], code_of), code_of

    return render(
        request,
        "questions/compare.html",
        old_name=old_name,
        new_name=new_name,
        crumbs=crumbs,
        same=found.same,
        classes=[_(CLASS_NAMES[name]) for name in found.classes],
        breaks=[(code, [said(reason) for reason in reasons]) for code, reasons in found.breaks.items()],
        added=[named(code, after, found.source) for code in found.added],
        removed=[named(code, before, found.source) for code in found.removed],
        reworded=[_shown(text) for text in found.reworded],
        translated=[_shown(text) for text in found.translated],
        rescaled=[(said(one.said), _shown(one.words) if one.words else None) for one in found.rescaled],
        moved=[said(one.said) for one in found.moved],
        other=[said(one) for one in found.other],
    )


def _shown(text: Text) -> Shown:
    return Shown(
        code=text.code,
        what=_(_WHAT[text.what]) if text.what in _WHAT else text.what,
        language=text.language,
        language_name=_(LANGUAGES[text.language]),
        old=text.old,
        new=text.new,
        parts=difference(text.old, text.new),
    )


def _row(session: Session, number: int) -> QuestionSet:
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    return row
