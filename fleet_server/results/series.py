"""Which answers are answers to the same question: the comparability guard.

Two sets that ask a question under one code share a series unless its source wording or its scale changed between them
(questions/compare.py). Invariant: a question of a set belongs to one series for ever.
"""

import json
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.questions.compare import compare
from fleet_server.questions.models import QuestionSet
from fleet_server.refusals import Sentence
from fleet_server.results.models import Asked, Series


def series_of(session: Session, set_number: int, question: int) -> int | None:
    """The series of this question of a set, made when there is none; None while the set or the question is unknown."""
    known = session.get(Asked, (set_number, question))
    if known is not None:
        return known.series_id
    row = session.get(QuestionSet, set_number)
    if row is None:
        return None
    body = json.loads(row.body)
    asked = _question(body, question)
    if asked is None:
        return None
    series = _joins(session, body, asked) or _new(session, set_number, body, asked)
    if series.id is None:
        session.flush()
    assert series.id is not None
    session.add(Asked(set_number=set_number, question=question, series_id=series.id))
    session.flush()
    return series.id


def why_apart(session: Session, one: Series, other: Series) -> list[Sentence]:
    """Why the answers of two series of a code may not be joined."""
    earlier, later = sorted((one, other), key=lambda series: series.first_set)
    bodies = [json.loads(session.get_one(QuestionSet, series.first_set).body) for series in (earlier, later)]
    return compare(bodies[0], bodies[1]).breaks.get(later.code, [])


def _question(body: dict[str, Any], question: int) -> dict[str, Any] | None:
    questions = body.get("questions")
    if not isinstance(questions, list) or not 0 <= question < len(questions):
        return None
    asked = questions[question]
    if not isinstance(asked, dict) or not isinstance(asked.get("type"), str):
        return None
    # Sets from before questions had codes: nothing else asks under such a one.
    return {"code": f"{body.get('number')}/{question}"} | asked


def _joins(session: Session, body: dict[str, Any], asked: dict[str, Any]) -> Series | None:
    """The newest series of this code that the question continues."""
    code = str(asked["code"])
    for series in session.exec(select(Series).where(Series.code == code).order_by(col(Series.id).desc())):
        before = json.loads(session.get_one(QuestionSet, series.first_set).body)
        if code not in compare(before, body).breaks:
            return series
    return None


def _new(session: Session, set_number: int, body: dict[str, Any], asked: dict[str, Any]) -> Series:
    series = Series(
        code=str(asked["code"]),
        type=str(asked["type"]),
        several=asked.get("several") is True,
        first_set=set_number,
        body=json.dumps(asked | {"languages": body.get("languages", [])}, ensure_ascii=False),
    )
    session.add(series)
    return series
