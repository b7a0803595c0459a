"""`/api/v1` for results: what was answered, for programs of who may read the same on pages, with the same blocks.

It decides nothing that may be shown: results/scores.py and results/texts.py know whole blocks only.
"""

from datetime import date
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.api import result_shapes as shapes
from fleet_server.api.shapes import FAULTS
from fleet_server.results import intervals, subjects, texts
from fleet_server.results.pieces import Piece, between, cut
from fleet_server.results.scores import withheld
from fleet_server.results.subjects import Subject
from fleet_server.results.table import MEASURES, Row, rows
from fleet_server.results.taken import note
from fleet_server.web.deps import Now, ReadSession, RowId, read
from fleet_server.web.i18n import language
from fleet_server.web.units import unit_name

router = APIRouter(prefix="/api/v1", responses=FAULTS)
Reader = Annotated[Person, allow(Role.SUPERVISOR, Role.COORDINATOR)]
Filtered = Annotated[bool, Query(description="with the answers that misuse rules left out")]
Grain = Annotated[
    Literal["week", "month", "whole"],
    Query(description="periods; those at either end are cut off where the time ends"),
]


def unit_subject(unit_id: RowId, person: Reader, session: ReadSession) -> Subject:
    """The unit of the path, when its results are theirs to see."""
    return _readable(person, subjects.of_unit(session, unit_id), f"unit {unit_id}")


def place_subject(place_id: RowId, person: Reader, session: ReadSession) -> Subject:
    """The place of the path, when its results are theirs to see."""
    return _readable(person, subjects.of_place(session, place_id), f"place {place_id}")


def time(
    from_: Annotated[date, Query(alias="from", description="first day, in Finland's time")],
    to: Annotated[date, Query(description="last day; it is included")],
) -> Piece:
    """The whole days that are asked for."""
    try:
        return between(from_, to)
    except ValueError as error:
        fault = {"type": "value_error", "loc": ("query", "to"), "msg": f"to {error}", "input": to.isoformat()}
        raise RequestValidationError([fault]) from None


UnitSubject = Annotated[Subject, Depends(unit_subject)]
PlaceSubject = Annotated[Subject, Depends(place_subject)]
Time = Annotated[Piece, Depends(time)]


@router.get("/units/{unit_id}/results")
def unit_results(
    subject: UnitSubject,
    session: ReadSession,
    asked: Time,
    grain: Grain = "whole",
    with_filtered: Filtered = False,
) -> shapes.Results:
    """What was answered in a unit and all below it, by question, period and channel."""
    return _results(session, subject, asked, grain, with_filtered)


@router.get("/places/{place_id}/results")
def place_results(
    subject: PlaceSubject,
    session: ReadSession,
    asked: Time,
    grain: Grain = "whole",
    with_filtered: Filtered = False,
) -> shapes.Results:
    """What was answered at a place, by question, period and device."""
    return _results(session, subject, asked, grain, with_filtered)


Words = Annotated[str, Query(max_length=100, description="only texts in which each of these words stands")]
Limit = Annotated[int, Query(ge=1, le=500, description="at most so many in one answer")]
Offset = Annotated[int, Query(ge=0, lt=2**31, description="so many, from the newest on, are already had")]


@router.get("/units/{unit_id}/texts")
async def unit_texts(
    request: Request,
    person: Reader,
    subject: UnitSubject,
    now: Now,
    asked: Time,
    words: Words = "",
    with_filtered: Filtered = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> shapes.OpenTexts:
    """What visitors of a unit and all below it wrote."""
    return await _texts(request, person, subject, asked, words, with_filtered, limit, offset, now)


@router.get("/places/{place_id}/texts")
async def place_texts(
    request: Request,
    person: Reader,
    subject: PlaceSubject,
    now: Now,
    asked: Time,
    words: Words = "",
    with_filtered: Filtered = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> shapes.OpenTexts:
    """What visitors of a place wrote."""
    return await _texts(request, person, subject, asked, words, with_filtered, limit, offset, now)


def _readable(person: Person, subject: Subject | None, name: str) -> Subject:
    if subject is None or not subjects.reads(person, subject.unit.path):
        raise HTTPException(404, f"{name} does not exist")
    return subject


def _results(
    session: Session, subject: Subject, asked: Piece, grain: Any, with_filtered: bool
) -> shapes.Results:
    found = rows(
        session, subject.where, cut(asked, grain), language(), with_filtered=with_filtered, with_all=True
    )
    return shapes.Results(
        subject=_subject(subject),
        from_=asked.first,
        to=asked.last,
        grain=grain,
        with_filtered=with_filtered,
        least_respondents=county.rules(session).least_respondents,
        waiting=withheld(session, subject.unit.path, subject.place.id if subject.place else None),
        questions=[_question(list(own)) for _, own in groupby(found, lambda row: row.question.series.id)],
    )


async def _texts(
    request: Request,
    person: Person,
    subject: Subject,
    asked: Piece,
    words: str,
    with_filtered: bool,
    limit: int,
    offset: int,
    now: int,
) -> shapes.OpenTexts:
    found, page = await read(
        request,
        lambda session: texts.read(
            session,
            subject.where,
            asked.start,
            asked.stop,
            search=words,
            with_filtered=with_filtered,
            limit=limit,
            offset=offset,
        ),
    )
    how: dict[str, Any] = {"first": asked.first.isoformat(), "last": asked.last.isoformat(), "words": words}
    how |= {"filtered": with_filtered, "offset": offset, "texts": len(page)}
    await note(request, person, subject, now=now, file="api", **how)
    shown = [
        shapes.OpenText(text=one.text, place=one.place, first_day=days.first, last_day=days.last)
        for one in page
        for days in (Piece(one.since, one.day + 1),)
    ]
    following = offset + len(page)
    return shapes.OpenTexts(
        subject=_subject(subject),
        found=found,
        texts=shown,
        next=following if page and following < found else None,
    )


def _subject(subject: Subject) -> shapes.Subject:
    return shapes.Subject(
        kind="place" if subject.place else "unit",
        id=subject.where.id,
        name=subject.place.name if subject.place else unit_name(subject.unit),
        unit_oid=subject.unit.oid,
        demo=subject.demo,
    )


def _question(own: list[Row]) -> shapes.Question:
    """The rows of a question: in each period all sources together, then each."""
    question = own[0].question
    series = question.series
    measure, interval = MEASURES.get(series.type, ("", ""))
    return shapes.Question(
        code=series.code,
        type=series.type,
        series=series.id or 0,
        question_set=series.first_set,
        several=series.several,
        texts=question.texts,
        labels={str(value): label for value, label in sorted(question.labels.items())},
        measure=measure,
        interval=interval,
        periods=[_period(list(rows)) for _, rows in groupby(own, lambda row: row.piece)],
    )


def _period(own: list[Row]) -> shapes.Period:
    together, *parts = own
    return shapes.Period(
        from_=together.piece.first,
        to=together.piece.last,
        status=together.status,
        figures=_figures(together),
        sources=[
            shapes.FromSource(
                channel=row.source.channel,
                device_id=row.source.device_id or None,
                device_model=row.source.model or None,
                status=row.status,
                figures=_figures(row),
            )
            for row in parts
            if row.source
        ],
    )


def _figures(row: Row) -> shapes.Figures | None:
    if row.figures is None:
        return None
    values = row.question.values
    shares = {str(value): share for value in values if (share := row.share(value)) is not None}
    return shapes.Figures(
        n=row.figures.answers,
        cant_say=row.figures.cant_say,
        counts={str(value): row.figures.values[value] for value in values},
        shares=shares,
        headline=_estimate(row.headline),
        mean=_estimate(row.mean),
    )


def _estimate(found: intervals.Estimate | None) -> shapes.Estimate | None:
    return shapes.Estimate(**found._asdict()) if found else None
