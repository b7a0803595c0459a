"""What was made of a subject's questions: the answers to one in a time, marked as read, discussed or acted on."""

import json
from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.handling import marking
from fleet_server.handling.marking import Time
from fleet_server.handling.models import Handling
from fleet_server.handling.reach import Kind, Reader, back, subject_of, title_of
from fleet_server.questions.reading import languages_of, text_in
from fleet_server.refusals import N_, Faults, Refused
from fleet_server.results.models import Series
from fleet_server.results.scores import Where, totals
from fleet_server.results.spans import Span, period
from fleet_server.results.subjects import Subject
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages, row_id
from fleet_server.web.i18n import language
from fleet_server.web.templating import render

router = APIRouter(prefix="/results", include_in_schema=False)


@router.get("/{kind}/{subject_id}/handling")
def handled(
    request: Request,
    kind: Kind,
    subject_id: RowId,
    person: Reader,
    session: ReadSession,
    now: Now,
    span: Span = "quarter",
    question: str = "",
    done: str = "",
    at: str = "",
) -> Response:
    """All that was noted, and a form for one more; `question`: the series that is chosen in it."""
    subject = subject_of(session, person, kind, subject_id)
    typed = {"question": question, "span": span, "state": marking.DISCUSSED, "note": ""}
    return _page(request, session, subject, now, typed, done=done, at=at)


@router.post("/{kind}/{subject_id}/handling")
def handle(
    request: Request,
    kind: Kind,
    subject_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    question: Annotated[str, Form()] = "",
    span: Annotated[Span, Form()] = "quarter",
    state: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Mark a question's answers in the time that is shown now."""
    subject = subject_of(session, person, kind, subject_id)
    chosen = period(span, now)
    time = Time(chosen.starts[0], chosen.stop)
    try:
        series = row_id(question)
        if series not in _asked(session, subject, time):
            faults = Faults()
            faults.add("question", N_("“%(value)s” is no question answered in this time."), value=question)
            faults.check()
        marking.mark_question(session, person, subject.where, series or 0, time, state, note, now=now)
    except Refused as refused:
        typed = {"question": question, "span": span, "state": state, "note": note}
        return _page(request, session, subject, now, typed, errors=messages(refused))
    return back(f"{subject.address}/handling?span={span}", done="marked", at=now)


def newest(session: Session, where: Where, since: int) -> dict[int, Handling]:
    """{series: the newest mark of it that is about a time after `since`}, for the results page."""
    found: dict[int, Handling] = {}
    for row in marking.of_questions(session, where):
        if row.stop > since and row.series_id is not None:
            found.setdefault(row.series_id, row)
    return found


def _page(
    request: Request,
    session: Session,
    subject: Subject,
    now: int,
    typed: dict[str, str],
    *,
    errors: dict[str, str] | None = None,
    done: str = "",
    at: str = "",
) -> Response:
    spans: tuple[Span, ...] = ("month", "quarter", "year")
    span: Span = next((one for one in spans if one == typed["span"]), "quarter")
    chosen = period(span, now)
    rows = marking.of_questions(session, subject.where)
    asked = _asked(session, subject, Time(chosen.starts[0], chosen.stop))
    names = _texts(session, {*asked, *(row.series_id for row in rows if row.series_id)})
    return render(
        request,
        "handling/questions.html",
        422 if errors else 200,
        subject=subject,
        title=title_of(subject),
        rows=[(row, names.get(row.series_id or 0, "")) for row in rows],
        questions=sorted(((one, names[one]) for one in asked), key=lambda pair: pair[1].casefold()),
        span=span,
        since=chosen.starts[0],
        until=chosen.stop - 1,
        states=marking.STATES,
        unread=marking.UNREAD,
        most=marking.LONGEST_NOTE,
        typed=typed,
        errors=errors or {},
        done=done,
        at=at,
    )


def _asked(session: Session, subject: Subject, time: Time) -> set[int]:
    """The series that have answers then; but for texts, which are handled one by one."""
    answered = totals(session, subject.where, time.start, time.stop)
    rows = select(Series.id).where(col(Series.id).in_(answered), Series.type != "text")
    return {one for one in session.exec(rows) if one is not None}


def _texts(session: Session, series: Collection[int]) -> dict[int, str]:
    """{series: its question in the language of the request, or the first that it has}, with its code."""
    found: dict[int, str] = {}
    for row in session.exec(select(Series).where(col(Series.id).in_(series))):
        body: dict[str, Any] = json.loads(row.body)
        texts = (text_in(body, one) for one in (language(), *languages_of(body)))
        found[row.id or 0] = f"{row.code} · {next((text for text in texts if text), '')}"
    return found
